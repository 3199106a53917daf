//! Where an answer stays that the server gave up: behind its question, as it was shown.
//!
//! Such an answer gets no place from the server, and rows without a place stand below all that
//! have one. While the server may still store it, that is right: its place is not known. Once the
//! answer of a later turn has a place, a server that answers in order has given this one up.

use crate::domain::{
    ids::{ClientMessageId, ConversationId},
    message::{Completeness, Message},
    order::SortKey,
    plant::planted,
    ports::{Rows, chat_repository::RowResult},
    rules::{answer::place_behind, editor::Editor, partial::is_partial},
};

/// Placed rows behind a question in which a later turn is looked for; behind so many there is one.
const A_TURN: usize = 32;

/// Gives every answer that was given up the place behind its question.
pub(super) fn settle_down(editor: &mut Editor<'_>) -> RowResult<()> {
    if planted("given-up-sinks") {
        return Ok(());
    }
    let id = editor.conversation().id.clone();
    let over = |row: &Message| is_partial(row) && row.completeness != Completeness::Streaming;
    let waiting = editor.rows().unplaced(&id)?;
    for row in waiting.into_iter().filter(over) {
        let Some(asked) = placed_question(editor.rows(), row.answers)? else {
            continue;
        };
        if let Some(key) = place_behind(editor.rows(), &asked)?
            && later_turn_answered(editor.rows(), &asked)?
        {
            editor.update(&row.clone(), Message { key, ..row })?;
        }
    }
    Ok(())
}

/// Answers that have such a place: should the server store one after all, its row is known.
pub(super) fn settled(
    rows: &mut dyn Rows,
    conversation: &ConversationId,
) -> RowResult<Vec<Message>> {
    let placed = Some(SortKey::pending(0));
    let mut page = rows.page(conversation, placed, A_TURN, false)?;
    page.retain(is_partial);
    Ok(page)
}

fn placed_question(
    rows: &mut dyn Rows,
    question: Option<ClientMessageId>,
) -> RowResult<Option<Message>> {
    let Some(question) = question else {
        return Ok(None);
    };
    Ok(rows.message(question)?.filter(|row| row.key.is_server()))
}

fn later_turn_answered(rows: &mut dyn Rows, asked: &Message) -> RowResult<bool> {
    let mut behind = rows.page_after(&asked.conversation, asked.key, A_TURN)?;
    // What waits for its place proves nothing: the answer may be among what was not read yet.
    behind.retain(|row| row.key.is_server());
    // Beyond a gap nothing is known of the turns between.
    if asked.gap.is_some() {
        return Ok(false);
    }
    if let Some(end) = behind.iter().position(|row| row.gap.is_some()) {
        behind.truncate(end + 1);
    }
    let mut later = behind
        .iter()
        .filter(|row| row.server_id.is_some())
        .skip_while(|row| !row.own);
    Ok(behind.len() == A_TURN || later.any(|row| !row.own))
}
