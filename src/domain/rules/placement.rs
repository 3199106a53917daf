//! Where a run of newly placed rows goes between the neighbours the server's history gives it.

use crate::domain::{
    ids::ConversationId,
    message::Message,
    order::{SPACING, SortKey},
    ports::chat_repository::RowResult,
    rules::{editor::Editor, merge::Placement},
};

/// Keys for `count` rows that stand between two already placed rows of the same page.
///
/// # Errors
/// The store's.
pub(super) fn keys_between(
    editor: &mut Editor<'_>,
    left: Option<SortKey>,
    right: Option<SortKey>,
    count: usize,
    placement: Placement,
) -> RowResult<Vec<SortKey>> {
    let id = editor.conversation().id.clone();
    let rows = editor.rows();
    let (below, above) = match (left, right) {
        (Some(left), _) => (Some(left), rows.server_key_above(&id, Some(left))?),
        (None, Some(right)) => (rows.server_key_below(&id, Some(right))?, Some(right)),
        (None, None) if placement == Placement::Older => (None, rows.server_key_above(&id, None)?),
        (None, None) if let Placement::Gap(below) = placement => {
            (Some(below), rows.server_key_above(&id, Some(below))?)
        }
        (None, None) => (rows.server_key_below(&id, None)?, None),
    };
    fresh(editor, below, above, count)
}

/// Keys for rows that go right behind a placed one (before all, where `None`): the places they had
/// elsewhere, which ascend, where these lie there.
///
/// # Errors
/// The store's.
pub(super) fn keys_for(
    editor: &mut Editor<'_>,
    below: Option<SortKey>,
    wanted: &[SortKey],
) -> RowResult<Vec<SortKey>> {
    let id = editor.conversation().id.clone();
    let above = editor.rows().server_key_above(&id, below)?;
    let fits = |key: &SortKey| {
        below.is_none_or(|below| below < *key) && above.is_none_or(|above| *key < above)
    };
    if wanted.first().is_some_and(fits) && wanted.last().is_some_and(fits) {
        return Ok(wanted.to_vec());
    }
    fresh(editor, below, above, wanted.len())
}

fn fresh(
    editor: &mut Editor<'_>,
    below: Option<SortKey>,
    above: Option<SortKey>,
    count: usize,
) -> RowResult<Vec<SortKey>> {
    if let Some(keys) = SortKey::between(below, above, count) {
        return Ok(keys);
    }
    let id = editor.conversation().id.clone();
    make_room(editor, &id, below, count)?;
    let above = editor.rows().server_key_above(&id, below)?;
    Ok(SortKey::between(below, above, count).unwrap_or_default())
}

/// Moves everything above a key up, so that `count` rows fit; nobody changes sides.
///
/// Needed only after some twenty discoveries between the same two neighbours.
fn make_room(
    editor: &mut Editor<'_>,
    id: &ConversationId,
    below: Option<SortKey>,
    count: usize,
) -> RowResult<()> {
    let from = below.unwrap_or(SortKey::from_i64(i64::MIN));
    let shift = SPACING.saturating_mul(i64::try_from(count).unwrap_or(1) + 1);
    let mut above = editor.rows().page_after(id, from, usize::MAX >> 1)?;
    above.retain(|row| row.key.is_server());
    for row in above.into_iter().rev() {
        let key = SortKey::from_i64(row.key.as_i64().saturating_add(shift));
        editor.update(&row.clone(), Message { key, ..row })?;
    }
    Ok(())
}
