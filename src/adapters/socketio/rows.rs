//! Channels and messages as this server writes them: in snake case, in camel case, or as a dispute.

use std::collections::BTreeMap;

use super::audit::AuditPage;
use crate::{
    adapters::json::Object,
    domain::{
        conversation::{Context, ROLE_OF, ServerConversation},
        cursor::ChangeMark,
        event::SessionEvent,
        ids::{ClientMessageId, ConversationId, MessageId, UserId},
        message::{Role, ServerMessage},
        time::WallTime,
    },
};

/// The names of a row's moment; the server's own text is kept beside what is read of it.
const CREATED: [&str; 3] = ["created_at", "createdAt", "timestamp"];

/// A message, and where the server put it.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) channel: Option<String>,
    /// The server's own text of the moment: cutting it to milliseconds would put a read marker
    /// before the very message it names.
    pub(super) moment: Option<String>,
    pub(super) message: ServerMessage,
}

/// Reads a message; only its id is required.
pub(super) fn row(object: &Object<'_>, me: Option<&UserId>) -> Option<Row> {
    let id = MessageId::parse(&object.id(&["id", "messageId", "message_id"])?)?;
    let sender = object.id(&["sender_id", "senderId"]);
    let sender = sender.and_then(|id| UserId::parse(&id));
    let system = object.text(&["type"]).as_deref() == Some("system");
    let key = object.text(&["client_message_id", "clientMessageId"]);
    let deleted = deleted(object);
    let said = object.text(&["content"]).unwrap_or_default();
    Some(Row {
        channel: object.id(&["channel_id", "channelId"]),
        moment: object.text(&CREATED),
        message: ServerMessage {
            id,
            client_id: key.and_then(|key| ClientMessageId::parse(&key)),
            role: if system { Role::System } else { Role::User },
            own: sender.is_some() && sender.as_ref() == me,
            sender,
            text: if deleted { String::new() } else { said },
            created_at: object.time(&CREATED),
            sequence: None,
            revision: u64::from(deleted),
            deleted,
        },
    })
}

fn deleted(object: &Object<'_>) -> bool {
    object.flag(&["is_deleted", "isDeleted"]).unwrap_or(false)
        || object.raw(&["deleted_at", "deletedAt"]).is_some()
}

/// The rows of a list, each for itself; how many could not be read.
pub(super) fn rows(
    object: &Object<'_>,
    names: &[&str],
    me: Option<&UserId>,
) -> Option<(Vec<Row>, usize)> {
    let list = object.list(names)?;
    let read = |raw: &&str| row(&Object::parse(raw)?, me);
    let read: Vec<_> = list.items.iter().filter_map(read).collect();
    let skipped = list.items.len() - read.len() + list.beyond;
    Some((read, skipped))
}

/// A message with its text, even where it was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// The message.
    pub message: ServerMessage,
    /// When it was deleted, where it was and the server says so.
    pub deleted_at: Option<WallTime>,
}

/// A page of an auditor's; where a server does not say whether there is more, a full page has.
pub(super) fn audited(object: &Object<'_>, me: Option<&UserId>, limit: usize) -> Option<AuditPage> {
    let list = object.list(&["messages"])?;
    let read = |raw: &&str| {
        let object = Object::parse(raw)?;
        let mut message = row(&object, me)?.message;
        message.text = object.text(&["content"]).unwrap_or_default();
        let deleted_at = object.time(&["deleted_at", "deletedAt"]);
        Some(AuditRow {
            message,
            deleted_at,
        })
    };
    let messages: Vec<_> = list.items.iter().filter_map(read).collect();
    let older = object.flag(&["hasOlder", "has_older"]);
    let older = older.unwrap_or(list.items.len() >= limit);
    let first = messages.first().filter(|_| older);
    Some(AuditPage {
        before: first.map(|row| row.message.id.clone()),
        skipped: list.items.len() - messages.len() + list.beyond,
        messages,
    })
}

/// A channel: the server's name for it, and what the core knows it by.
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) conversation: ServerConversation,
}

/// Reads a channel; its id is required.
pub(super) fn channel(object: &Object<'_>) -> Option<Channel> {
    let id = object.id(&["id", "channel_id", "channelId"])?;
    let context = context(object);
    let name = match &context {
        Some(context) => named(context)?,
        None => ConversationId::parse(&format!("{BARE}:{id}"))?,
    };
    let mut conversation = ServerConversation::bare(name);
    conversation.context = context;
    conversation.created_at = object.time(&["created_at", "createdAt"]);
    conversation.updated_at = object.time(&["updated_at", "updatedAt"]);
    conversation.last_message_at = object.time(&["last_message_at", "lastMessageAt"]);
    (conversation.participants, conversation.attributes) = participants(object);
    conversation.mark = mark(object);
    Some(Channel { id, conversation })
}

/// What the server says of a conversation while it is looked at. Whether there are messages to read,
/// only the listing says: the mark that it gives is not an event's to move.
pub(super) fn told(channel: Channel, id: &ConversationId) -> SessionEvent {
    SessionEvent::Conversation(Box::new(ServerConversation {
        id: id.clone(),
        mark: None,
        ..channel.conversation
    }))
}

/// What a channel without a context is known by.
const BARE: &str = "channel";

fn context(object: &Object<'_>) -> Option<Context> {
    Some(Context {
        kind: object.text(&["context_type", "contextType"])?,
        id: Some(object.id(&["context_id", "contextId"])?),
    })
}

/// What the core knows a channel by: its context, which no two share and none ever changes. The
/// server's own id does not exist before the first message.
pub(super) fn named(context: &Context) -> Option<ConversationId> {
    let id = context.id.as_deref().filter(|id| !id.trim().is_empty())?;
    let plain = !context.kind.is_empty() && !context.kind.contains(':');
    let name = plain.then(|| format!("{}:{id}", context.kind))?;
    ConversationId::parse(&name)
}

/// The context that a name stands for.
pub(super) fn context_of(id: &ConversationId) -> Option<Context> {
    let (kind, id) = id.as_str().split_once(':')?;
    (kind != BARE && !id.is_empty()).then(|| Context {
        kind: kind.to_owned(),
        id: Some(id.to_owned()),
    })
}

/// The server's id that a name stands for, where it holds one.
pub(super) fn bare_channel(id: &ConversationId) -> Option<&str> {
    let (kind, id) = id.as_str().split_once(':')?;
    (kind == BARE).then_some(id)
}

/// Members, and the role of each as a fact of the conversation.
fn participants(object: &Object<'_>) -> (Vec<UserId>, BTreeMap<String, String>) {
    let list = object.list(&["participants"]).unwrap_or_default();
    let (mut members, mut roles) = (Vec::new(), BTreeMap::new());
    for raw in list.items {
        let member = Object::parse(raw).unwrap_or_default();
        let id = member.id(&["user_id", "userId", "id"]);
        let Some(user) = id.and_then(|id| UserId::parse(&id)) else {
            continue;
        };
        if let Some(role) = member.text(&["role"]) {
            roles.insert(format!("{ROLE_OF}{user}"), role);
        }
        members.push(user);
    }
    (members, roles)
}

/// Who is there, where the answer to a look at a channel tells of each member: so what is shown is
/// true again after a while in which nothing was heard.
pub(super) fn presences(object: &Object<'_>, me: Option<&UserId>) -> Vec<SessionEvent> {
    let list = object.list(&["participants"]).unwrap_or_default();
    let read = |raw: &&str| presence(&Object::parse(raw)?, me);
    list.items.iter().filter_map(read).collect()
}

/// Who came or went; that we are here ourselves is no news.
pub(super) fn presence(object: &Object<'_>, me: Option<&UserId>) -> Option<SessionEvent> {
    let user = UserId::parse(&object.id(&["user_id", "userId"])?)?;
    let online = object.flag(&["online", "isOnline", "is_online"])?;
    (me != Some(&user)).then(|| SessionEvent::Presence {
        user,
        online,
        last_seen: object.time(&["last_seen", "lastSeen", "last_seen_at", "lastSeenAt"]),
    })
}

/// With the count of messages no news can hide between two equal moments.
fn mark(object: &Object<'_>) -> Option<ChangeMark> {
    let count = object.count(&["message_count", "messageCount"])?;
    let updated = object.text(&["updated_at", "updatedAt"])?;
    Some(ChangeMark::new(format!("{count} {updated}")))
}

/// A moment of the server's.
pub(super) fn moment(text: &str) -> Option<WallTime> {
    WallTime::parse_rfc3339(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Row {
        let me = UserId::parse("u1");
        row(&Object::parse(text).expect("json"), me.as_ref()).expect("row")
    }

    #[test]
    fn rows_are_read_in_either_case_and_as_disputes_write_them() {
        for text in [
            r#"{"id":"m1","channel_id":"c1","sender_id":"u1","content":"hi","is_deleted":false,"deleted_at":null,"created_at":"2026-01-01T00:00:00.123456Z"}"#,
            r#"{"id":"m1","channelId":"c1","senderId":"u1","content":"hi","isDeleted":false,"createdAt":"2026-01-01T00:00:00.123456Z"}"#,
            r#"{"messageId":"m1","channelId":"c1","senderId":"u1","content":"hi","timestamp":"2026-01-01T00:00:00.123456Z"}"#,
        ] {
            let row = read(text);
            assert_eq!(row.channel.as_deref(), Some("c1"), "{text}");
            assert_eq!(row.moment.as_deref(), Some("2026-01-01T00:00:00.123456Z"));
            assert!(row.message.own && !row.message.deleted);
            assert_eq!(
                (row.message.text.as_str(), row.message.role),
                ("hi", Role::User)
            );
        }
    }

    #[test]
    fn a_system_row_has_no_sender_and_is_nobodys_own() {
        let row = read(
            r#"{"id":"m1","type":"system","senderId":null,"content":"frozen","evidence":{"type":"laser"}}"#,
        );
        assert_eq!((row.message.role, row.message.sender), (Role::System, None));
        assert!(!row.message.own);
    }

    #[test]
    fn of_a_deleted_row_no_text_is_kept_and_it_outranks_the_row_before() {
        let row = read(
            r#"{"id":"m1","sender_id":"u2","content":"gone","deleted_at":"2026-01-01T00:00:00Z"}"#,
        );
        assert!(row.message.deleted && row.message.text.is_empty());
        assert_eq!(row.message.revision, 1);
    }

    #[test]
    fn of_others_that_are_told_of_is_known_whether_they_are_there() {
        let text = r#"{"participants":[{"user_id":"u1","online":true},{"userId":"u2","isOnline":true},
            {"user_id":"u3","online":false,"last_seen":"2026-01-01T00:00:00Z"},{"user_id":"u4"},7]}"#;
        let me = UserId::parse("u1");
        let told = presences(&Object::parse(text).expect("json"), me.as_ref());
        let told: Vec<_> = told
            .into_iter()
            .map(|event| match event {
                SessionEvent::Presence {
                    user,
                    online,
                    last_seen,
                } => (user.to_string(), online, last_seen.is_some()),
                other => panic!("{other:?}"),
            })
            .collect();
        let due = [
            ("u2".to_owned(), true, false),
            ("u3".to_owned(), false, true),
        ];
        assert_eq!(told, due);
    }

    #[test]
    fn a_channel_is_known_by_its_context() {
        let text = r#"{"id":"x1","context_type":"Booking","context_id":"b:1","participants":[{"user_id":"u1","role":"Worker"},{"user_id":"u2"}],"message_count":2,"updated_at":"t"}"#;
        let read = channel(&Object::parse(text).expect("json")).expect("channel");
        assert_eq!(read.id, "x1");
        let conversation = read.conversation;
        assert_eq!(conversation.id.as_str(), "Booking:b:1");
        assert_eq!(context_of(&conversation.id), conversation.context);
        assert_eq!(conversation.participants.len(), 2);
        assert_eq!(conversation.attributes["role.u1"], "Worker");
        assert!(conversation.mark.is_some());
        let bare = channel(&Object::parse(r#"{"id":"x2"}"#).expect("json")).expect("channel");
        assert_eq!(bare_channel(&bare.conversation.id), Some("x2"));
        assert_eq!(context_of(&bare.conversation.id), None);
    }
}
