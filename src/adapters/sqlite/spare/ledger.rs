//! Which rows a transaction changed of those that are kept twice.

use std::collections::BTreeSet;

use super::{super::generic::GenericRow, line::checksum};
use crate::domain::{
    conversation::Conversation,
    ids::{ClientMessageId, ConversationId},
    outbox::OutboxEntry,
    rules::salvage,
    sorted_map::SortedMap,
    sorting::filled,
};

/// What changed since the last look.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) outbox: BTreeSet<ClientMessageId>,
    pub(super) conversations: BTreeSet<String>,
    pub(super) settings: BTreeSet<String>,
}

/// What changed since the last look, and which conversations the spare holds already.
#[derive(Debug, Default)]
pub(in super::super) struct Ledger {
    changed: Changed,
    /// The messages that live actions change: what becomes of them is told with the action's end.
    targets: SortedMap<ClientMessageId, ClientMessageId>,
    /// Conversations in the spare, with the checksum of what is local of them.
    held: SortedMap<String, u32>,
}

impl Ledger {
    pub(in super::super) fn outbox(&mut self, entry: &OutboxEntry) {
        self.changed.outbox.insert(entry.id);
        if let Some(target) = entry.action.changes() {
            self.targets.insert(entry.id, target);
        }
    }

    pub(in super::super) fn left_outbox(&mut self, id: ClientMessageId) {
        self.changed.outbox.insert(id);
    }

    pub(in super::super) fn setting(&mut self, name: &str) {
        if salvage::is_worth_keeping(name) {
            self.changed.settings.insert(name.to_owned());
        }
    }

    /// A conversation is stored with every message that comes; it matters here where what is local
    /// of it is not what the spare holds, or where it has a draft.
    pub(in super::super) fn conversation(&mut self, row: &Conversation) {
        let same = match self.held.get(row.id.as_str()) {
            Some(held) => *held == Local::of(row).sum(),
            None => row.draft.is_none(),
        };
        if !same {
            let id = row.id.as_str().to_owned();
            self.changed.conversations.insert(id);
        }
    }

    pub(in super::super) fn removed(&mut self, id: &ConversationId) {
        self.changed.conversations.insert(id.as_str().to_owned());
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        let Changed {
            outbox,
            conversations,
            settings,
        } = &self.changed;
        outbox.is_empty() && conversations.is_empty() && settings.is_empty()
    }

    /// What changed; the ledger is empty after it.
    pub(super) fn take(&mut self) -> Changed {
        std::mem::take(&mut self.changed)
    }

    /// The message that an action changed, now that it is gone.
    pub(super) fn released(&mut self, action: ClientMessageId) -> Option<ClientMessageId> {
        self.targets.remove(&action)
    }

    /// A live action changes this message.
    pub(super) fn aims(&mut self, action: &[u8], target: &[u8]) {
        let key = |bytes: &[u8]| bytes.try_into().ok().map(ClientMessageId::from_bytes);
        if let Some((action, target)) = key(action).zip(key(target)) {
            self.targets.insert(action, target);
        }
    }

    pub(super) fn knows(&self, conversation: &str) -> bool {
        self.held.contains_key(conversation)
    }

    pub(super) fn wrote(&mut self, conversation: &str, row: &GenericRow) {
        let sum = Local::said(row).sum();
        self.held.insert(conversation.to_owned(), sum);
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
        let held = contents.conversations();
        self.held = filled(held.map(|(id, row)| (id.to_owned(), Local::said(row).sum())));
        let rows = contents.outbox().filter_map(|line| line.row.as_ref());
        for row in rows {
            if let (Some(id), Some(target)) = (row.blob("id"), row.blob("target")) {
                self.aims(id, target);
            }
        }
    }
}

/// What no server has of a conversation.
#[derive(PartialEq)]
pub(in super::super) struct Local<'a> {
    title: Option<&'a str>,
    draft: Option<&'a str>,
    archived: bool,
    completing: bool,
}

impl<'a> Local<'a> {
    fn of(row: &'a Conversation) -> Self {
        Self {
            title: row.title.as_deref(),
            draft: row.draft.as_deref(),
            archived: row.archived,
            completing: row.completing,
        }
    }

    /// The same of a row of the table.
    pub(in super::super) fn said(row: &'a GenericRow) -> Self {
        let flag = |name| row.integer(name) == Some(1);
        Self {
            title: row.text("title"),
            draft: row.text("draft"),
            archived: flag("archived"),
            completing: flag("completing"),
        }
    }

    fn sum(&self) -> u32 {
        let Self {
            title,
            draft,
            archived,
            completing,
        } = self;
        checksum(format!("{title:?} {archived} {completing} {draft:?}").as_bytes())
    }
}
