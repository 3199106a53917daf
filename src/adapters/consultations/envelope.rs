//! What surrounds every REST body: data with or without a wrapper, errors in four forms.

use crate::{
    adapters::{json::Object, printable},
    domain::ids::ConversationId,
};

/// A body of ours, opened as far as its payload.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// The payload: what is under `data`, else the whole.
    pub(super) data: Object<'a>,
    /// Whether there was a wrapper.
    pub(super) wrapped: bool,
    /// The success flag of one dialect; the HTTP status judges, never this.
    pub(super) success: Option<bool>,
}

impl<'a> Envelope<'a> {
    /// Opens a body; `None` where it is no JSON object.
    pub(super) fn open(body: &'a str) -> Option<Self> {
        let whole = Object::parse(body)?;
        let success = whole.flag(&["success"]);
        let data = whole.object(&["data"]);
        Some(Self {
            wrapped: data.is_some(),
            success,
            data: data.unwrap_or(whole),
        })
    }

    /// The object under this name, else the payload itself.
    pub(super) fn under_or_self(&self, names: &[&str]) -> Option<Object<'a>> {
        self.data.object(names)
    }
}

/// What an error body tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Complaint {
    /// The machine code.
    pub(super) code: Option<String>,
    /// The words; only looked at where there is no code.
    pub(super) words: String,
    /// The conversation that stands in the way.
    pub(super) existing: Option<ConversationId>,
}

impl Complaint {
    /// Reads an error body of any known form; an unknown one tells nothing.
    pub(super) fn read(body: &str) -> Self {
        let Some(whole) = Object::parse(body) else {
            return Self::default();
        };
        let Some(error) = whole.object(&["error"]) else {
            return Self::flat(&whole);
        };
        let details = error.object(&["details"]).unwrap_or_default();
        let existing = existing(&details).or_else(|| existing(&error));
        Self {
            code: code(&error).or_else(|| code(&whole)),
            words: error.text(&["message", "error"]).unwrap_or_default(),
            existing,
        }
    }

    fn flat(whole: &Object<'_>) -> Self {
        Self {
            code: code(whole),
            words: whole.text(&["error", "message"]).unwrap_or_default(),
            existing: existing(whole),
        }
    }

    /// Whether the code says that the conversation takes no messages.
    pub(super) fn is_not_active(&self) -> bool {
        self.code
            .as_deref()
            .is_some_and(|c| c.ends_with("NOT_ACTIVE"))
    }

    /// Whether this is the cap on active conversations. The words are a last resort, for the
    /// version of the server that sends no code.
    pub(super) fn is_too_many_active(&self) -> bool {
        match &self.code {
            Some(code) => code.contains("TOO_MANY") && code.contains("ACTIVE"),
            None => self.words.to_ascii_lowercase().contains("too many active"),
        }
    }
}

fn code(object: &Object<'_>) -> Option<String> {
    printable::code(&object.text(&["code", "error_code"])?)
}

fn existing(object: &Object<'_>) -> Option<ConversationId> {
    ConversationId::parse(&object.id(&["existing_consultation_id", "existing_conversation_id"])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l7_success_flag_is_never_required() {
        for body in [
            r#"{"data":{"id":"c1"}}"#,
            r#"{"success":true,"data":{"id":"c1"},"error":null}"#,
            r#"{"id":"c1"}"#,
        ] {
            let envelope = Envelope::open(body).expect(body);
            assert_eq!(envelope.data.text(&["id"]).as_deref(), Some("c1"));
        }
    }

    #[test]
    fn errors_are_read_in_every_form() {
        for (body, code, existing) in [
            (
                r#"{"error":{"message":"m","code":"NOT_FOUND"}}"#,
                Some("NOT_FOUND"),
                None,
            ),
            (r#"{"success":false,"error":"words"}"#, None, None),
            (
                r#"{"success":false,"data":null,"error":{"code":"A","message":"m"}}"#,
                Some("A"),
                None,
            ),
            (r#"{"error_code":"B"}"#, Some("B"), None),
            ("unauthorized", None, None),
            ("", None, None),
            (
                r#"{"error":{"code":"X","details":{"existing_consultation_id":"c9"}}}"#,
                Some("X"),
                Some("c9"),
            ),
            (
                r#"{"error":{"message":"m","existing_consultation_id":"c9"}}"#,
                None,
                Some("c9"),
            ),
        ] {
            let complaint = Complaint::read(body);
            assert_eq!(complaint.code.as_deref(), code, "{body}");
            assert_eq!(
                complaint.existing,
                existing.and_then(ConversationId::parse),
                "{body}"
            );
        }
    }

    #[test]
    fn l56_the_cap_is_told_by_code_and_by_words_only_without_one() {
        assert!(
            Complaint::read(r#"{"error":{"message":"too many active consultations: 10"}}"#)
                .is_too_many_active()
        );
        assert!(
            Complaint::read(r#"{"error":{"code":"TOO_MANY_ACTIVE_CONSULTATIONS"}}"#)
                .is_too_many_active()
        );
        let limited =
            r#"{"error":{"code":"RATE_LIMIT_EXCEEDED","message":"too many active users"}}"#;
        assert!(!Complaint::read(limited).is_too_many_active());
    }
}
