//! A rule: when, what, how often.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{Action, Event};

/// What kind of event a rule watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// A TCP connection was accepted.
    Connect,
    /// An HTTP request arrived (not an upgrade).
    Http,
    /// A WebSocket upgrade arrived.
    Upgrade,
    /// A frame came from the client.
    WsIn,
    /// A frame (each JSON document, before framing) is about to go to the client.
    WsOut,
}

/// Which events a rule matches. Fields left out match everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The kind of event.
    pub on: On,
    /// The HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path: a prefix, or with `*` (any characters) a pattern for the whole path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The frame's `type`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The conversation's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// Let the first `nth - 1` matching events pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
}

/// One fault rule.
///
/// ```
/// use tidings_backend::{Action, On, Rule};
///
/// let built = Rule::new(On::WsOut, Action::Delay { ms: 300 }).frame_type("stream_chunk").nth(3);
/// let parsed: Rule = serde_json::from_str(
///     r#"{"match": {"on": "ws_out", "type": "stream_chunk", "nth": 3},
///         "action": {"kind": "delay", "ms": 300}}"#,
/// )?;
/// assert_eq!(built, parsed);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A name to find it again; given when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Which events it spoils.
    #[serde(rename = "match")]
    pub when: Match,
    /// What it does to them.
    pub action: Action,
    /// How many events it spoils; 0 = no end. Default 1.
    #[serde(default = "once")]
    pub times: u32,
}

/// Why a rule was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The JSON is not a rule.
    #[error("not a fault rule: {0}")]
    Json(#[from] serde_json::Error),
    /// The action means nothing for that kind of event.
    #[error("this action does not apply to `{0:?}` events")]
    DoesNotFit(On),
    /// `replace` needs exactly one of `text` and valid `base64`.
    #[error("`replace` needs either `text` or valid `base64`")]
    BadReplacement,
    /// There is a rule of that id already.
    #[error("there is a rule `{0}` already")]
    DuplicateId(String),
}

impl Rule {
    /// A rule for every event of a kind, once.
    pub fn new(on: On, action: Action) -> Self {
        let when = Match {
            on,
            method: None,
            path: None,
            kind: None,
            conversation: None,
            nth: None,
        };
        Self {
            id: None,
            when,
            action,
            times: 1,
        }
    }

    /// Names the rule.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.when.method = Some(method.into());
        self
    }

    /// Only requests to this path (see [`Match::path`]).
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.when.path = Some(path.into());
        self
    }

    /// Only frames of this type.
    #[must_use]
    pub fn frame_type(mut self, kind: impl Into<String>) -> Self {
        self.when.kind = Some(kind.into());
        self
    }

    /// Only in this conversation.
    #[must_use]
    pub fn conversation(mut self, conversation: impl Into<String>) -> Self {
        self.when.conversation = Some(conversation.into());
        self
    }

    /// Starting with the nth matching event (1 = the first).
    #[must_use]
    pub fn nth(mut self, nth: u32) -> Self {
        self.when.nth = Some(nth);
        self
    }

    /// This many times; 0 = no end.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// One rule or an array of them.
    pub(super) fn parse(json: &str) -> Result<Vec<Self>, RuleError> {
        let value: serde_json::Value = serde_json::from_str(json)?;
        Ok(match value {
            serde_json::Value::Array(_) => serde_json::from_value(value)?,
            one => vec![serde_json::from_value(one)?],
        })
    }

    pub(super) fn check(&self) -> Result<(), RuleError> {
        if !self.action.fits(self.when.on) {
            return Err(RuleError::DoesNotFit(self.when.on));
        }
        match &self.action {
            Action::Replace {
                text: Some(_),
                base64: None,
            } => Ok(()),
            Action::Replace {
                text: None,
                base64: Some(bytes),
            } if decodes(bytes) => Ok(()),
            Action::Replace { .. } => Err(RuleError::BadReplacement),
            _ => Ok(()),
        }
    }
}

impl Match {
    pub(super) fn holds(&self, event: &Event<'_>) -> bool {
        let wants = |wanted: &Option<String>, is: Option<&str>| match wanted {
            Some(wanted) => is.is_some_and(|is| is.eq_ignore_ascii_case(wanted)),
            None => true,
        };
        self.on == event.on
            && wants(&self.method, event.method)
            && wants(&self.kind, event.kind)
            && wants(&self.conversation, event.conversation)
            && self
                .path
                .as_deref()
                .is_none_or(|pattern| event.path.is_some_and(|path| path_matches(pattern, path)))
    }
}

/// The bytes a `replace` puts in place.
pub(crate) fn replacement(text: Option<&str>, base64: Option<&str>) -> Vec<u8> {
    match (text, base64) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(bytes)) => STANDARD.decode(bytes).unwrap_or_default(),
        (None, None) => Vec::new(),
    }
}

fn decodes(bytes: &str) -> bool {
    STANDARD.decode(bytes).is_ok()
}

/// Without `*` a prefix; with it, each `*` stands for any characters and the whole path counts.
pub(super) fn path_matches(pattern: &str, path: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else {
        return false;
    };
    let pieces: Vec<_> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return true;
    };
    for piece in middle {
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

fn once() -> u32 {
    1
}
