//! A streamed answer on its way to disk.

use std::time::Duration;

use crate::domain::{
    ids::{ClientMessageId, ConversationId, MessageId},
    message::{Completeness, Message, Role},
    order::SortKey,
    ports::{Rows, chat_repository::RowResult},
    rules::editor::{Editor, blank},
    time::WallTime,
};

/// Places between a pending message and the next one.
const PLACES_FOR_ANSWERS: usize = 3;

/// Rows at the end of a conversation in which a late piece's answer is looked for.
const LATELY: usize = 12;

/// The answer as the turn knows it.
#[derive(Clone)]
pub struct AnswerDraft {
    /// Its key, which never changes.
    pub id: ClientMessageId,
    /// Where.
    pub conversation: ConversationId,
    /// The message it answers, where it is ours.
    pub answers: Option<ClientMessageId>,
    /// All text so far.
    pub text: String,
    /// How complete it is.
    pub completeness: Completeness,
    /// Now, shown until the server's time is known.
    pub now: WallTime,
}

impl std::fmt::Debug for AnswerDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerDraft")
            .field("id", &self.id)
            .field("completeness", &self.completeness)
            .finish_non_exhaustive()
    }
}

/// Stores the answer so far. A blank one is never stored; one that the server's own row has
/// replaced meanwhile is left as the server has it.
///
/// # Errors
/// The store's.
pub fn save_answer(rows: &mut dyn Rows, draft: AnswerDraft) -> RowResult<Option<Message>> {
    if draft.text.trim().is_empty() {
        return Ok(None);
    }
    match rows.message(draft.id)? {
        Some(stored) if stored.server_id.is_some() || stored.deleted => Ok(Some(stored)),
        Some(stored) => {
            let after = Message {
                text: draft.text,
                completeness: draft.completeness,
                ..stored.clone()
            };
            if after == stored {
                return Ok(Some(stored));
            }
            let mut editor = Editor::open(rows, &draft.conversation)?;
            let after = editor.update(&stored, after)?;
            editor.finish()?;
            Ok(Some(after))
        }
        None => first_text(rows, draft).map(Some),
    }
}

fn first_text(rows: &mut dyn Rows, draft: AnswerDraft) -> RowResult<Message> {
    let key = place(rows, draft.answers)?;
    let message = Message {
        role: Role::Assistant,
        text: draft.text,
        key,
        answers: draft.answers,
        created_at: Some(draft.now),
        completeness: draft.completeness,
        unread: true,
        ..blank(draft.id, &draft.conversation)
    };
    let mut editor = Editor::open(rows, &draft.conversation)?;
    editor.insert(&message)?;
    editor.finish()?;
    Ok(message)
}

/// The newest answer that ended without an end and has no row of the server's yet, where it began
/// no longer than `patience` ago and no later question of this device's has reached the server: an
/// older one is nobody's to go on with.
///
/// # Errors
/// The store's.
pub fn left_unfinished(
    rows: &mut dyn Rows,
    conversation: &ConversationId,
    now: WallTime,
    patience: Duration,
) -> RowResult<Option<Message>> {
    let open = [Completeness::Streaming, Completeness::Incomplete];
    let recent = |began: WallTime| began <= now && began.until(now) <= patience;
    let unplaced = rows.unplaced(conversation)?;
    let left = unplaced.into_iter().rev().find(|row| {
        !row.own
            && row.server_id.is_none()
            && open.contains(&row.completeness)
            && row.created_at.is_some_and(recent)
    });
    match left {
        Some(row) if !is_followed(rows, &row)? => Ok(Some(row)),
        _ => Ok(None),
    }
}

/// Whether a message accepted here after the answer began, and not its question, is on the server.
/// Keys are made in the order of time; only what was accepted here has a journal.
fn is_followed(rows: &mut dyn Rows, answer: &Message) -> RowResult<bool> {
    let mut page = rows.page(&answer.conversation, None, LATELY, false)?;
    page.retain(|row| row.own && row.state.is_on_server() && row.id > answer.id);
    for row in page
        .into_iter()
        .filter(|row| Some(row.id) != answer.answers)
    {
        if !rows.journal_of(row.id)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The newest answers that the server has told, by their row: pieces of them may still come.
///
/// # Errors
/// The store's.
pub fn told_lately(
    rows: &mut dyn Rows,
    conversation: &ConversationId,
) -> RowResult<Vec<(MessageId, String)>> {
    let mut page = rows.page(conversation, None, LATELY, false)?;
    page.retain(|row| row.role == Role::Assistant);
    let told = |row: Message| Some((row.server_id?, row.text));
    Ok(page.into_iter().filter_map(told).collect())
}

/// Right behind the question while that is unplaced too, else behind all that was accepted.
fn place(rows: &mut dyn Rows, question: Option<ClientMessageId>) -> RowResult<SortKey> {
    if let Some(question) = question
        && let Some(asked) = rows.message(question)?
        && !asked.key.is_server()
        && let Some(key) = place_behind(rows, &asked)?
    {
        return Ok(key);
    }
    Ok(SortKey::pending(rows.next_order()?))
}

/// A free place right behind a question: one that left twice may have seen two answers begin.
pub(super) fn place_behind(rows: &mut dyn Rows, asked: &Message) -> RowResult<Option<SortKey>> {
    let behind = rows.page_after(&asked.conversation, asked.key, PLACES_FOR_ANSWERS + 1)?;
    let places = std::iter::successors(Some(asked.key.answer_to()), |key| Some(key.answer_to()));
    let free = |key: &SortKey| behind.iter().all(|row| row.key != *key);
    Ok(places.take(PLACES_FOR_ANSWERS).find(free))
}
