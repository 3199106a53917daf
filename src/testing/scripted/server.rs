//! What the scripted server keeps, and what a good server does with it.

use std::{collections::BTreeMap, time::Duration};

use super::server_message;
use crate::domain::{
    conversation::{ServerConversation, Status},
    cursor::{ChangeMark, HistoryRange, SyncCursor},
    ids::{ClientMessageId, ConversationId, MessageId},
    message::{Role, ServerMessage},
    ports::{HistoryPage, Outgoing},
    retry::{FailureKind, Outcome, RetryClass, ServiceError},
};

/// A page after a cursor begins this many known rows before it.
const OVERLAP: usize = 2;

#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) knows_keys: bool,
    pub(super) knows_creations: bool,
    creations: BTreeMap<ClientMessageId, ConversationId>,
    chats: BTreeMap<ConversationId, Chat>,
    /// Requests that take effect later than their callers wait.
    late: Vec<(Duration, Outgoing)>,
    messages: usize,
    created: usize,
}

#[derive(Debug)]
struct Chat {
    conversation: ServerConversation,
    rows: Vec<ServerMessage>,
    /// How many of them, and which, the account has read.
    read: Option<(usize, MessageId)>,
}

impl Chat {
    /// As the list tells of it: with a mark that every change of a row changes.
    fn listed(&self) -> ServerConversation {
        let revisions: u64 = self.rows.iter().map(|row| row.revision + 1).sum();
        let deleted = self.rows.iter().filter(|row| row.deleted).count();
        let mark = format!("{} {revisions} {deleted}", self.rows.len());
        ServerConversation {
            mark: Some(ChangeMark::new(mark)),
            ..self.conversation.clone()
        }
    }
}

impl Server {
    pub(super) fn insert(&mut self, conversation: ServerConversation) {
        let rows = Vec::new();
        let id = conversation.id.clone();
        let read = None;
        let chat = Chat {
            conversation,
            rows,
            read,
        };
        self.chats.insert(id, chat);
    }

    /// A conversation nobody asked for before; the same again for a key that is known.
    pub(super) fn create(
        &mut self,
        mut conversation: ServerConversation,
        key: Option<ClientMessageId>,
    ) -> ServerConversation {
        let key = key.filter(|_| self.knows_creations);
        let known = key.and_then(|key| self.creations.get(&key));
        if let Some(chat) = known.and_then(|id| self.chats.get(id)) {
            return chat.conversation.clone();
        }
        self.created += 1;
        let name = format!("new{}", self.created);
        if let Some(id) = ConversationId::parse(&name) {
            conversation.id = id;
        }
        self.insert(conversation.clone());
        if let Some(key) = key {
            self.creations.insert(key, conversation.id.clone());
        }
        conversation
    }

    pub(super) fn change(
        &mut self,
        id: &ConversationId,
        message: &MessageId,
        text: &str,
    ) -> Result<ServerMessage, ServiceError> {
        let rows = &mut self.chat(id)?.rows;
        let row = rows.iter_mut().find(|row| row.id == *message);
        let row = row.filter(|row| !row.deleted).ok_or_else(gone)?;
        row.text = text.to_owned();
        row.revision += 1;
        Ok(row.clone())
    }

    /// The marker only moves forward.
    pub(super) fn mark_read(
        &mut self,
        id: &ConversationId,
        up_to: &MessageId,
    ) -> Result<(), ServiceError> {
        let chat = self.chat(id)?;
        let at = chat.rows.iter().position(|row| row.id == *up_to);
        let mark = (at.ok_or_else(gone)?, up_to.clone());
        if chat.read.as_ref().is_none_or(|read| read.0 < mark.0) {
            chat.read = Some(mark);
        }
        Ok(())
    }

    pub(super) fn read_to(&mut self, id: &ConversationId) -> Option<MessageId> {
        let read = self.chat(id).ok()?.read.as_ref();
        read.map(|(_, message)| message.clone())
    }

    pub(super) fn archive(
        &mut self,
        id: &ConversationId,
        archived: bool,
    ) -> Result<(), ServiceError> {
        let word = if archived { "archived" } else { "active" };
        self.conversation(id)?.status = Some(Status::new(word));
        Ok(())
    }

    pub(super) fn remove(&mut self, id: &ConversationId) {
        self.chats.remove(id);
    }

    pub(super) fn conversations(&self) -> Vec<ConversationId> {
        self.chats.keys().cloned().collect()
    }

    pub(super) fn list(&self) -> Vec<ServerConversation> {
        self.chats.values().map(Chat::listed).collect()
    }

    pub(super) fn conversation(
        &mut self,
        id: &ConversationId,
    ) -> Result<&mut ServerConversation, ServiceError> {
        Ok(&mut self.chat(id)?.conversation)
    }

    pub(super) fn complete(
        &mut self,
        id: &ConversationId,
    ) -> Result<ServerConversation, ServiceError> {
        let conversation = self.conversation(id)?;
        conversation.status = Some(Status::new("completed"));
        Ok(conversation.clone())
    }

    fn chat(&mut self, id: &ConversationId) -> Result<&mut Chat, ServiceError> {
        self.chats.get_mut(id).ok_or_else(gone)
    }

    /// The rows of a conversation, which begins to exist if it did not.
    pub(super) fn rows_mut(&mut self, id: &ConversationId) -> &mut Vec<ServerMessage> {
        let chat = self.chats.entry(id.clone()).or_insert_with(|| Chat {
            conversation: ServerConversation::bare(id.clone()),
            rows: Vec::new(),
            read: None,
        });
        &mut chat.rows
    }

    pub(super) fn append(&mut self, id: &ConversationId, role: Role, text: &str) -> ServerMessage {
        self.messages += 1;
        let row = server_message(&format!("m{}", self.messages), role, text);
        self.rows_mut(id).push(row.clone());
        row
    }

    /// Takes a message in, once where keys are known.
    pub(super) fn take(&mut self, outgoing: &Outgoing) -> Result<ServerMessage, ServiceError> {
        let knows_keys = self.knows_keys;
        let rows = &self.chat(&outgoing.conversation)?.rows;
        let known = |row: &&ServerMessage| row.client_id == Some(outgoing.id);
        if let Some(row) = rows.iter().find(known) {
            return Ok(row.clone());
        }
        let mut row = self.append(&outgoing.conversation, Role::User, &outgoing.text);
        if knows_keys {
            row.client_id = Some(outgoing.id);
            if let Some(stored) = self.rows_mut(&outgoing.conversation).last_mut() {
                *stored = row.clone();
            }
        }
        Ok(row)
    }

    pub(super) fn take_later(&mut self, at: Duration, outgoing: Outgoing) {
        self.late.push((at, outgoing));
    }

    /// Takes in what is due by now.
    pub(super) fn settle(&mut self, now: Duration) {
        let (due, later) = self.late.drain(..).partition(|(at, _)| *at <= now);
        self.late = later;
        let due: Vec<(Duration, Outgoing)> = due;
        for (_, outgoing) in due {
            let _ = self.take(&outgoing);
        }
    }

    pub(super) fn delete(
        &mut self,
        id: &ConversationId,
        message: &MessageId,
    ) -> Result<(), ServiceError> {
        self.chat(id)?.rows.retain(|row| row.id != *message);
        Ok(())
    }

    pub(super) fn page(
        &mut self,
        id: &ConversationId,
        range: &HistoryRange,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        let rows = &self.chat(id)?.rows;
        let (from, to) = match range {
            HistoryRange::Newest => (rows.len().saturating_sub(limit), rows.len()),
            HistoryRange::After(cursor) => {
                let from = place(cursor, rows.len())?.saturating_sub(OVERLAP);
                (from, rows.len().min(from + limit))
            }
            HistoryRange::Before(cursor) | HistoryRange::Tail(cursor) => {
                let to = place(cursor, rows.len())?;
                (to.saturating_sub(limit), to)
            }
        };
        Ok(HistoryPage {
            messages: rows[from..to].to_vec(),
            older: (from > 0).then(|| SyncCursor::new(from.to_string())),
            newer: SyncCursor::new(to.to_string()),
            more: to < rows.len(),
            tail: (to < rows.len()).then(|| SyncCursor::new(rows.len().to_string())),
            changed: Vec::new(),
            skipped: 0,
        })
    }
}

fn gone() -> ServiceError {
    let (never, not) = (RetryClass::Never, Outcome::NotApplied);
    ServiceError::new(FailureKind::NotFound, never, not, "there is no such thing")
}

fn place(cursor: &SyncCursor, length: usize) -> Result<usize, ServiceError> {
    let place = cursor.as_str().parse().ok();
    place.filter(|place| *place <= length).ok_or_else(|| {
        let (never, not) = (RetryClass::Never, Outcome::NotApplied);
        let text = "the history is shorter than that";
        ServiceError::new(FailureKind::CursorRefused, never, not, text)
    })
}
