//! The documents a server sends, in production's manner: sorted keys, Go's escapes, whole-second
//! stamps.

use serde_json::{Value, json};

use crate::{api::shapes, clock, config::BackendConfig, store::Message};

/// One JSON document and its `type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl Document {
    pub(crate) fn new(kind: &str, mut body: Value) -> Self {
        if let Some(body) = body.as_object_mut() {
            body.insert("type".to_owned(), json!(kind));
            body.insert("timestamp".to_owned(), json!(clock::seconds_now()));
        }
        Self {
            kind: kind.to_owned(),
            text: go_json(&body),
        }
    }
}

/// Go's encoder escapes these three wherever they stand; a client must not match raw text.
pub(crate) fn go_json(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

pub(crate) fn connected(conversation: &str) -> Document {
    Document::new("connected", json!({ "consultation_id": conversation }))
}

pub(crate) fn pong() -> Document {
    Document::new("pong", json!({}))
}

/// The acknowledgement. With extensions it names the row.
pub(crate) fn received(conversation: &str, row: Option<&Message>, duplicate: bool) -> Document {
    let mut body = json!({ "consultation_id": conversation });
    if let (Some(row), Some(body)) = (row, body.as_object_mut()) {
        body.insert("message_id".to_owned(), json!(row.id));
        body.insert("seq".to_owned(), json!(row.seq));
        if let Some(client_id) = &row.client_id {
            body.insert("client_id".to_owned(), json!(client_id));
        }
        if duplicate {
            body.insert("duplicate".to_owned(), json!(true));
        }
    }
    Document::new("message_received", body)
}

pub(crate) fn chunk(conversation: &str, text: &str) -> Document {
    Document::new(
        "stream_chunk",
        json!({ "consultation_id": conversation, "content": text }),
    )
}

/// The end of a streamed answer. With extensions it names the stored row.
pub(crate) fn complete(conversation: &str, metadata: Value, row: Option<&Message>) -> Document {
    let mut body = json!({ "consultation_id": conversation, "metadata": metadata });
    if let (Some(row), Some(body)) = (row, body.as_object_mut()) {
        body.insert("message_id".to_owned(), json!(row.id));
        body.insert("seq".to_owned(), json!(row.seq));
    }
    Document::new("stream_complete", body)
}

/// A whole message.
pub(crate) fn message(config: &BackendConfig, row: &Message) -> Document {
    Document::new(
        "message",
        json!({ "message": shapes::message(config, row, false) }),
    )
}

/// An edited or deleted message (extension).
pub(crate) fn updated(config: &BackendConfig, row: &Message) -> Document {
    Document::new(
        "message_updated",
        json!({ "message": shapes::message(config, row, false) }),
    )
}

/// A read marker that moved (extension).
pub(crate) fn read_marker(conversation: &str, user: &str, up_to_seq: u64) -> Document {
    let body = json!({ "consultation_id": conversation, "user_id": user, "up_to_seq": up_to_seq });
    Document::new("read_marker", body)
}

pub(crate) fn error(conversation: &str, text: &str, code: Option<&str>) -> Document {
    let mut body = json!({ "consultation_id": conversation, "error": text });
    if let (Some(code), Some(body)) = (code, body.as_object_mut()) {
        body.insert("code".to_owned(), json!(code));
    }
    Document::new("error", body)
}

#[cfg(test)]
mod tests {
    use super::go_json;
    use serde_json::json;

    #[test]
    fn markup_is_escaped_as_go_does() {
        assert_eq!(
            go_json(&json!({ "b": "<&>", "a": 1 })),
            r#"{"a":1,"b":"\u003c\u0026\u003e"}"#
        );
    }
}
