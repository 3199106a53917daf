//! Flat values that cross by copy, each with its one conversion.

use std::time::Duration;

pub mod capabilities;
pub mod connection;
pub mod consultations;
pub mod conversation;
pub mod delivery;
pub mod event;
pub mod message;
pub mod options;
pub mod search;
pub mod socketio;

use tidings::domain::ids::{ClientMessageId, ConversationId};

use crate::error::ChatError;

/// One named scalar, by the backend's own name.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Attribute {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

pub(crate) fn attributes(map: std::collections::BTreeMap<String, String>) -> Vec<Attribute> {
    map.into_iter()
        .map(|(name, value)| Attribute { name, value })
        .collect()
}

pub(crate) fn attribute_map(list: Vec<Attribute>) -> std::collections::BTreeMap<String, String> {
    let mut map = std::collections::BTreeMap::new();
    for one in list {
        map.insert(one.name, one.value);
    }
    map
}

pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// A span from milliseconds; a negative one is none at all.
pub(crate) fn span(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

pub(crate) fn index(place: usize) -> i32 {
    i32::try_from(place).unwrap_or(i32::MAX)
}

/// A count from the other side; a negative one is zero.
pub(crate) fn count(number: i32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

pub(crate) fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(crate) fn large(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn message_id(text: &str) -> Result<ClientMessageId, ChatError> {
    ClientMessageId::parse(text)
        .ok_or_else(|| ChatError::invalid("message", "this is no local key of a message"))
}

pub(crate) fn conversation_id(text: &str) -> Result<ConversationId, ChatError> {
    ConversationId::parse(text)
        .ok_or_else(|| ChatError::invalid("conversation", "this is no id of a conversation"))
}
