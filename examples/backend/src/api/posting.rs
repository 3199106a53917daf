//! Taking in a user's message: the same way whether it came by POST or over a socket.

use axum::http::HeaderMap;

use super::{Problem, shapes};
use crate::{
    app::Shared,
    clock,
    store::{Append, Message, NewMessage},
    turns::{self, TurnPlan},
    ws::Document,
};

/// The longest message, in Unicode scalar values.
pub(crate) const MAX_CONTENT: usize = 5000;
/// The longest client id.
const MAX_CLIENT_ID: usize = 200;

/// A message that is stored now.
pub(crate) struct Posted {
    pub(crate) row: Message,
    /// It was stored before, under the same client id.
    pub(crate) duplicate: bool,
}

/// Whether a text may be a message.
pub(crate) fn check(content: &str) -> Result<(), Problem> {
    if content.trim().is_empty() {
        return Err(Problem::invalid("content is required"));
    }
    if content.chars().count() > MAX_CONTENT {
        return Err(Problem::invalid("content must be 1 to 5000 characters"));
    }
    Ok(())
}

/// Whether a text may name something a client makes.
pub(crate) fn check_client_id(id: Option<&str>) -> Result<(), Problem> {
    if id.is_some_and(|id| id.is_empty() || id.len() > MAX_CLIENT_ID) {
        return Err(Problem::invalid("a client id has 1 to 200 bytes"));
    }
    Ok(())
}

/// The key that a request names what it makes by.
pub(crate) fn key(headers: &HeaderMap) -> Option<String> {
    let key = headers.get("idempotency-key")?.to_str().ok()?;
    Some(key.to_owned())
}

/// Stores a message, or finds it when its client id is known.
pub(crate) async fn store(
    app: &Shared,
    conversation: &str,
    content: &str,
    client_id: Option<String>,
) -> Result<Posted, Problem> {
    check(content)?;
    check_client_id(client_id.as_deref())?;
    let new = NewMessage::user(conversation, content, client_id);
    let appended = app
        .store
        .run(move |db| Message::append(db, &new, clock::now()))
        .await?;
    app.journal.bump();
    match appended {
        Append::Stored(row) => Ok(Posted {
            row,
            duplicate: false,
        }),
        Append::Duplicate(row) => Ok(Posted {
            row,
            duplicate: true,
        }),
        Append::KeyReused => Err(Problem::key_reused()),
        Append::Gone => Err(Problem::no_consultation()),
        Append::NotActive => Err(Problem::not_active(app.config.dialect)),
    }
}

/// Lets the coach answer, and with extensions shows the message to the other sockets.
pub(crate) fn announce(app: &Shared, row: Message, plan: TurnPlan, sender: Option<u64>) {
    if app.config.extensions {
        let body = serde_json::json!({ "message": shapes::message(&app.config, &row, false) });
        let frame = [Document::new("message", body)];
        app.hub.broadcast(&row.consultation_id, &frame, sender);
    }
    turns::ask(app, row, plan);
}
