use serde_json::json;
use tidings_backend::{Backend, Dialect, StaticToken};

use crate::support::{CONSULTATIONS, Http, Socket, id_of, messages, start_with, text};

fn start() -> Backend {
    start_with(|config| config.dialect = Dialect::S34)
}

#[tokio::test]
async fn successes_and_failures_come_in_success_envelopes() {
    let backend = start();
    let http = Http::new(&backend);
    let answer = http.get(CONSULTATIONS).await.json();
    assert_eq!(
        (&answer["success"], &answer["error"]),
        (&json!(true), &json!(null))
    );
    let failure = http.get(&format!("{CONSULTATIONS}/none")).await;
    assert_eq!(failure.status, 404);
    assert_eq!(
        failure.json(),
        json!({ "success": false, "error": "consultation not found" })
    );
}

#[tokio::test]
async fn a_conflict_carries_its_details() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    let answer = http
        .post(CONSULTATIONS, json!({ "persona": "nutritionist" }))
        .await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.json()["success"], false);
    assert_eq!(
        answer.json()["error"]["details"]["existing_consultation_id"],
        id.as_str()
    );
}

#[tokio::test]
async fn a_posted_message_is_accepted_bare_and_answered_by_a_whole_message() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    let mut socket = Socket::open(&backend, &id).await;
    let answer = http.say(&id, "ping 42").await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.data()["content"], "ping 42");
    let reply = socket.next().await;
    assert_eq!(reply["type"], "message");
    assert_eq!(reply["message"]["role"], "assistant");
    assert!(text(&reply["message"]["content"]).contains("42"));
    assert_eq!(id_of(&reply["message"]), backend.messages(&id)[1].id);
}

#[tokio::test]
async fn the_socket_takes_no_messages_but_answers_pings() {
    let backend = start();
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    socket.say("hello").await;
    assert_eq!(socket.next().await["type"], "error");
    socket.send(json!({ "type": "ping" })).await;
    assert_eq!(socket.next().await["type"], "pong");
    assert!(backend.messages(&id).is_empty());
}

#[tokio::test]
async fn messages_come_whole_whatever_page_is_asked_for() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    for n in 0..3 {
        http.say(&id, &format!("message {n}")).await;
    }
    let page = http
        .get(&format!("{}?limit=1&offset=1", messages(&id)))
        .await
        .data();
    assert!(page["messages"].as_array().expect("a list").len() >= 3);
    assert_eq!(page["messages"][0]["content"], "message 0");
    assert!(page.get("limit").is_none() && page.get("offset").is_none());
}

#[tokio::test]
async fn a_completed_consultation_is_forbidden() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    http.post(&format!("{CONSULTATIONS}/{id}/complete"), json!({}))
        .await;
    assert_eq!(http.say(&id, "hello").await.status, 403);
}

#[tokio::test]
async fn an_upgrade_without_a_token_is_a_bad_request() {
    let backend = start_with(|config| {
        config.dialect = Dialect::S34;
        config.tokens = vec![StaticToken::new("good", "alice")];
    });
    let id = Http::new(&backend).with_token("good").create().await;
    let refused = Socket::dial(&backend, &id, "")
        .await
        .err()
        .expect("refused");
    assert!(refused.to_string().contains("400"), "{refused}");
    assert!(Socket::dial(&backend, &id, "?token=good").await.is_ok());
}
