//! The document's fields, by their names. What is at its ordinary value is left out.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, SeqAccess, Visitor},
};

use super::MOST_MESSAGES;

/// The whole.
#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) format: String,
    pub(super) version: u64,
    pub(super) conversation: Conversation,
    #[serde(deserialize_with = "bounded")]
    pub(super) messages: Vec<Message>,
}

/// `conversation`.
#[derive(Serialize, Deserialize)]
pub(super) struct Conversation {
    pub(super) id: String,
    /// Given on this device.
    pub(super) local: Local,
    /// The server's word.
    pub(super) server: Server,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) activity_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) read_to: Option<Mark>,
    /// The server has more before the first message.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) more_before: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) creation: Option<Creation>,
}

/// The local overlay.
#[derive(Serialize, Deserialize)]
pub(super) struct Local {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) archived: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) draft: Option<String>,
}

/// The server's facts.
#[derive(Serialize, Deserialize)]
pub(super) struct Server {
    /// Where the server knows it by another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) persona: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<Context>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) updated_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_message_at: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) participants: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) attributes: BTreeMap<String, String>,
}

/// The business entity.
#[derive(Serialize, Deserialize)]
pub(super) struct Context {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
}

/// Up to where it was read: a place, or a row's number in the list.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mark {
    Place(i64),
    Message(i64),
}

/// How a conversation without a server was begun.
#[derive(Serialize, Deserialize)]
pub(super) struct Creation {
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) persona: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<Context>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) attributes: BTreeMap<String, String>,
}

/// One of `messages`.
#[derive(Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) server_id: Option<String>,
    /// In the server's order; absent where the server has not placed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<i64>,
    pub(super) role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sender: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) own: bool,
    pub(super) text: String,
    pub(super) state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) left_above: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answers: Option<String>,
    /// Of a streamed answer: `incomplete`, `failed`, `stopped`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) deleted: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) unread: bool,
    #[serde(default, skip_serializing_if = "is_none_at_all")]
    pub(super) revision: u64,
    /// Something is missing right behind it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) gap: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) wire_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unsent_edit: Option<Edit>,
}

/// Why something was not sent.
#[derive(Serialize, Deserialize)]
pub(super) struct Reason {
    pub(super) code: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) retryable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retry_after_ms: Option<u64>,
    pub(super) text: String,
}

/// A text that the user gave and the server does not have.
#[derive(Serialize, Deserialize)]
pub(super) struct Edit {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) reason: Reason,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_none_at_all(number: &u64) -> bool {
    *number == 0
}

/// Reads a list up to the bound, and refuses a longer one where the bound is passed.
fn bounded<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(Bounded(PhantomData))
}

struct Bounded<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Bounded<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = seq.next_element()? {
            if read.len() == MOST_MESSAGES {
                return Err(A::Error::custom("too many messages"));
            }
            read.push(item);
        }
        Ok(read)
    }
}
