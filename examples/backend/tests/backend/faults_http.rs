//! Each action on requests, seen by the client and checked against what the server did.

use serde_json::json;
use tidings_backend::Backend;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{CONSULTATIONS, Http, messages, rule, silent, start, within};

const POST_MESSAGE: &str = "*/messages";

async fn conversation() -> (Backend, Http, String) {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    (backend, http, id)
}

fn on_post(backend: &Backend, action: serde_json::Value) -> String {
    rule(
        backend,
        json!({ "on": "http", "method": "POST", "path": POST_MESSAGE }),
        action,
    )
}

fn stored(backend: &Backend, id: &str) -> usize {
    backend
        .messages(id)
        .iter()
        .filter(|row| row.role == "user")
        .count()
}

/// Posts by hand and returns every byte of the answer, and whether it ended in order.
async fn raw_post(backend: &Backend, id: &str) -> (Vec<u8>, bool) {
    let mut stream = TcpStream::connect(backend.addr()).await.expect("connects");
    let body = json!({ "content": "raw" }).to_string();
    let path = messages(id);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n",
        body.len()
    );
    stream
        .write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes())
        .await
        .expect("sent");
    let mut answer = Vec::new();
    let ended = within(stream.read_to_end(&mut answer)).await.is_ok();
    (answer, ended)
}

fn body_of(answer: &[u8]) -> &[u8] {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a head")
        + 4;
    &answer[end..]
}

#[tokio::test]
async fn refuse_drops_the_connection_and_applies_nothing() {
    let (backend, http, id) = conversation().await;
    on_post(&backend, json!({ "kind": "refuse" }));
    assert!(
        http.try_post(&messages(&id), json!({ "content": "x" }))
            .await
            .is_err()
    );
    assert_eq!(stored(&backend, &id), 0);
    assert_eq!(
        http.say(&id, "again").await.status,
        201,
        "a rule counts once by default"
    );
}

#[tokio::test]
async fn status_answers_in_the_servers_place() {
    let (backend, http, id) = conversation().await;
    let headers = json!({ "retry-after": "7" });
    let action = json!({ "kind": "status", "code": 429, "headers": headers,
        "body": "slow down", "content_type": "text/plain" });
    on_post(&backend, action);
    let answer = http.say(&id, "x").await;
    assert_eq!((answer.status, answer.text.as_str()), (429, "slow down"));
    assert_eq!(answer.headers["retry-after"], "7");
    assert_eq!(answer.headers["content-type"], "text/plain");
    assert_eq!(stored(&backend, &id), 0);
    assert_eq!(
        backend.requests().last().expect("a record").faults,
        ["status"]
    );
}

#[tokio::test]
async fn retry_after_can_be_a_date() {
    let (backend, http, id) = conversation().await;
    let headers = json!({ "retry-after": "http-date+5" });
    on_post(
        &backend,
        json!({ "kind": "status", "code": 503, "headers": headers }),
    );
    let answer = http.say(&id, "x").await;
    let date = |name: &str| {
        let value = answer.headers[name].to_str().expect("text");
        httpdate::parse_http_date(value).expect("a date")
    };
    let wait = date("retry-after")
        .duration_since(date("date"))
        .expect("later");
    assert!((4..=6).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test]
async fn delay_holds_the_answer_back() {
    let (backend, http, id) = conversation().await;
    on_post(&backend, json!({ "kind": "delay", "ms": 150 }));
    let started = std::time::Instant::now();
    assert_eq!(http.say(&id, "x").await.status, 201);
    assert!(started.elapsed().as_millis() >= 150);
}

#[tokio::test]
async fn drop_neither_processes_nor_answers() {
    let (backend, http, id) = conversation().await;
    on_post(&backend, json!({ "kind": "drop" }));
    assert!(silent(http.say(&id, "x")).await);
    assert_eq!(stored(&backend, &id), 0);
}

#[tokio::test]
async fn freeze_silences_the_connection() {
    let (backend, http, id) = conversation().await;
    on_post(&backend, json!({ "kind": "freeze" }));
    assert!(silent(http.say(&id, "x")).await);
    assert_eq!(stored(&backend, &id), 0);
}

#[tokio::test]
async fn duplicate_applies_a_request_twice() {
    let (backend, http, id) = conversation().await;
    on_post(&backend, json!({ "kind": "duplicate" }));
    assert_eq!(http.say(&id, "x").await.status, 201);
    assert_eq!(stored(&backend, &id), 2);
}

#[tokio::test]
async fn replace_puts_other_content_into_the_answer() {
    let (backend, http, id) = conversation().await;
    rule(
        &backend,
        json!({ "on": "http", "method": "GET" }),
        json!({ "kind": "replace", "text": "{" }),
    );
    let answer = http.get(&messages(&id)).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "{"));
}

#[tokio::test]
async fn reset_breaks_off_in_the_middle_of_the_body() {
    let (backend, _, id) = conversation().await;
    on_post(&backend, json!({ "kind": "reset" }));
    let (answer, ended) = raw_post(&backend, &id).await;
    assert!(!ended, "a reset, not an end");
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 201"));
    assert!(!body_of(&answer).is_empty());
    assert_eq!(stored(&backend, &id), 1);
}

#[tokio::test]
async fn truncate_ends_the_body_before_its_length() {
    let (backend, http, id) = conversation().await;
    on_post(&backend, json!({ "kind": "truncate", "bytes": 5 }));
    let (answer, ended) = raw_post(&backend, &id).await;
    assert!(ended, "an end, not a reset");
    assert_eq!(body_of(&answer), b"{\"dat");
    on_post(&backend, json!({ "kind": "truncate", "bytes": 5 }));
    assert!(
        http.try_post(&messages(&id), json!({ "content": "x" }))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn lost_ack_applies_and_says_nothing() {
    let (backend, http, id) = conversation().await;
    on_post(&backend, json!({ "kind": "lost_ack" }));
    assert!(
        http.try_post(&messages(&id), json!({ "content": "x" }))
            .await
            .is_err()
    );
    assert_eq!(stored(&backend, &id), 1);
    let record = backend.requests().pop().expect("a record");
    assert_eq!(
        (record.status, record.faults),
        (None, vec!["lost_ack".to_owned()])
    );
}

#[tokio::test]
async fn frozen_ack_applies_and_leaves_the_sender_waiting() {
    let (backend, http, id) = conversation().await;
    on_post(&backend, json!({ "kind": "frozen_ack" }));
    let path = messages(&id);
    let waiting = http.try_post(&path, json!({ "content": "x" }));
    assert!(silent(waiting).await);
    assert_eq!(stored(&backend, &id), 1);
}

#[tokio::test]
async fn late_apply_breaks_off_now_and_applies_later() {
    let (backend, http, id) = conversation().await;
    on_post(&backend, json!({ "kind": "late_apply", "ms": 150 }));
    assert!(
        http.try_post(&messages(&id), json!({ "content": "x" }))
            .await
            .is_err()
    );
    assert_eq!(stored(&backend, &id), 0);
    within(backend.wait_until(|backend| stored(backend, &id) == 1)).await;
}

#[tokio::test]
async fn captive_answers_with_a_page() {
    let (backend, http, id) = conversation().await;
    on_post(&backend, json!({ "kind": "captive" }));
    let answer = http.say(&id, "x").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.headers["content-type"]
            .to_str()
            .expect("text")
            .starts_with("text/html")
    );
    assert_eq!(stored(&backend, &id), 0);
}

#[tokio::test]
async fn redirect_sends_elsewhere() {
    let (backend, http, id) = conversation().await;
    on_post(
        &backend,
        json!({ "kind": "redirect", "location": "http://portal.test/" }),
    );
    let answer = http.say(&id, "x").await;
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers["location"], "http://portal.test/");
}

#[tokio::test]
async fn slow_body_trickles() {
    let (backend, http, id) = conversation().await;
    rule(
        &backend,
        json!({ "on": "http" }),
        json!({ "kind": "slow_body", "bytes_per_sec": 400 }),
    );
    let started = std::time::Instant::now();
    let answer = http.get(&messages(&id)).await;
    let least = (answer.text.len() as u128 * 1000 / 400).saturating_sub(60);
    assert!(
        started.elapsed().as_millis() >= least,
        "{:?}",
        started.elapsed()
    );
    assert_eq!(answer.data()["total_count"], 0, "and arrives whole");
}

#[tokio::test]
async fn oversize_blows_the_answer_up_with_an_unknown_field() {
    let (backend, http, id) = conversation().await;
    rule(
        &backend,
        json!({ "on": "http" }),
        json!({ "kind": "oversize", "bytes": 300_000 }),
    );
    let answer = http.get(&messages(&id)).await;
    assert!(answer.text.len() >= 300_000);
    assert_eq!(answer.data()["total_count"], 0);
}

#[tokio::test]
async fn no_answer_leaves_the_message_alone_or_with_an_answer_only_in_history() {
    let (backend, http, id) = conversation().await;
    on_post(&backend, json!({ "kind": "no_answer" }));
    on_post(&backend, json!({ "kind": "no_answer", "stored": true }));
    assert_eq!(http.say(&id, "one").await.status, 201);
    within(backend.wait_until(|backend| !backend.is_answering(&id))).await;
    assert_eq!(backend.messages(&id).len(), 1);
    assert_eq!(http.say(&id, "two").await.status, 201);
    within(backend.wait_until(|backend| backend.messages(&id).len() == 3)).await;
    assert!(backend.frames().is_empty());
}

#[tokio::test]
async fn rules_can_be_added_listed_and_removed_over_the_admin_endpoint() {
    let (backend, http, _) = conversation().await;
    let admin = Http::at(backend.admin_url());
    let when = json!({ "on": "http", "path": CONSULTATIONS });
    let action = json!({ "kind": "status", "code": 503 });
    let rules = json!([{ "id": "down", "match": when, "action": action, "times": 0 }]);
    let added = admin.post("/admin/faults", rules).await;
    assert_eq!(
        (added.status, added.json()),
        (201, json!({ "ids": ["down"] }))
    );
    assert_eq!(http.get(CONSULTATIONS).await.status, 503);
    let listed = admin.get("/admin/faults").await.json();
    assert_eq!(
        (&listed["rules"][0]["id"], &listed["rules"][0]["applied"]),
        (&json!("down"), &json!(1))
    );
    assert_eq!(admin.delete("/admin/faults/down").await.status, 204);
    assert_eq!(admin.delete("/admin/faults/down").await.status, 404);
    assert_eq!(http.get(CONSULTATIONS).await.status, 200);
    let nonsense = admin.post("/admin/faults", json!({ "match": {} })).await;
    assert_eq!(nonsense.status, 400);
}
