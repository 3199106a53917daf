//! What a line of the session's input asks for.

use std::time::Duration;

use serde_json::{Map, Value};
use tidings::{
    NetworkChange,
    config::parse_duration,
    domain::{
        ids::{ClientMessageId, ConversationId},
        outbox::SendMode,
    },
    usecases::read_history::PageCursor,
};

use crate::{
    commands::history,
    context::{conversation_id, message_id},
    failure::Failure,
};

/// One command, read leniently: unknown fields are ignored.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The verb, lower case.
    pub(super) verb: String,
    /// Echoed on the results.
    pub(super) reference: Option<Value>,
    fields: Map<String, Value>,
}

impl Request {
    /// Reads a line; the reference comes back with an error too, where there is one.
    pub(super) fn parse(line: &str) -> Result<Self, (Failure, Option<Value>)> {
        let fields = match serde_json::from_str(line) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Err((bad("a command is a JSON object"), None)),
            Err(error) => {
                let text = format!("this is no JSON (column {})", error.column());
                return Err((bad(&text), None));
            }
        };
        let reference = fields.get("ref").cloned();
        let named = ["cmd", "command", "type"]
            .iter()
            .find_map(|key| fields.get(*key));
        let Some(verb) = named.and_then(Value::as_str) else {
            let text = "the command has no name: write it as \"cmd\"";
            return Err((bad(text).field("cmd"), reference));
        };
        Ok(Self {
            verb: verb.trim().to_lowercase().replace('-', "_"),
            reference,
            fields,
        })
    }

    fn text_of(&self, names: &[&str]) -> Option<String> {
        let value = names.iter().find_map(|name| self.fields.get(*name))?;
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A flag; false where absent.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.fields.get(name).and_then(Value::as_bool) == Some(true)
    }

    /// The conversation meant, where one is named.
    pub(super) fn conversation(&self) -> Result<Option<ConversationId>, Failure> {
        let named = self.text_of(&["conversation", "conversation_id", "id"]);
        named.map(|text| conversation_id(&text)).transpose()
    }

    /// The message meant.
    pub(super) fn message(&self) -> Result<ClientMessageId, Failure> {
        let missing = || bad("name the message").field("message");
        message_id(
            &self
                .text_of(&["message", "message_id", "id"])
                .ok_or_else(missing)?,
        )
    }

    /// The text to send.
    pub(super) fn text(&self) -> Result<String, Failure> {
        let missing = || bad("there is no text").field("text");
        self.text_of(&["text", "content"]).ok_or_else(missing)
    }

    /// What the send promises.
    pub(super) fn mode(&self) -> Result<SendMode, Failure> {
        match self.text_of(&["mode"]).as_deref() {
            None | Some("durable") => Ok(SendMode::Durable),
            Some("direct") => Ok(SendMode::Direct),
            Some(_) => Err(bad("the mode is durable or direct").field("mode")),
        }
    }

    /// Whether somebody types; they do where nothing is said.
    pub(super) fn active(&self) -> bool {
        self.fields.get("active").and_then(Value::as_bool) != Some(false)
    }

    /// How long the background may go on: milliseconds, or text such as `3s`.
    pub(super) fn deadline(&self) -> Result<Duration, Failure> {
        let names = ["deadline", "deadline_ms", "ms", "for"];
        let value = names.iter().find_map(|name| self.fields.get(*name));
        let wrong = || bad("the deadline is milliseconds, or a time such as 3s").field("deadline");
        match value {
            None => Ok(Duration::ZERO),
            Some(Value::String(text)) => parse_duration(text)
                .or_else(|| text.trim().parse().ok().map(Duration::from_millis))
                .ok_or_else(wrong),
            Some(value) => value.as_u64().map(Duration::from_millis).ok_or_else(wrong),
        }
    }

    /// What became of the network.
    pub(super) fn network(&self) -> Result<NetworkChange, Failure> {
        match self
            .text_of(&["change", "network", "state", "status"])
            .as_deref()
        {
            Some("up") => Ok(NetworkChange::Up),
            Some("down") => Ok(NetworkChange::Down),
            Some("changed") => Ok(NetworkChange::Changed),
            _ => Err(bad("the change is up, down or changed").field("change")),
        }
    }

    /// What to create: persona, context type, context id.
    pub(super) fn wanted(&self) -> (Option<String>, Option<String>, Option<String>) {
        (
            self.text_of(&["persona"]),
            self.text_of(&["context_type"]),
            self.text_of(&["context_id"]),
        )
    }

    /// The first message of a new conversation.
    pub(super) fn first(&self) -> Option<String> {
        self.text_of(&["first"])
    }

    /// How many messages at most.
    pub(super) fn limit(&self) -> usize {
        let given = self.fields.get("limit").and_then(Value::as_u64);
        given
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(50)
            .clamp(1, 100_000)
    }

    /// The page before this.
    pub(super) fn before(&self) -> Result<Option<PageCursor>, Failure> {
        let text = self.text_of(&["before"]);
        text.map(|text| history::cursor(&text)).transpose()
    }
}

/// The line cannot be meant so; the session goes on.
pub(super) fn bad(text: &str) -> Failure {
    Failure {
        code: "session.bad_command".to_owned(),
        ..Failure::usage(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_may_be_named_cmd_command_or_type() {
        for line in [
            r#"{"cmd":"open","conversation":"c1","ref":"1"}"#,
            r#"{"command":"Open","conversation":"c1","ref":"1"}"#,
            r#"{"type":"open","conversation":"c1","ref":"1","more":[1]}"#,
        ] {
            let request = Request::parse(line).expect(line);
            assert_eq!(request.verb, "open");
            assert_eq!(request.reference, Some("1".into()));
            let id = request.conversation().expect("id").expect("named");
            assert_eq!(id.as_str(), "c1");
        }
    }

    #[test]
    fn what_is_no_command_is_said_and_keeps_its_reference() {
        for line in ["", "{", "[]", "1", "\"open\""] {
            assert!(Request::parse(line).is_err(), "{line}");
        }
        let (_, reference) = Request::parse(r#"{"ref":[7]}"#).expect_err("no verb");
        assert_eq!(reference, Some(serde_json::json!([7])));
    }

    #[test]
    fn a_deadline_is_milliseconds_or_a_time() {
        let deadline = |value: &str| {
            let line = format!(r#"{{"cmd":"background","deadline":{value}}}"#);
            Request::parse(&line).expect("line").deadline()
        };
        assert_eq!(deadline("1500").ok(), Some(Duration::from_millis(1500)));
        assert_eq!(deadline("\"3s\"").ok(), Some(Duration::from_secs(3)));
        assert_eq!(deadline("\"1500\"").ok(), Some(Duration::from_millis(1500)));
        assert!(deadline("\"soon\"").is_err());
        assert!(deadline("-1").is_err());
    }
}
