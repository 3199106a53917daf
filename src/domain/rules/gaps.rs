//! Gaps: what is known to be missing between stored rows, and what a page proves of it.
//!
//! A gap stands on the row below the hole. Neighbours of one page have nothing between them, so a
//! page takes away the marks inside it; its ends carry them over:
//!
//! | page | at its first row, if that is new | at its last row, if that is new |
//! |---|---|---|
//! | newest, tail | the row below it is marked, a backward read goes on here | nothing is missing |
//! | before a gap | the same; a page that reaches the gap's row closes it | it met the hole's upper edge |
//! | forward | it continues what was read | a gap that it came from below into goes on behind it |
//!
//! Pushed rows prove nothing of their neighbours, unless they are numbered: then a number left
//! out is a hole, to be filled by the next forward read.

use crate::domain::{
    cursor::{ChangeMark, Gap, HistoryRange, SyncCursor, SyncPosition},
    ids::{ClientMessageId, ConversationId},
    message::{Message, ServerMessage},
    order::SortKey,
    plant::planted,
    ports::{HistoryPage, Rows, chat_repository::RowResult},
    rules::{
        conversations,
        editor::Editor,
        merge::{self, Merge, Merged, Placement, Slot},
    },
    sorting::sort_by_key,
    time::WallTime,
};

/// What a page of history proves beyond its rows.
#[derive(Debug)]
pub struct Proof<'a> {
    /// What was asked for.
    pub range: &'a HistoryRange,
    /// Where a read before it goes on.
    pub older: Option<&'a SyncCursor>,
    /// Whether there is more behind it.
    pub more: bool,
    /// The row below the gap that it was read for.
    pub fills: Option<ClientMessageId>,
}

/// A page to be stored.
#[derive(Debug)]
pub struct Page<'a> {
    /// What was asked for.
    pub range: &'a HistoryRange,
    /// What came.
    pub page: &'a HistoryPage,
    /// What the list said of the conversation before it was asked for its news.
    pub listed: Option<&'a ChangeMark>,
    /// Now.
    pub now: WallTime,
}

/// What storing a page led to.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// What the merge did.
    pub merged: Merged,
    /// Where the stored history ends now.
    pub position: SyncPosition,
    /// The newest gap: a read before this goes on filling it.
    pub gap: Option<SyncCursor>,
    /// Where the newest page ends, if it may be read before what lies between.
    pub tail: Option<SyncCursor>,
}

/// Stores a page together with the position it moves and the gaps it opens, moves or closes.
///
/// A page that was asked for when the store was in another state, and hangs on nothing in it, is
/// void: the position says so by not moving.
///
/// # Errors
/// The store's.
pub fn store_page(
    rows: &mut dyn Rows,
    id: &ConversationId,
    read: &Page<'_>,
    mint: &mut dyn FnMut() -> ClientMessageId,
) -> RowResult<Stored> {
    if conversations::is_buried(rows, id)? {
        return Ok(Stored::default());
    }
    let mut editor = Editor::open(rows, id)?;
    let Some(aim) = Aim::of(&mut editor, read)? else {
        return finish(editor, Merged::default(), None);
    };
    let messages = &read.page.messages;
    let messages = messages.get(..aim.length).unwrap_or(messages);
    let first_read = editor.conversation().sync.newest.is_none();
    let proof = Proof {
        range: read.range,
        older: read.page.older.as_ref(),
        more: read.page.more,
        fills: aim.gap.as_ref().map(|row| row.id),
    };
    let request = Merge {
        page: messages,
        placement: aim.placement,
        proof: Some(proof),
        now: read.now,
    };
    let merged = merge::merge(&mut editor, request, mint)?;
    take_changes(&mut editor, read, mint)?;
    aim.settle(&mut editor, read)?;
    move_position(&mut editor, read, &aim, first_read);
    if is_forward(read.range) {
        settle_ahead(&mut editor, read)?;
    }
    let complete = !read.page.more || matches!(read.range, HistoryRange::Before(_));
    let listed = read.listed.filter(|_| complete);
    let may_jump = editor.rows().unplaced(id)?.iter().all(|row| !row.own);
    let mut stored = finish(editor, merged, listed)?;
    stored.tail = read.page.tail.clone().filter(|_| may_jump);
    Ok(stored)
}

/// Rows of older places take what changed of them; one that is not stored, or has no place yet,
/// comes with its place.
fn take_changes(
    editor: &mut Editor<'_>,
    read: &Page<'_>,
    mint: &mut dyn FnMut() -> ClientMessageId,
) -> RowResult<()> {
    let mut stored = Vec::new();
    for said in &read.page.changed {
        if is_placed(editor, said)? {
            stored.push(said.clone());
        }
    }
    if stored.is_empty() {
        return Ok(());
    }
    let request = Merge {
        page: &stored,
        placement: Placement::Early,
        proof: None,
        now: read.now,
    };
    merge::merge(editor, request, mint).map(drop)
}

/// Lets every backward read begin at the newest page: the server refuses the cursors that were
/// stored for them.
///
/// # Errors
/// The store's.
pub fn forget_the_way_back(
    rows: &mut dyn Rows,
    id: &ConversationId,
) -> RowResult<(SyncPosition, Option<SyncCursor>)> {
    if conversations::is_buried(rows, id)? {
        return Ok((SyncPosition::default(), None));
    }
    let mut editor = Editor::open(rows, id)?;
    let mut gaps = editor.rows().gaps(id)?;
    gaps.retain(|row| !is_ahead(row));
    for row in &gaps {
        set_gap(&mut editor, row, Some(Gap::before(SyncCursor::end())))?;
    }
    if editor.conversation().sync.oldest.is_some() {
        editor.conversation_mut().sync.oldest = Some(SyncCursor::end());
    }
    let stored = finish(editor, Merged::default(), None)?;
    Ok((stored.position, stored.gap))
}

/// The newest gap that a backward read fills.
///
/// # Errors
/// The store's.
pub fn newest(rows: &mut dyn Rows, id: &ConversationId) -> RowResult<Option<SyncCursor>> {
    let gaps = rows.gaps(id)?.into_iter().rev();
    Ok(gaps.filter_map(|row| row.gap?.before).next())
}

fn finish(
    mut editor: Editor<'_>,
    merged: Merged,
    listed: Option<&ChangeMark>,
) -> RowResult<Stored> {
    let id = editor.conversation().id.clone();
    let left = editor.rows().gaps(&id)?;
    let whole = left.is_empty();
    if let Some(mark) = listed.filter(|_| whole)
        && editor.conversation().sync.listed.as_ref() != Some(mark)
    {
        editor.conversation_mut().sync.listed = Some(mark.clone());
    }
    let gap = left.into_iter().rev().find_map(|row| row.gap?.before);
    let position = editor.finish()?.sync;
    Ok(Stored {
        merged,
        position,
        gap,
        tail: None,
    })
}

const fn is_forward(range: &HistoryRange) -> bool {
    !matches!(range, HistoryRange::Before(_))
}

/// What a page is for, in the store as it is now.
struct Aim {
    placement: Placement,
    /// The row below the gap that it fills.
    gap: Option<Message>,
    /// How many of its messages it is for, from the first.
    length: usize,
}

impl Aim {
    /// `None` where nobody waits for such a page any more.
    fn of(editor: &mut Editor<'_>, read: &Page<'_>) -> RowResult<Option<Self>> {
        let id = editor.conversation().id.clone();
        let sync = editor.conversation().sync.clone();
        let at = |placement| Self {
            placement,
            gap: None,
            length: usize::MAX,
        };
        match read.range {
            HistoryRange::Newest | HistoryRange::Tail(_) => Ok(Some(at(Placement::Newer))),
            HistoryRange::After(from) => {
                let fits = sync.newest.as_ref() == Some(from) || hangs(editor, read.page)?;
                Ok(fits.then(|| at(Placement::Newer)))
            }
            HistoryRange::Before(end) => {
                let gaps = editor.rows().gaps(&id)?.into_iter().rev();
                let here = |row: &Message| {
                    row.gap.as_ref().and_then(|gap| gap.before.as_ref()) == Some(end)
                };
                let gap = gaps.into_iter().find(here);
                if gap.is_none() && sync.oldest.as_ref() != Some(end) {
                    return Ok(None);
                }
                let length = match end.is_end() {
                    true => beneath(editor, read.page)?,
                    false => Some(usize::MAX),
                };
                let place = |row: &Message| Placement::Gap(row.key);
                Ok(length.map(|length| Self {
                    placement: gap.as_ref().map_or(Placement::Older, place),
                    gap,
                    length,
                }))
            }
        }
    }

    /// Closes the gap, or moves it on to where the page begins; and with it every other that ends
    /// at the same place.
    fn settle(&self, editor: &mut Editor<'_>, read: &Page<'_>) -> RowResult<()> {
        let Some(gap) = &self.gap else { return Ok(()) };
        let id = editor.conversation().id.clone();
        let first = first_key(editor, read.page)?;
        let older = read.page.older.clone();
        let older = older.filter(|_| !planted("gap-closed-early"));
        for row in editor.rows().gaps(&id)? {
            // The merge has closed those whose row the page held.
            if row.gap == gap.gap {
                let passed = first.is_some_and(|key| key < row.key);
                let left = older.clone().filter(|_| !passed);
                set_gap(editor, &row, left.map(Gap::before))?;
            }
        }
        Ok(())
    }
}

/// How much of the newest page, read to find the way back, is beneath what is stored: what is newer
/// than all of that is for a forward read. `None` where the page hangs on nothing.
fn beneath(editor: &mut Editor<'_>, page: &HistoryPage) -> RowResult<Option<usize>> {
    let mut length = 0;
    for (at, said) in page.messages.iter().enumerate() {
        if is_placed(editor, said)? {
            length = at + 1;
        }
    }
    let nothing = page.messages.is_empty() && page.older.is_none();
    Ok((length > 0 || nothing).then_some(length))
}

/// Whether a row of the page is stored and has its place.
fn hangs(editor: &mut Editor<'_>, page: &HistoryPage) -> RowResult<bool> {
    for said in &page.messages {
        if is_placed(editor, said)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_placed(editor: &mut Editor<'_>, said: &ServerMessage) -> RowResult<bool> {
    let id = editor.conversation().id.clone();
    let row = editor.rows().message_by_server_id(&id, &said.id)?;
    Ok(row.is_some_and(|row| row.key.is_server()))
}

fn first_key(editor: &mut Editor<'_>, page: &HistoryPage) -> RowResult<Option<SortKey>> {
    let id = editor.conversation().id.clone();
    for said in &page.messages {
        if let Some(row) = editor.rows().message_by_server_id(&id, &said.id)? {
            return Ok(Some(row.key));
        }
    }
    Ok(None)
}

fn last_key(editor: &mut Editor<'_>, page: &HistoryPage) -> RowResult<Option<SortKey>> {
    let id = editor.conversation().id.clone();
    for said in page.messages.iter().rev() {
        if let Some(row) = editor.rows().message_by_server_id(&id, &said.id)? {
            return Ok(Some(row.key).filter(|key| key.is_server()));
        }
    }
    Ok(None)
}

fn move_position(editor: &mut Editor<'_>, read: &Page<'_>, aim: &Aim, first_read: bool) {
    let mut sync = editor.conversation().sync.clone();
    match read.range {
        HistoryRange::After(from) if sync.newest.as_ref() == Some(from) => {
            sync.newest = Some(read.page.newer.clone());
        }
        HistoryRange::After(_) => {}
        HistoryRange::Newest | HistoryRange::Tail(_) => {
            sync.newest = Some(read.page.newer.clone());
            if first_read {
                sync.oldest.clone_from(&read.page.older);
            }
        }
        HistoryRange::Before(_) if aim.gap.is_none() => {
            sync.oldest.clone_from(&read.page.older);
        }
        HistoryRange::Before(_) => {}
    }
    if editor.conversation().sync != sync {
        editor.conversation_mut().sync = sync;
    }
}

/// What forward reads were to fill: below the end of this page nothing is missing any more, except
/// what a jump to the newest page left for backward reads.
fn settle_ahead(editor: &mut Editor<'_>, read: &Page<'_>) -> RowResult<()> {
    let id = editor.conversation().id.clone();
    let jumped = !matches!(read.range, HistoryRange::After(_));
    let marked = editor.rows().gaps(&id)?;
    let mut ahead = marked.into_iter().filter(is_ahead).peekable();
    if ahead.peek().is_none() || (read.page.more && !jumped) {
        return Ok(());
    }
    let (first, last) = (first_key(editor, read.page)?, last_key(editor, read.page)?);
    for row in ahead {
        let left = read.page.older.clone().filter(|_| jumped);
        if first.is_some_and(|first| row.key < first) && left.is_some() {
            set_gap(editor, &row, left.map(Gap::before))?;
        } else if last.is_some_and(|last| row.key < last) {
            set_gap(editor, &row, None)?;
        }
    }
    Ok(())
}

fn is_ahead(row: &Message) -> bool {
    row.gap.as_ref().is_some_and(|gap| gap.before.is_none())
}

fn set_gap(editor: &mut Editor<'_>, row: &Message, gap: Option<Gap>) -> RowResult<()> {
    if row.gap != gap {
        let after = Message { gap, ..row.clone() };
        editor.update(row, after)?;
    }
    Ok(())
}

/// Gives each slot the gap that is left behind it, and marks the row below the page.
///
/// Says whether a hole became known that only another read fills.
///
/// # Errors
/// The store's.
pub(super) fn mark(
    editor: &mut Editor<'_>,
    slots: &mut [Slot<'_>],
    keys: &[Option<SortKey>],
    proof: Option<&Proof<'_>>,
) -> RowResult<bool> {
    let Some(proof) = proof else {
        return mark_numbered(editor, slots, keys);
    };
    if slots.is_empty() {
        return mark_empty(editor, proof).map(|()| false);
    }
    let numbered = slots.iter().any(|slot| slot.said.sequence.is_some());
    if numbered && matches!(proof.range, HistoryRange::After(_)) {
        // What changed since, at whatever place: only the numbers tell who is whose neighbour.
        return mark_numbered(editor, slots, keys);
    }
    mark_page(editor, slots, keys, proof)
}

/// A page without a row that could be stored.
fn mark_empty(editor: &mut Editor<'_>, proof: &Proof<'_>) -> RowResult<()> {
    if matches!(proof.range, HistoryRange::Newest | HistoryRange::Tail(_)) {
        mark_below(editor, None, proof.older)?;
    }
    Ok(())
}

fn mark_page(
    editor: &mut Editor<'_>,
    slots: &mut [Slot<'_>],
    keys: &[Option<SortKey>],
    proof: &Proof<'_>,
) -> RowResult<bool> {
    let (Some(Some(first)), Some(Some(last))) = (keys.first(), keys.last()) else {
        return Ok(false);
    };
    let forward = matches!(proof.range, HistoryRange::After(_));
    let mut left = None;
    if !is_known(slots.first()) {
        if forward {
            left = take_below(editor, *first)?;
        } else {
            mark_below(editor, Some(*first), proof.older)?;
        }
    }
    let Some((end, inner)) = slots.split_last_mut() else {
        return Ok(false);
    };
    for slot in inner {
        left = slot.gap.take().or(left);
    }
    let fills = end.row.as_ref().map(|row| row.id);
    if fills.is_some() && fills == proof.fills {
        end.gap = None;
    } else if is_forward(proof.range) && !is_known(Some(end)) {
        let left = left.filter(|_| forward);
        return mark_end(editor, end, *last, left, proof.more);
    }
    Ok(false)
}

/// Behind a forward page stand rows that were pushed, or the upper edge of a gap it came into from
/// below: only a number proves that nothing lies between.
fn mark_end(
    editor: &mut Editor<'_>,
    end: &mut Slot<'_>,
    key: SortKey,
    left: Option<Gap>,
    more: bool,
) -> RowResult<bool> {
    if !has_above(editor, key)? {
        return Ok(false);
    }
    let above = number_above(editor, key)?;
    let missing = match (end.said.sequence, above) {
        (Some(number), Some(above)) => number + 1 < above,
        _ => more || left.is_some(),
    };
    end.gap = missing.then(|| left.unwrap_or_else(Gap::ahead));
    Ok(missing)
}

fn is_known(slot: Option<&Slot<'_>>) -> bool {
    let row = slot.and_then(|slot| slot.row.as_ref());
    row.is_some_and(|row| row.key.is_server())
}

fn has_above(editor: &mut Editor<'_>, key: SortKey) -> RowResult<bool> {
    let id = editor.conversation().id.clone();
    Ok(editor.rows().server_key_above(&id, Some(key))?.is_some())
}

/// The nearest placed row below a key; the highest of all where `None`.
fn below(editor: &mut Editor<'_>, key: Option<SortKey>) -> RowResult<Option<Message>> {
    let id = editor.conversation().id.clone();
    let end = key.unwrap_or(SortKey::pending(0));
    let mut rows = editor.rows().page(&id, Some(end), 1, true)?;
    Ok(rows.pop())
}

/// What lies between a page and the row below it is not stored; without such a row, the page is
/// where the stored history begins.
fn mark_below(
    editor: &mut Editor<'_>,
    first: Option<SortKey>,
    older: Option<&SyncCursor>,
) -> RowResult<()> {
    match below(editor, first)? {
        Some(_) if planted("gap-unmarked") => Ok(()),
        Some(row) => set_gap(editor, &row, older.cloned().map(Gap::before)),
        None => {
            if editor.conversation().sync.oldest.as_ref() != older {
                editor.conversation_mut().sync.oldest = older.cloned();
            }
            Ok(())
        }
    }
}

/// A forward page begins right behind this row: what was missing there is missing behind the page.
fn take_below(editor: &mut Editor<'_>, first: SortKey) -> RowResult<Option<Gap>> {
    let Some(row) = below(editor, Some(first))? else {
        return Ok(None);
    };
    let gap = row.gap.clone();
    set_gap(editor, &row, None)?;
    Ok(gap)
}

/// Rows that came by themselves: a number left out between neighbours is a hole.
fn mark_numbered(
    editor: &mut Editor<'_>,
    slots: &mut [Slot<'_>],
    keys: &[Option<SortKey>],
) -> RowResult<bool> {
    let mut hole = false;
    let mut order: Vec<usize> = (0..slots.len()).collect();
    sort_by_key(&mut order, |at| keys[*at]);
    let mut before: Option<usize> = None;
    for at in order {
        let (Some(key), Some(number)) = (keys[at], slots[at].said.sequence) else {
            continue;
        };
        if is_known(slots.get(at)) {
            before = Some(at);
            continue;
        }
        let stored = below(editor, Some(key))?;
        let inside = before.filter(|b| {
            let theirs = keys[*b];
            stored.as_ref().is_none_or(|row| Some(row.key) <= theirs)
        });
        let (under, gap) = match (inside, &stored) {
            (Some(b), _) => (slots[b].said.sequence, slots[b].gap.clone()),
            (None, Some(row)) => (row.key.sequence(), row.gap.clone()),
            (None, None) => (None, None),
        };
        if stored.is_none() && inside.is_none() {
            slots[at].beyond = is_before_beginning(editor, &slots[at], key)?;
            if slots[at].beyond {
                continue;
            }
            // No row to mark below it; numbers begin with one.
            hole |= number > 1;
        }
        if let Some(under) = under {
            let between = (under + 1 < number).then(|| gap.clone().unwrap_or_else(Gap::ahead));
            hole |= between.is_some();
            match (inside, stored) {
                (Some(b), _) => slots[b].gap = between,
                (None, Some(row)) => set_gap(editor, &row, between)?,
                (None, None) => {}
            }
        }
        let above = number_above(editor, key)?;
        let missing = above.is_some_and(|above| number + 1 < above);
        slots[at].gap = missing.then(|| gap.unwrap_or_else(Gap::ahead));
        hole |= missing;
        before = Some(at);
    }
    Ok(hole)
}

/// Whether a row lies before all that is stored while more lies there: it comes, as it is then,
/// when that part is read.
fn is_before_beginning(editor: &mut Editor<'_>, slot: &Slot<'_>, key: SortKey) -> RowResult<bool> {
    let open = editor.conversation().sync.oldest.is_some();
    Ok(open && slot.row.is_none() && has_above(editor, key)?)
}

fn number_above(editor: &mut Editor<'_>, key: SortKey) -> RowResult<Option<i64>> {
    let id = editor.conversation().id.clone();
    let above = editor.rows().server_key_above(&id, Some(key))?;
    Ok(above.and_then(SortKey::sequence))
}
