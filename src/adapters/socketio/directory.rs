//! What was learned of the server's names: which channel is which conversation, and of the messages
//! seen lately whose they are and when they were written.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::rows::{self, Channel, Row};
use crate::domain::{
    ids::{ConversationId, MessageId, UserId},
    message::ServerMessage,
    time::WallTime,
};

/// How many messages are remembered: some screens of each conversation in use.
const MOST_SEEN: usize = 4096;

/// A message that was seen.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) conversation: ConversationId,
    pub(super) moment: Option<String>,
    message: ServerMessage,
}

impl Seen {
    /// What the message is now that it was taken back.
    pub(super) fn tombstone(&self) -> ServerMessage {
        ServerMessage {
            text: String::new(),
            deleted: true,
            revision: self.message.revision.max(1),
            ..self.message.clone()
        }
    }
}

#[derive(Default)]
struct Learned {
    channels: BTreeMap<ConversationId, String>,
    conversations: BTreeMap<String, ConversationId>,
    seen: BTreeMap<MessageId, Seen>,
    order: VecDeque<MessageId>,
    me: Option<UserId>,
}

/// What was learned.
#[derive(Default)]
pub(super) struct Directory(Mutex<Learned>);

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory")
    }
}

impl Directory {
    /// Notes which account this is.
    pub(super) fn i_am(&self, me: Option<UserId>) {
        if let Some(me) = me {
            self.learned().me = Some(me);
        }
    }

    pub(super) fn me(&self) -> Option<UserId> {
        self.learned().me.clone()
    }

    /// Notes a channel.
    pub(super) fn note_channel(&self, channel: &Channel) {
        self.note(&channel.id, &channel.conversation.id);
    }

    /// Notes that a channel belongs to a conversation.
    pub(super) fn note(&self, channel: &str, conversation: &ConversationId) {
        let mut learned = self.learned();
        learned
            .channels
            .insert(conversation.clone(), channel.to_owned());
        learned
            .conversations
            .insert(channel.to_owned(), conversation.clone());
    }

    /// The server's name for a conversation, where it has one by now.
    pub(super) fn channel(&self, conversation: &ConversationId) -> Option<String> {
        let bare = rows::bare_channel(conversation).map(str::to_owned);
        bare.or_else(|| self.learned().channels.get(conversation).cloned())
    }

    pub(super) fn conversation(&self, channel: &str) -> Option<ConversationId> {
        self.learned().conversations.get(channel).cloned()
    }

    /// Remembers a row, and forgets the oldest beyond the bound.
    pub(super) fn see(&self, conversation: &ConversationId, row: &Row) {
        let mut learned = self.learned();
        let id = row.message.id.clone();
        let seen = Seen {
            conversation: conversation.clone(),
            moment: row.moment.clone(),
            message: ServerMessage {
                text: String::new(),
                ..row.message.clone()
            },
        };
        if learned.seen.insert(id.clone(), seen).is_none() {
            learned.order.push_back(id);
        }
        if learned.order.len() > MOST_SEEN
            && let Some(oldest) = learned.order.pop_front()
        {
            learned.seen.remove(&oldest);
        }
    }

    pub(super) fn seen(&self, id: &MessageId) -> Option<Seen> {
        self.learned().seen.get(id).cloned()
    }

    /// The newest message seen of a conversation that was written by then.
    pub(super) fn newest_by(
        &self,
        conversation: &ConversationId,
        at: WallTime,
    ) -> Option<MessageId> {
        let learned = self.learned();
        let of = |seen: &Seen| &seen.conversation == conversation;
        let written = learned.seen.values().filter(|seen| of(seen));
        let written = written.filter_map(|seen| Some((seen.message.created_at?, &seen.message.id)));
        let newest = written.filter(|(when, _)| *when <= at).max();
        newest.map(|(_, id)| id.clone())
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
