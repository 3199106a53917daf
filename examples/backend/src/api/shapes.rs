//! What consultations and messages look like on the wire. Absent values are left out, as Go's
//! `omitempty` does.

use serde_json::{Map, Value, json};

use crate::{
    clock::{self, Nanos},
    config::BackendConfig,
    store::{Consultation, Message},
};

/// A consultation; `precise` keeps the nanoseconds, as the answer to a creation does.
pub(crate) fn consultation(row: &Consultation, precise: bool) -> Value {
    let time = |at: Nanos| {
        json!(if precise {
            clock::precise(at)
        } else {
            clock::seconds(at)
        })
    };
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
    put("id", json!(row.id));
    put("user_id", json!(row.user_id));
    put("persona", json!(row.persona));
    put("status", json!(row.status));
    put("message_count", json!(row.message_count));
    put("started_at", time(row.started_at));
    put("created_at", time(row.started_at));
    put("updated_at", time(row.updated_at));
    for (key, at) in [
        ("completed_at", row.completed_at),
        ("last_message_at", row.last_message_at),
    ] {
        at.map(|at| put(key, time(at)));
    }
    for (key, value) in [
        ("goal_id", &row.goal_id),
        ("context_type", &row.context_type),
        ("context_id", &row.context_id),
        ("quick_action", &row.quick_action),
    ] {
        value.as_ref().map(|value| put(key, json!(value)));
    }
    Value::Object(body)
}

/// A message; with extensions it carries its sequence number, client id and revision.
pub(crate) fn message(config: &BackendConfig, row: &Message, precise: bool) -> Value {
    let at = row.created_at;
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
    put("id", json!(row.id));
    put("consultation_id", json!(row.consultation_id));
    put("role", json!(row.role));
    put("content", json!(row.content));
    put(
        "created_at",
        json!(if precise {
            clock::precise(at)
        } else {
            clock::seconds(at)
        }),
    );
    row.tokens_used
        .map(|tokens| put("tokens_used", json!(tokens)));
    row.processing_time_ms
        .map(|ms| put("processing_time_ms", json!(ms)));
    if config.extensions {
        put("seq", json!(row.seq));
        put("revision", json!(row.revision));
        row.client_id.as_ref().map(|id| put("client_id", json!(id)));
        if row.deleted {
            put("deleted", json!(true));
        }
    }
    Value::Object(body)
}
