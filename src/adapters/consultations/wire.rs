//! Messages and conversations as this server, its versions and its documents write them.

use std::collections::BTreeMap;

use crate::{
    adapters::json::Object,
    domain::{
        conversation::{Context, ServerConversation, Status},
        cursor::ChangeMark,
        ids::{ClientMessageId, ConversationId, MessageId},
        message::{Role, ServerMessage},
        sorting::filled,
    },
};

/// The names under which an object tells which conversation it belongs to.
const PARENT: [&str; 4] = [
    "consultation_id",
    "conversation_id",
    "consultationId",
    "conversationId",
];

const CREATED: [&str; 3] = ["created_at", "timestamp", "createdAt"];

/// Facts of a conversation that have no field of their own in the domain.
const ATTRIBUTES: [&str; 7] = [
    "completed_at",
    "goal_id",
    "has_context_for_goal_suggestions",
    "message_count",
    "needs_survey",
    "quick_action",
    "started_at",
];

/// Which conversation an object says it belongs to.
pub(super) fn parent(object: &Object<'_>) -> Option<String> {
    object.id(&PARENT)
}

/// Whether the object says that it belongs to another conversation.
pub(super) fn is_foreign(object: &Object<'_>, own: &ConversationId) -> bool {
    parent(object).is_some_and(|named| !named.eq_ignore_ascii_case(own.as_str()))
}

/// Reads a message; only its id is required. `role` is for where the wrapper's name tells it.
pub(super) fn message(object: &Object<'_>, role: Option<Role>) -> Option<ServerMessage> {
    let id = MessageId::parse(&object.id(&["id", "message_id", "messageId"])?)?;
    let named = object.text(&["role"]).map(|name| Role::parse(&name));
    let role = named
        .or(role)
        .unwrap_or_else(|| Role::Other("unknown".into()));
    let key = object.text(&["client_id", "client_message_id", "clientId"]);
    Some(ServerMessage {
        id,
        client_id: key.and_then(|key| ClientMessageId::parse(&key)),
        own: role == Role::User,
        role,
        sender: None,
        text: object.text(&["content", "text"]).unwrap_or_default(),
        created_at: object.time(&CREATED),
        sequence: object.number(&["seq", "sequence"]),
        revision: revision(object),
        deleted: is_deleted(object),
    })
}

fn revision(object: &Object<'_>) -> u64 {
    let number = object.number(&["revision"]).unwrap_or(0);
    u64::try_from(number).unwrap_or(0)
}

fn is_deleted(object: &Object<'_>) -> bool {
    object.flag(&["deleted"]).unwrap_or(false) || object.raw(&["deleted_at"]).is_some()
}

/// Reads the messages of a list one by one; tells how many could not be read.
pub(super) fn messages(object: &Object<'_>, names: &[&str]) -> (Vec<ServerMessage>, usize) {
    let Some(list) = object.list(names) else {
        return (Vec::new(), 0);
    };
    let read = |raw: &&str| message(&Object::parse(raw)?, None);
    let read: Vec<_> = list.items.iter().filter_map(read).collect();
    let skipped = list.items.len() - read.len() + list.beyond;
    (read, skipped)
}

/// Reads a conversation; only its id is required.
pub(super) fn conversation(object: &Object<'_>) -> Option<ServerConversation> {
    let id = ConversationId::parse(&object.id(&["id"])?)?;
    let mut read = ServerConversation::bare(id);
    read.persona = object.text(&["persona"]);
    read.status = status(object);
    read.title = object.text(&["title"]);
    read.context = context(object);
    read.created_at = object.time(&["created_at", "createdAt", "started_at"]);
    read.updated_at = object.time(&["updated_at", "updatedAt"]);
    read.last_message_at = object.time(&["last_message_at", "lastMessageAt"]);
    read.attributes = attributes(object);
    read.mark = mark(object);
    Some(read)
}

/// The moments are told in seconds by some versions: only with the count of messages can nothing
/// slip between two equal ones.
fn mark(object: &Object<'_>) -> Option<ChangeMark> {
    let count = object.number(&["message_count"])?;
    let moment = |name| object.text(&[name]).unwrap_or_default();
    let (updated, last) = (moment("updated_at"), moment("last_message_at"));
    Some(ChangeMark::new(format!("{count} {updated} {last}")))
}

/// The status, or what older flags say instead of it.
fn status(object: &Object<'_>) -> Option<Status> {
    let named = object.text(&["status"]);
    let flagged = |name: &str| object.flag(&[name]).filter(|on| *on);
    let archived = || flagged("is_archived").map(|_| "archived".to_owned());
    let active = || flagged("is_active").map(|_| "active".to_owned());
    let word = named.or_else(archived).or_else(active)?;
    Some(Status::new(&word))
}

/// The bound entity: two flat fields, a nested object, or the older goal link.
fn context(object: &Object<'_>) -> Option<Context> {
    let flat = |kind| Context {
        kind,
        id: object.id(&["context_id", "contextId"]),
    };
    let kind = object.text(&["context_type", "contextType"]);
    kind.map(flat)
        .or_else(|| nested(object))
        .or_else(|| goal(object))
}

fn nested(object: &Object<'_>) -> Option<Context> {
    let context = object.object(&["context"])?;
    Some(Context {
        kind: context.text(&["type", "context_type"])?,
        id: context.id(&["id", "context_id"]),
    })
}

fn goal(object: &Object<'_>) -> Option<Context> {
    Some(Context {
        kind: "goal".into(),
        id: Some(object.id(&["goal_id"])?),
    })
}

fn attributes(object: &Object<'_>) -> BTreeMap<String, String> {
    let read = |name: &&str| Some(((*name).to_owned(), object.scalar(name)?));
    filled(ATTRIBUTES.iter().filter_map(read))
}

#[cfg(test)]
mod tests;
