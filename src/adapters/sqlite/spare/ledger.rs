//! Which rows a transaction changed of those that are kept twice.

use std::collections::{BTreeMap, BTreeSet};

use super::line::checksum;
use crate::domain::{
    conversation::Conversation,
    ids::{ClientMessageId, ConversationId},
};

/// Keys of unsent actions, and ids of conversations.
type Changed = (BTreeSet<[u8; 16]>, BTreeSet<String>);

/// What changed since the last look, and which conversations the spare holds already.
#[derive(Debug, Default)]
pub(in super::super) struct Ledger {
    outbox: BTreeSet<[u8; 16]>,
    conversations: BTreeSet<String>,
    /// Conversations in the spare, with the checksum of their draft.
    held: BTreeMap<String, Option<u32>>,
}

impl Ledger {
    pub(in super::super) fn outbox(&mut self, id: ClientMessageId) {
        self.outbox.insert(*id.as_bytes());
    }

    /// A conversation is stored with every message that comes; it matters here where its draft
    /// is not the one that the spare holds.
    pub(in super::super) fn conversation(&mut self, row: &Conversation) {
        let draft = row.draft.as_deref();
        let held = self.held.get(row.id.as_str());
        let same = match held {
            Some(held) => *held == sum(draft),
            None => draft.is_none(),
        };
        if !same {
            self.conversations.insert(row.id.as_str().to_owned());
        }
    }

    pub(in super::super) fn removed(&mut self, id: &ConversationId) {
        self.conversations.insert(id.as_str().to_owned());
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.outbox.is_empty() && self.conversations.is_empty()
    }

    /// What changed; the ledger is empty after it.
    pub(super) fn take(&mut self) -> Changed {
        (
            std::mem::take(&mut self.outbox),
            std::mem::take(&mut self.conversations),
        )
    }

    pub(super) fn knows(&self, conversation: &str) -> bool {
        self.held.contains_key(conversation)
    }

    pub(super) fn wrote(&mut self, conversation: &str, draft: Option<&str>) {
        self.held.insert(conversation.to_owned(), sum(draft));
    }

    pub(super) fn lost(&mut self, conversation: &str) {
        self.held.remove(conversation);
    }

    /// As if the spare were empty, and nothing had changed.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Learns anew what the spare holds, for another process wrote into it.
    pub(in super::super) fn learn(&mut self, contents: &super::Contents) {
        self.held = contents
            .conversations()
            .map(|(id, draft)| (id.to_owned(), sum(draft)))
            .collect();
    }
}

fn sum(draft: Option<&str>) -> Option<u32> {
    draft.map(|draft| checksum(draft.as_bytes()))
}
