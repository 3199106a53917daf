//! A store that begins anew with what was saved of a damaged one.
//!
//! Saved are conversations with their local fields, settings, and everything unsent. What the
//! server knows is read from it again: no row of ours says that it is here already.

use crate::domain::{
    conversation::Conversation,
    cursor::SyncPosition,
    delivery::DeliveryState,
    ids::{ClientMessageId, ConversationId},
    message::{Message, Role},
    order::SortKey,
    outbox::OutboxEntry,
    ports::{
        Rows,
        chat_repository::{ConversationFilter, RowResult},
    },
    rules::editor::{Editor, Note, blank},
};

/// Where word is left for the app, until it has been told.
const WORD: &str = "store/salvaged";

/// Every conversation, archived ones too.
const ALL: ConversationFilter = ConversationFilter {
    include_archived: true,
    limit: 0,
};

/// What was saved of a damaged store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// The name under which the damaged file is kept, beside the store; empty where the file was
    /// whole and only lacked commits.
    pub kept: String,
    /// Unsent actions that were saved.
    pub unsent: u64,
    /// Drafts that were saved.
    pub drafts: u64,
}

/// Lets every conversation begin at nothing known: what counts and cursors speak of is not here.
///
/// # Errors
/// The store's.
pub fn begin_anew(rows: &mut dyn Rows) -> RowResult<()> {
    for conversation in rows.conversations(ALL)? {
        let kept = rows.page(&conversation.id, None, usize::MAX, true)?;
        rows.put_conversation(&Conversation {
            last_message: None,
            unread: 0,
            stored: kept.len() as u64,
            read_to: None,
            sync: SyncPosition::default(),
            version: conversation.version + 1,
            ..conversation
        })?;
    }
    Ok(())
}

/// Finds the newest message of a conversation anew, for rows were put back.
///
/// # Errors
/// The store's.
pub fn look_again(rows: &mut dyn Rows, conversation: &str) -> RowResult<()> {
    let Some(id) = ConversationId::parse(conversation) else {
        return Ok(());
    };
    if rows.conversation(&id)?.is_none() {
        return Ok(());
    }
    let mut editor = Editor::open(rows, &id)?;
    editor.look_again();
    editor.finish().map(drop)
}

/// Ends an action of which it is known that it was settled, and not how: sent, or taken back. It is
/// not sent again; should the server have it, history binds it as it binds what was cancelled.
///
/// # Errors
/// The store's.
pub fn settled_unseen(rows: &mut dyn Rows, id: ClientMessageId) -> RowResult<()> {
    rows.remove_outbox(id)?;
    let Some(row) = rows.message(id)? else {
        return Ok(());
    };
    if is_settled(row.state) {
        return Ok(());
    }
    let after = Message {
        state: DeliveryState::Cancelled,
        attempts: row.attempts.max(1),
        ..row.clone()
    };
    let at = row.created_at.unwrap_or_default();
    let mut editor = Editor::open(rows, &row.conversation)?;
    let after = editor.update(&row, after)?;
    editor.journal(&after, Note::at(at))?;
    editor.finish().map(drop)
}

/// Gives every unsent message its row again, as the entry has it.
///
/// # Errors
/// The store's.
pub fn complete(rows: &mut dyn Rows) -> RowResult<()> {
    for entry in rows.outbox(None)? {
        match rows.message(entry.message)? {
            None => insert(rows, entry)?,
            // Settled by the database's word: the entry is one that was removed since.
            Some(row) if is_settled(row.state) => rows.remove_outbox(entry.message)?,
            Some(row) => follow(rows, row, entry)?,
        }
    }
    Ok(())
}

fn insert(rows: &mut dyn Rows, entry: OutboxEntry) -> RowResult<()> {
    let message = row_of(&entry);
    let mut editor = Editor::open(rows, &entry.conversation)?;
    editor.insert(&message)?;
    editor.journal(&message, Note::because(entry.accepted_at, entry.reason))?;
    editor.finish().map(drop)
}

/// The row says what its entry says.
fn follow(rows: &mut dyn Rows, row: Message, entry: OutboxEntry) -> RowResult<()> {
    let after = Message {
        text: entry.text,
        state: entry.state,
        attempts: entry.attempt.max(row.attempts),
        ..row.clone()
    };
    if after == row {
        return Ok(());
    }
    let mut editor = Editor::open(rows, &entry.conversation)?;
    let after = editor.update(&row, after)?;
    editor.journal(&after, Note::because(entry.accepted_at, entry.reason))?;
    editor.finish().map(drop)
}

const fn is_settled(state: DeliveryState) -> bool {
    match state {
        DeliveryState::Queued
        | DeliveryState::Sending
        | DeliveryState::Uncertain
        | DeliveryState::Failed => false,
        DeliveryState::Sent
        | DeliveryState::Delivered
        | DeliveryState::Read
        | DeliveryState::Cancelled => true,
    }
}

fn row_of(entry: &OutboxEntry) -> Message {
    Message {
        role: Role::User,
        own: true,
        text: entry.text.clone(),
        key: SortKey::pending(entry.order),
        state: entry.state,
        attempts: entry.attempt,
        created_at: Some(entry.accepted_at),
        ..blank(entry.message, &entry.conversation)
    }
}

/// Counts what is unsent.
///
/// # Errors
/// The store's.
pub fn count(rows: &mut dyn Rows, kept: &str) -> RowResult<Salvaged> {
    let conversations = rows.conversations(ALL)?;
    let drafts = conversations.iter().filter(|row| row.draft.is_some());
    Ok(Salvaged {
        kept: kept.to_owned(),
        unsent: rows.outbox(None)?.len() as u64,
        drafts: drafts.count() as u64,
    })
}

/// Leaves word for the app; it is told once, even if that is in a later process.
///
/// # Errors
/// The store's.
pub fn leave_word(rows: &mut dyn Rows, salvaged: &Salvaged) -> RowResult<()> {
    let Salvaged {
        kept,
        unsent,
        drafts,
    } = salvaged;
    rows.put_setting(WORD, &format!("{unsent} {drafts} {kept}"))
}

/// The word that was left, if the app was not told yet.
///
/// # Errors
/// The store's.
pub fn word(rows: &mut dyn Rows) -> RowResult<Option<Salvaged>> {
    let word = rows.setting(WORD)?.unwrap_or_default();
    let mut parts = word.splitn(3, ' ');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let (Some(unsent), Some(drafts)) = (next(), next()) else {
        return Ok(None);
    };
    Ok(Some(Salvaged {
        unsent: unsent.parse().unwrap_or_default(),
        drafts: drafts.parse().unwrap_or_default(),
        kept: next().unwrap_or_default().to_owned(),
    }))
}

/// The app was told.
///
/// # Errors
/// The store's.
pub fn told(rows: &mut dyn Rows) -> RowResult<()> {
    rows.put_setting(WORD, "")
}
