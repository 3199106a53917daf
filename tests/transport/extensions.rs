//! What the reference backend adds, and what happens without it.

use std::sync::Arc;

use serde_json::json;
use tidings::{
    adapters::{consultations::ConsultationsService, http::StaticToken},
    domain::{capabilities::ServerOrder, ids::MessageId, ports::ChatService, retry::FailureKind},
};

use crate::support::{Reply, Server, config, id, outgoing, service, service_with, within};

fn extended(server: &Server) -> ConsultationsService {
    let mut settings = config(server);
    settings.extensions = true;
    service_with(settings, Arc::new(StaticToken::new("t")))
}

fn message() -> MessageId {
    MessageId::parse("m2").expect("id")
}

async fn server() -> Server {
    Server::start(|seen| match seen.method.as_str() {
        "GET" => Reply::json(200, json!({"data": {"messages": [{"id": "m1", "seq": 1}, {"id": "m2", "seq": 2}], "total_count": 2}})),
        _ => Reply::json(200, json!({"data": {"id": "m2", "role": "user", "content": "new", "revision": 1, "seq": 2}})),
    })
    .await
}

#[tokio::test]
async fn extensions_are_used_where_configured() {
    let server = server().await;
    let service = extended(&server);
    let can = service.capabilities();
    assert!(can.idempotent_send && can.stop && can.edit && can.delete);
    assert_eq!(can.server_order, ServerOrder::Sequence);

    let sent = outgoing("hi");
    within(service.send(&sent)).await.expect("sent");
    let key = sent.id.to_string();
    assert_eq!(
        server.seen()[0].header("idempotency-key"),
        Some(key.as_str())
    );

    let edited = within(service.edit_message(&id("c1"), &message(), "new"))
        .await
        .expect("edited");
    assert_eq!((edited.revision, edited.sequence), (1, Some(2)));
    within(service.delete_message(&id("c1"), &message()))
        .await
        .expect("deleted");
    within(service.stop_answer(&id("c1")))
        .await
        .expect("stopped");
    within(service.mark_read(&id("c1"), &message()))
        .await
        .expect("marked");
    let last = server.seen().pop().expect("request");
    assert_eq!(
        (last.method.as_str(), last.body.as_str()),
        ("PUT", r#"{"up_to_seq":2}"#)
    );
    let paths: Vec<_> = server
        .seen()
        .iter()
        .map(|s| format!("{} {}", s.method, s.path()))
        .collect();
    assert!(paths.contains(&"PATCH /api/v1/consultations/c1/messages/m2".to_owned()));
    assert!(paths.contains(&"POST /api/v1/consultations/c1/stop".to_owned()));
}

#[tokio::test]
async fn without_extensions_nothing_is_asked_of_the_server() {
    let server = server().await;
    let service = service(&server);
    let errors = [
        within(service.edit_message(&id("c1"), &message(), "x"))
            .await
            .err(),
        within(service.delete_message(&id("c1"), &message()))
            .await
            .err(),
        within(service.stop_answer(&id("c1"))).await.err(),
        within(service.mark_read(&id("c1"), &message())).await.err(),
    ];
    assert!(errors.iter().all(|e| {
        e.as_ref()
            .is_some_and(|e| e.kind == FailureKind::Unsupported)
    }));
    assert!(server.seen().is_empty());
}
