//! A small consultations server made of a script: what the script leaves alone is answered well.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tidings::domain::ids::ConversationId;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;

use crate::raw::{Reply, Seen, Server, Socket};

/// The only conversation it has.
pub(crate) const CHAT: &str = "c1";

/// What it stored, and a bell for those who wait for that to change.
#[derive(Clone)]
pub(crate) struct Rows {
    rows: Arc<Mutex<Vec<Value>>>,
    bell: Arc<watch::Sender<usize>>,
}

impl Rows {
    fn new() -> Self {
        Self {
            rows: Arc::default(),
            bell: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Stores a message and returns its row.
    pub(crate) fn say(&self, role: &str, text: &str) -> Value {
        let mut rows = self.rows.lock().unwrap();
        let row = json!({
            "id": format!("m{}", rows.len() + 1), "consultation_id": CHAT, "role": role,
            "content": text, "created_at": "2025-11-20T09:00:00Z",
        });
        rows.push(row.clone());
        drop(rows);
        self.ring();
        row
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.rows.lock().unwrap().clone()
    }

    /// The texts of the user's messages.
    pub(crate) fn asked(&self) -> Vec<String> {
        let rows = self.all();
        rows.iter()
            .filter(|row| row["role"] == "user")
            .map(|row| row["content"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn ring(&self) {
        self.bell.send_modify(|count| *count += 1);
    }

    /// The page that was asked for, as production gives it.
    pub(crate) fn page(&self, seen: &Seen) -> Value {
        let number = |name, otherwise| seen.query(name).map_or(otherwise, |n| n.parse().unwrap());
        let (limit, offset): (usize, usize) = (number("limit", 50), number("offset", 0));
        let rows = self.all();
        let page: Vec<_> = rows.iter().skip(offset).take(limit).collect();
        json!({"data": {"messages": page, "total_count": rows.len(), "limit": limit, "offset": offset}})
    }
}

pub(crate) struct Stub {
    server: Server,
    pub(crate) rows: Rows,
}

impl Stub {
    /// Starts a server that does all things well but those for which the script has an answer.
    pub(crate) async fn start(
        script: impl Fn(&Seen, &Rows) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let rows = Rows::new();
        let known = rows.clone();
        let server = Server::start(move |seen| {
            let reply = script(seen, &known).unwrap_or_else(|| answer(seen, &known));
            known.ring();
            reply
        })
        .await;
        Self { server, rows }
    }

    pub(crate) fn url(&self) -> String {
        self.server.origin()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.server.seen()
    }

    pub(crate) fn count(&self, is: impl Fn(&Seen) -> bool) -> usize {
        self.seen().iter().filter(|seen| is(seen)).count()
    }
}

pub(crate) fn chat() -> ConversationId {
    ConversationId::parse(CHAT).unwrap()
}

pub(crate) fn is_history(seen: &Seen) -> bool {
    seen.is("GET", "/api/v1/consultations/c1/messages")
}

pub(crate) fn is_post(seen: &Seen) -> bool {
    seen.is("POST", "/api/v1/consultations/c1/messages")
}

/// The text of a posted message.
pub(crate) fn posted(seen: &Seen) -> String {
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    body["content"].as_str().unwrap().to_owned()
}

fn consultation() -> Value {
    json!({"id": CHAT, "persona": "nutritionist", "status": "active",
        "created_at": "2025-11-20T09:00:00Z", "updated_at": "2025-11-20T09:00:00Z"})
}

fn answer(seen: &Seen, rows: &Rows) -> Reply {
    if seen.wants_socket() {
        let rows = rows.clone();
        return Reply::socket(move |socket| converse(socket, rows));
    }
    match (seen.method.as_str(), seen.path()) {
        ("POST", "/api/v1/consultations") => {
            Reply::json(201, json!({"data": {"consultation": consultation()}}))
        }
        ("GET", "/api/v1/consultations/c1") => Reply::json(200, json!({"data": consultation()})),
        ("GET", "/api/v1/consultations/c1/messages") => Reply::json(200, rows.page(seen)),
        ("POST", "/api/v1/consultations/c1/messages") => {
            let asked = rows.say("user", &posted(seen));
            rows.say("assistant", &format!("re: {}", posted(seen)));
            Reply::json(201, json!({"data": {"user_message": asked}}))
        }
        _ => Reply::json(404, json!({"error": {"message": "not found"}})),
    }
}

/// A good conversation over a socket: each message is answered in two pieces.
pub(crate) async fn converse(mut socket: Socket, rows: Rows) {
    say(
        &mut socket,
        &json!({"type": "connected", "consultation_id": CHAT}),
    )
    .await;
    while let Some(text) = hear(&mut socket).await {
        rows.say("user", &text);
        say(&mut socket, &json!({"type": "message_received"})).await;
        say(&mut socket, &chunk("re: ")).await;
        say(&mut socket, &chunk(&text)).await;
        rows.say("assistant", &format!("re: {text}"));
        say(&mut socket, &json!({"type": "stream_complete"})).await;
    }
}

pub(crate) fn chunk(text: &str) -> Value {
    json!({"type": "stream_chunk", "content": text})
}

/// The text of the next message; pings are answered on the way. `None` at the end.
pub(crate) async fn hear(socket: &mut Socket) -> Option<String> {
    while let Some(Ok(frame)) = socket.next().await {
        let Message::Text(text) = frame else { continue };
        let document: Value = serde_json::from_str(&text).unwrap();
        match document["type"].as_str() {
            Some("ping") => say(socket, &json!({"type": "pong"})).await,
            _ => return Some(document["content"].as_str().unwrap().to_owned()),
        }
    }
    None
}

pub(crate) async fn say(socket: &mut Socket, document: &Value) {
    let _ = socket.send(Message::text(document.to_string())).await;
}
