//! Which question an answer belongs to, and which questions a page answers.
//!
//! A stream names no question: a row that streamed in is taken for the answer of what was asked
//! last. The server's history does not say either, but it has an order, and an answer stands behind
//! its question. A guess that the order contradicts is given up, and what is not known is not said.

use crate::domain::{
    ids::ClientMessageId,
    message::Message,
    order::SortKey,
    ports::{Rows, chat_repository::RowResult},
    rules::{
        editor::Editor,
        merge::{Merged, Placement, Slot},
    },
};

/// Rows that are read at once: mostly none stand between where a question left and its place.
const AT_ONCE: usize = 16;

/// How often that many are read. Where a long queue left in a moment, every question of it left below
/// the same row, and to look at all of them for each would take for ever.
const ROUNDS: usize = 8;

/// Rows above a question that are looked at where nothing tells how far above it left.
const NEAREST: usize = 64;

/// Gives up the guesses that the order of the page contradicts.
pub(super) fn believe(
    editor: &mut Editor<'_>,
    slots: &mut [Slot<'_>],
    keys: &[Option<SortKey>],
) -> RowResult<()> {
    let ids: Vec<_> = slots.iter().map(|slot| id_of(slot)).collect();
    for (at, slot) in slots.iter_mut().enumerate() {
        let Some(question) = slot.answers else {
            continue;
        };
        let place = key(keys, at);
        let contradicted = match ids.iter().position(|id| *id == Some(question)) {
            // Rows that were pushed come as they please; where all are placed, places tell.
            Some(asked) => match (place, key(keys, asked)) {
                (Some(place), Some(asked)) => place < asked,
                _ => asked > at,
            },
            None => is_above(editor.rows(), place, question)?,
        };
        if contradicted {
            slot.answers = None;
        }
    }
    Ok(())
}

fn key(keys: &[Option<SortKey>], at: usize) -> Option<SortKey> {
    keys.get(at).copied().flatten()
}

fn id_of(slot: &Slot<'_>) -> Option<ClientMessageId> {
    slot.row.as_ref().map(|row| row.id)
}

/// Whether the place is above that of the question, as far as both are known.
fn is_above(
    rows: &mut dyn Rows,
    place: Option<SortKey>,
    question: ClientMessageId,
) -> RowResult<bool> {
    let Some(place) = place else {
        return Ok(false);
    };
    let asked = rows.message(question)?;
    Ok(asked.is_some_and(|asked| asked.key.is_server() && place < asked.key))
}

/// A question that has got its place now: what stands above it is not its answer. What was taken for
/// it streamed in after it left, so its row is not above what was the newest then; where nothing was
/// read before, it is among the nearest.
pub(super) fn disown_above(editor: &mut Editor<'_>, question: &Message) -> RowResult<()> {
    let id = question.conversation.clone();
    let mut from = match question.left_above {
        Some(newest) => newest,
        None => nearest(editor.rows(), question)?,
    };
    for _ in 0..ROUNDS {
        let mut rows = editor.rows().page_after(&id, from, AT_ONCE)?;
        rows.retain(|row| row.key < question.key);
        let is_last = rows.len() < AT_ONCE;
        let Some(last) = rows.last().map(|row| row.key) else {
            break;
        };
        let mistaken = |row: &Message| row.answers == Some(question.id) && row.server_id.is_some();
        for row in rows.into_iter().filter(mistaken) {
            let answers = None;
            editor.update(&row.clone(), Message { answers, ..row })?;
        }
        if is_last {
            break;
        }
        from = last;
    }
    Ok(())
}

/// Above the nearest rows above a question.
fn nearest(rows: &mut dyn Rows, question: &Message) -> RowResult<SortKey> {
    let near = rows.page(&question.conversation, Some(question.key), NEAREST, true)?;
    let is_all = near.len() < NEAREST;
    let first = near.first().filter(|_| !is_all);
    Ok(first.map_or(SortKey::from_i64(i64::MIN), |row| row.key))
}

/// A question is answered by the row that is taken for its answer, else by the next row of
/// another's; an answer to an earlier question may be stored only behind a later one.
pub(super) fn note_answered(
    editor: &mut Editor<'_>,
    slots: &[Slot<'_>],
    keys: &[Option<SortKey>],
    placement: Placement,
    merged: &mut Merged,
) -> RowResult<()> {
    let before = question_before(editor, placement, key(keys, 0))?;
    let mut asked: Vec<_> = before.into_iter().collect();
    for slot in slots {
        if slot.said.own {
            asked.extend(id_of(slot));
            continue;
        }
        if let Some(question) = slot.answers.or_else(|| asked.last().copied()) {
            asked.retain(|id| *id != question);
            merged.answered.push(question);
        }
    }
    merged.ends_with_other = slots.last().is_some_and(|slot| !slot.said.own);
    Ok(())
}

/// The question that the page goes on from: where the answer comes in a page of its own, as it
/// does wherever the history is polled faster than it grows.
fn question_before(
    editor: &mut Editor<'_>,
    placement: Placement,
    first: Option<SortKey>,
) -> RowResult<Option<ClientMessageId>> {
    let Some(first) = first.filter(|_| placement == Placement::Newer) else {
        return Ok(None);
    };
    let id = editor.conversation().id.clone();
    let before = editor.rows().page(&id, Some(first), 1, false)?.pop();
    let question = before.filter(|row| row.own && row.gap.is_none());
    Ok(question.map(|row| row.id))
}
