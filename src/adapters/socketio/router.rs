//! What the server's events mean.

use std::sync::Arc;

use super::{
    config::Profile,
    directory::Directory,
    link::{Routed, Router},
    packet::Arguments,
    rows,
};
use crate::{
    adapters::{json::Object, printable},
    domain::{
        event::SessionEvent,
        ids::{ConversationId, MessageId, UserId},
    },
};

/// Reads events by the names that the profile gives them.
#[derive(Debug)]
pub(super) struct ChatRouter {
    pub(super) profile: Arc<Profile>,
    pub(super) directory: Arc<Directory>,
}

impl Router for ChatRouter {
    fn route(&self, name: &str, arguments: &Arguments) -> Routed {
        let events = &self.profile.events;
        let known = self.profile.arity(name).is_some();
        let Some(object) = arguments.json(0).and_then(Object::parse).filter(|_| known) else {
            let name = printable::name(name);
            return match known {
                true => Routed::All(SessionEvent::Undecodable),
                false => Routed::All(SessionEvent::Unknown { name }),
            };
        };
        let read = match name {
            _ if name == events.message => self.message(&object),
            _ if name == events.deleted => self.deleted(&object),
            _ if name == events.read => self.read(&object),
            _ if name == events.typing => self.typing(&object),
            _ if name == events.presence => self.presence(&object),
            _ if name == events.channel => self.channel(&object),
            _ => Some(Routed::Nobody),
        };
        read.unwrap_or(Routed::All(SessionEvent::Undecodable))
    }

    fn is_placed(&self, conversation: &ConversationId) -> bool {
        self.directory.channel(conversation).is_some()
    }
}

impl ChatRouter {
    fn message(&self, object: &Object<'_>) -> Option<Routed> {
        let row = rows::row(object, self.directory.me().as_ref())?;
        let Some(conversation) = self.place(object, row.channel.as_deref()) else {
            return Some(Routed::Unplaced);
        };
        self.directory.see(&conversation, &row);
        Some(Routed::To(conversation, SessionEvent::Message(row.message)))
    }

    /// Only what was seen can be taken back by its name alone; for the rest the history tells.
    fn deleted(&self, object: &Object<'_>) -> Option<Routed> {
        let id = object.id(&["id", "messageId", "message_id"])?;
        let seen = self.directory.seen(&MessageId::parse(&id)?);
        let told = seen.map(|seen| {
            let tombstone = seen.tombstone();
            Routed::To(seen.conversation, SessionEvent::Message(tombstone))
        });
        told.or_else(|| {
            let conversation = self.of(object)?;
            Some(Routed::To(conversation, SessionEvent::Undecodable))
        })
    }

    fn read(&self, object: &Object<'_>) -> Option<Routed> {
        let user = user(object)?;
        let at = object.text(&["last_read_at", "lastReadAt"])?;
        let Some(conversation) = self.of(object) else {
            return Some(Routed::Nobody);
        };
        let newest = self.directory.newest_by(&conversation, rows::moment(&at)?);
        let Some(up_to) = newest else {
            return Some(Routed::Nobody);
        };
        let event = match self.directory.me().as_ref() == Some(&user) {
            true => SessionEvent::ReadMarker { up_to },
            false => SessionEvent::Receipt {
                user,
                up_to,
                read: true,
            },
        };
        Some(Routed::To(conversation, event))
    }

    fn typing(&self, object: &Object<'_>) -> Option<Routed> {
        let user = user(object)?;
        let active = object.flag(&["is_typing", "isTyping"])?;
        let event = SessionEvent::Typing { user, active };
        Some(match self.of(object) {
            Some(conversation) => Routed::To(conversation, event),
            None => Routed::Nobody,
        })
    }

    /// Who is in it by now, and that it has a name. An event may leave the context out: then the
    /// channel goes by the name that it has.
    fn channel(&self, object: &Object<'_>) -> Option<Routed> {
        let channel = rows::channel(object)?;
        if channel.conversation.context.is_some() {
            self.directory.note_channel(&channel);
        }
        let known = self.directory.conversation(&channel.id);
        let id = known.unwrap_or_else(|| channel.conversation.id.clone());
        let event = rows::told(channel, &id);
        Some(Routed::To(id, event))
    }

    fn presence(&self, object: &Object<'_>) -> Option<Routed> {
        user(object)?;
        object.flag(&["online", "isOnline", "is_online"])?;
        let told = rows::presence(object, self.directory.me().as_ref());
        Some(told.map_or(Routed::Nobody, Routed::All))
    }

    fn of(&self, object: &Object<'_>) -> Option<ConversationId> {
        self.place(object, object.id(&["channel_id", "channelId"]).as_deref())
    }

    /// Where a row belongs: its channel is known, or it names its context itself.
    fn place(&self, object: &Object<'_>, channel: Option<&str>) -> Option<ConversationId> {
        let known = channel.and_then(|channel| self.directory.conversation(channel));
        known.or_else(|| {
            let context = crate::domain::conversation::Context {
                kind: object.text(&["context_type", "contextType"])?,
                id: Some(object.id(&["context_id", "contextId"])?),
            };
            rows::named(&context)
        })
    }
}

fn user(object: &Object<'_>) -> Option<UserId> {
    UserId::parse(&object.id(&["user_id", "userId"])?)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{adapters::socketio::SocketIoConfig, domain::time::WallTime};

    fn router() -> ChatRouter {
        let profile = SocketIoConfig::new("http://h").profile().expect("profile");
        let directory = Directory::default();
        directory.i_am(UserId::parse("me"));
        directory.note("c1", &ConversationId::parse("Booking:b1").expect("id"));
        ChatRouter {
            profile: Arc::new(profile),
            directory: Arc::new(directory),
        }
    }

    fn hears(router: &ChatRouter, name: &str, value: Value) -> Routed {
        router.route(name, &Arguments::of([value, json!("an offset")]))
    }

    fn event(routed: Routed) -> SessionEvent {
        match routed {
            Routed::To(conversation, event) => {
                assert_eq!(conversation.as_str(), "Booking:b1");
                event
            }
            other => panic!("for the conversation: {other:?}"),
        }
    }

    fn message(number: u32, sender: &str) -> Value {
        let at = format!("2026-01-01T00:00:0{number}Z");
        json!({ "id": format!("m{number}"), "channel_id": "c1", "sender_id": sender,
                "content": "hi", "created_at": at })
    }

    #[test]
    fn a_message_reaches_the_conversation_of_its_channel() {
        let router = router();
        let SessionEvent::Message(told) = event(hears(&router, "message:new", message(1, "me")))
        else {
            panic!("a message");
        };
        assert!(told.own);
        let stranger = json!({ "id": "m9", "channel_id": "c9", "content": "x" });
        assert_eq!(hears(&router, "message:new", stranger), Routed::Unplaced);
    }

    #[test]
    fn a_deletion_keeps_whose_the_message_was() {
        let router = router();
        hears(&router, "message:new", message(1, "me"));
        let gone = json!({ "id": "m1", "channel_id": "c1", "deleted_at": "2026-01-01T00:00:09Z" });
        let SessionEvent::Message(told) = event(hears(&router, "message:deleted", gone)) else {
            panic!("a message");
        };
        assert!(told.own && told.deleted && told.text.is_empty());
        assert_eq!(
            told.created_at,
            WallTime::parse_rfc3339("2026-01-01T00:00:01Z")
        );
        let unseen = json!({ "id": "m7", "channel_id": "c1" });
        assert_eq!(
            event(hears(&router, "message:deleted", unseen)),
            SessionEvent::Undecodable
        );
    }

    #[test]
    fn a_moment_of_reading_becomes_the_newest_message_written_by_then() {
        let router = router();
        for number in 1..4 {
            hears(&router, "message:new", message(number, "me"));
        }
        let read = |user: &str, at: &str| {
            let value = json!({ "channelId": "c1", "userId": user, "lastReadAt": at });
            hears(&router, "channel:read", value)
        };
        let up_to = MessageId::parse("m2").expect("id");
        assert_eq!(
            event(read("me", "2026-01-01T00:00:02.500Z")),
            SessionEvent::ReadMarker {
                up_to: up_to.clone()
            }
        );
        let user = UserId::parse("u2").expect("id");
        let receipt = SessionEvent::Receipt {
            user,
            up_to,
            read: true,
        };
        assert_eq!(event(read("u2", "2026-01-01T00:00:02Z")), receipt);
        assert_eq!(read("u2", "2025-01-01T00:00:00Z"), Routed::Nobody);
    }

    #[test]
    fn others_come_and_go_and_we_are_here_anyway() {
        let router = router();
        let hears = |user: &str| {
            let value =
                json!({ "user_id": user, "online": false, "last_seen": "2026-01-01T00:00:02Z" });
            hears(&router, "presence", value)
        };
        assert_eq!(hears("me"), Routed::Nobody);
        let told = SessionEvent::Presence {
            user: UserId::parse("u2").expect("id"),
            online: false,
            last_seen: WallTime::parse_rfc3339("2026-01-01T00:00:02Z"),
        };
        assert_eq!(hears("u2"), Routed::All(told));
    }

    #[test]
    fn what_cannot_be_read_asks_the_history_and_what_is_foreign_is_named() {
        let router = router();
        let all = |event| Routed::All(event);
        assert_eq!(
            hears(&router, "message:new", json!("x")),
            all(SessionEvent::Undecodable)
        );
        assert_eq!(
            hears(&router, "message:new", json!({})),
            all(SessionEvent::Undecodable)
        );
        let name = "chat.message.created".to_owned();
        assert_eq!(
            hears(&router, &name, json!({})),
            all(SessionEvent::Unknown { name: name.clone() })
        );
    }
}
