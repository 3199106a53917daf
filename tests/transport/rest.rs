//! REST: lists, history, creating, sending, deleting.

use serde_json::json;
use tidings::domain::{cursor::HistoryRange, ports::ChatService};

use crate::support::{Reply, Server, id, outgoing, service, within};

#[tokio::test]
async fn l6_sent_message_is_read_wrapped_or_bare() {
    let message = json!({"id": "m1", "role": "user", "content": "hi", "created_at": "2025-11-20T09:00:00.1Z"});
    let bodies = [
        (
            201,
            json!({"data": {"user_message": message, "assistant_message": null}}),
        ),
        (202, json!({"success": true, "data": message})),
        (
            200,
            json!({"message": message, "response": {"id": "m2", "content": "yo"}}),
        ),
    ];
    for (status, body) in bodies {
        let server = Server::start(move |_| Reply::json(status, &body)).await;
        let receipt = within(service(&server).send(&outgoing("hi")))
            .await
            .expect("receipt");
        let sent = receipt.message.expect("message");
        assert_eq!((sent.id.as_str(), sent.own), ("m1", true));
        let seen = &server.seen()[0];
        assert!(seen.is("POST", "/api/v1/consultations/c1/messages"));
        assert_eq!(seen.body, r#"{"content":"hi"}"#);
        assert_eq!(seen.header("authorization"), Some("Bearer secret-token"));
    }
}

#[tokio::test]
async fn history_of_one_page_is_one_request() {
    let body = json!({"data": {"messages": [{"id": "m1"}, {"id": "m2"}], "total_count": 2, "limit": 100, "offset": 0}});
    let server = Server::start(move |_| Reply::json(200, &body)).await;
    let page = within(service(&server).history(&id("c1"), &HistoryRange::Newest, 100))
        .await
        .expect("page");
    assert_eq!(page.messages.len(), 2);
    assert_eq!(
        (page.older, page.newer.as_str(), page.more),
        (None, "2", false)
    );
    assert_eq!(server.seen().len(), 1);
}
