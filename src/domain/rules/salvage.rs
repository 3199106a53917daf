//! A store that begins anew with what was saved of a damaged one.
//!
//! Saved are conversations with their local fields, settings, and everything unsent. What the
//! server knows is read from it again: no row of ours says that it is here already.
//!
//! Every waiting action goes on, and shows what it showed. One whose message could not be saved
//! ends as failed, with its reason in the journal; an edit's text stays with it.

use crate::domain::{
    conversation::Conversation,
    cursor::SyncPosition,
    delivery::{DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId},
    message::{Message, Role},
    order::SortKey,
    outbox::{Action, OutboxEntry},
    ports::{
        Rows,
        chat_repository::{ConversationFilter, RowResult},
    },
    rules::{
        act, binding, changes, conversations,
        editor::{Editor, Note, blank},
    },
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
    /// Unsent actions that could not be saved: both of their copies were damaged, or what they
    /// were about.
    pub lost: u64,
}

/// Whether a setting says something that nobody else knows and that must outlive the store: names
/// of conversations begun here, and which conversations were deleted.
#[must_use]
pub fn is_worth_keeping(setting: &str) -> bool {
    binding::is_name(setting) || conversations::is_tombstone(setting)
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

/// Removes the conversations that were deleted, and gives those that live on under the server's
/// name to that one: commits that said so were lost, and the word of it was not. One that was
/// deleted and in which something unsent waits, or a draft, was taken up again since.
///
/// # Errors
/// The store's.
pub fn forget_gone(rows: &mut dyn Rows) -> RowResult<()> {
    for conversation in rows.conversations(ALL)? {
        let id = &conversation.id;
        if let Some(name) = binding::bound(rows, id)? {
            rename(rows, id, &name)?;
        } else if conversation.draft.is_none()
            && conversations::is_buried(rows, id)?
            && rows.outbox(Some(id))?.is_empty()
        {
            rows.remove_conversation(id)?;
        }
    }
    Ok(())
}

fn rename(rows: &mut dyn Rows, id: &ConversationId, name: &ConversationId) -> RowResult<()> {
    let mut editor = Editor::open(rows, name)?;
    editor.rows().move_rows(id, name)?;
    editor.rows().remove_conversation(id)?;
    editor.recount();
    editor.finish().map(drop)
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
    editor.recount();
    editor.finish().map(drop)
}

/// Ends an action of which it is known that it was settled, and not how: done, or taken back. It
/// is not sent again; should the server have a message, history binds it as it binds what was
/// cancelled.
///
/// # Errors
/// The store's.
pub fn settled_unseen(rows: &mut dyn Rows, id: ClientMessageId) -> RowResult<()> {
    let Some(entry) = rows.outbox_entry(id)? else {
        return Ok(());
    };
    if entry.is_send() {
        return sent_unseen(rows, id);
    }
    let now = entry.accepted_at;
    let mut editor = Editor::open(rows, &entry.conversation)?;
    act::drop_silently(&mut editor, entry.clone(), now)?;
    if entry.action == Action::Complete {
        editor.conversation_mut().completing = false;
    }
    if let Some(message) = entry.action.changes()
        && let Some(row) = editor.rows().message(message)?
        && row.overlay.is_some()
    {
        let text = entry.action.beneath().unwrap_or_default();
        changes::show(&mut editor, &row, text)?;
    }
    editor.finish().map(drop)
}

fn sent_unseen(rows: &mut dyn Rows, id: ClientMessageId) -> RowResult<()> {
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
    changes::follow(&mut editor, &after, at)?;
    editor.finish().map(drop)
}

/// Makes every waiting action show again what it showed. Returns how many could not.
///
/// # Errors
/// The store's.
pub fn complete(rows: &mut dyn Rows) -> RowResult<u64> {
    let mut lost = 0;
    let entries = rows.outbox(None)?;
    let (sends, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(OutboxEntry::is_send);
    for entry in sends {
        match rows.message(entry.id)? {
            None => insert(rows, entry)?,
            // Settled by the database's word: the entry is one that was removed since.
            Some(row) if is_settled(row.state) => rows.remove_outbox(entry.id)?,
            Some(row) => follow(rows, row, entry)?,
        }
    }
    for entry in others {
        lost += u64::from(!show(rows, entry)?);
    }
    Ok(lost)
}

fn insert(rows: &mut dyn Rows, entry: OutboxEntry) -> RowResult<()> {
    let message = row_of(&entry);
    let mut editor = Editor::open(rows, &entry.conversation)?;
    editor.insert(&message)?;
    editor.journal(&message, Note::because(entry.accepted_at, entry.reason))?;
    editor.finish().map(drop)
}

/// The row says what its entry says; a change that lies over it is none of the entry's.
fn follow(rows: &mut dyn Rows, row: Message, entry: OutboxEntry) -> RowResult<()> {
    let text = match row.overlay {
        None => entry.text().to_owned(),
        Some(_) => row.text.clone(),
    };
    let after = Message {
        text,
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

/// Shows what an action other than a message shows while it waits; `false` where that cannot be,
/// and it ended.
fn show(rows: &mut dyn Rows, entry: OutboxEntry) -> RowResult<bool> {
    if !entry.state.is_pending() {
        return Ok(true);
    }
    if let Some(message) = entry.action.changes() {
        return lay(rows, entry, message);
    }
    let mut editor = Editor::open(rows, &entry.conversation)?;
    let mut shown = editor.conversation().clone();
    match &entry.action {
        Action::Create(new) => {
            let server = &mut shown.server;
            server.persona = server.persona.take().or_else(|| new.persona.clone());
            server.context = server.context.take().or_else(|| new.context.clone());
        }
        Action::Complete => shown.completing = true,
        Action::Archive { archived, .. } => shown.archived = *archived,
        _ => {}
    }
    if shown != *editor.conversation() {
        *editor.conversation_mut() = shown;
    }
    editor.finish().map(|_| true)
}

fn lay(rows: &mut dyn Rows, entry: OutboxEntry, message: ClientMessageId) -> RowResult<bool> {
    let row = rows.message(message)?;
    let mut editor = Editor::open(rows, &entry.conversation)?;
    let Some(row) = row else {
        let now = entry.accepted_at;
        act::give_up(&mut editor, entry, not_saved(), now)?;
        return editor.finish().map(|_| false);
    };
    if row.overlay.is_none() {
        let text = entry.action.beneath().unwrap_or_default();
        let shown = changes::show(&mut editor, &row, text)?;
        changes::follow(&mut editor, &shown, entry.accepted_at)?;
    } else {
        changes::follow(&mut editor, &row, entry.accepted_at)?;
    }
    editor.finish().map(|_| true)
}

fn not_saved() -> Reason {
    let text = "the store was damaged, and the message that this changes could not be saved";
    Reason::new("store.not_saved", false, text)
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
        text: entry.text().to_owned(),
        key: SortKey::pending(entry.order),
        state: entry.state,
        attempts: entry.attempt,
        created_at: Some(entry.accepted_at),
        ..blank(entry.id, &entry.conversation)
    }
}

/// Counts what is unsent.
///
/// # Errors
/// The store's.
pub fn count(rows: &mut dyn Rows, kept: &str, lost: u64) -> RowResult<Salvaged> {
    let conversations = rows.conversations(ALL)?;
    let drafts = conversations.iter().filter(|row| row.draft.is_some());
    Ok(Salvaged {
        kept: kept.to_owned(),
        unsent: rows.outbox(None)?.len() as u64,
        drafts: drafts.count() as u64,
        lost,
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
        lost,
    } = salvaged;
    rows.put_setting(WORD, &format!("{unsent} {drafts} {lost} {kept}"))
}

/// The word that was left, if the app was not told yet.
///
/// # Errors
/// The store's.
pub fn word(rows: &mut dyn Rows) -> RowResult<Option<Salvaged>> {
    let word = rows.setting(WORD)?.unwrap_or_default();
    let mut parts = word.splitn(4, ' ');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let (Some(unsent), Some(drafts), Some(lost)) = (next(), next(), next()) else {
        return Ok(None);
    };
    Ok(Some(Salvaged {
        unsent: unsent.parse().unwrap_or_default(),
        drafts: drafts.parse().unwrap_or_default(),
        lost: lost.parse().unwrap_or_default(),
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
