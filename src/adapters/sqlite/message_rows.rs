//! Statements over the `message` table.

use rusqlite::{Connection, Row, ToSql, params};

use super::{
    asking::{all, first},
    codec::{Columns, completeness_number, limit, overlay_number, state_number},
    record::{Column, Table},
    search_index,
};
use crate::domain::{
    cursor::{Gap, SyncCursor},
    ids::{ClientMessageId, ConversationId, MessageId, UserId},
    message::{Message, Role},
    order::SortKey,
    time::WallTime,
};

/// The columns in the order in which [`decode`] takes them.
macro_rules! columns {
    ($conversation:literal, $rest:literal) => {
        concat!(
            "SELECT id, ",
            $conversation,
            ", server_id, role, sender, own, body, sort_key, state, attempts, created_at, answers,
             completeness, deleted, unread, gap, revision, version, left_above, overlay
             FROM message ",
            $rest
        )
    };
}

macro_rules! query {
    ($rest:literal) => {
        columns!(
            "(SELECT c.id FROM conversation c WHERE c.pk = message.conversation)",
            $rest
        )
    };
}

/// Rows of the conversation that is asked for: its id is known, and not looked up for each.
macro_rules! query_in {
    ($index:literal, $rest:literal) => {
        concat!(
            columns!("?1", "INDEXED BY "),
            $index,
            " WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1) ",
            $rest
        )
    };
}

pub(super) const ONE: &str = query!("WHERE id = ?1");

pub(super) const BY_SERVER_ID: &str = query_in!("message_known", "AND server_id = ?2");

/// The condition is the index's own, word for word: that is how SQLite knows that it fits.
pub(super) const UNPLACED: &str = query_in!(
    "message_unplaced",
    "AND sort_key >= 2305843009213693952 AND (own = 0 OR attempts > 0) ORDER BY sort_key"
);

pub(super) const PAGE: &str = query_in!(
    "message_visible",
    "AND deleted = 0 AND sort_key <= ?2 ORDER BY sort_key DESC, pk DESC LIMIT ?3"
);

pub(super) const PAGE_WITH_DELETED: &str = query_in!(
    "message_placed",
    "AND sort_key <= ?2 ORDER BY sort_key DESC, pk DESC LIMIT ?3"
);

pub(super) const PAGE_AFTER: &str = query_in!(
    "message_placed",
    "AND sort_key > ?2 ORDER BY sort_key, pk LIMIT ?3"
);

pub(super) const OLDEST: &str = query_in!("message_placed", "ORDER BY sort_key, pk LIMIT ?2");

pub(super) const UNREAD: &str = query_in!(
    "message_unread",
    "AND unread = 1 AND sort_key <= ?2 ORDER BY sort_key, pk"
);

pub(super) const GAPS: &str = query_in!("message_gap", "AND gap IS NOT NULL ORDER BY sort_key");

pub(super) const KEY_ABOVE: &str = "SELECT min(sort_key) FROM message INDEXED BY message_placed
    WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1)
    AND sort_key >= ?2 AND sort_key < ?3";

pub(super) const KEY_BELOW: &str = "SELECT max(sort_key) FROM message INDEXED BY message_placed
    WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1) AND sort_key < ?2";

pub(super) const BY_NUMBER: &str = query!("WHERE pk = ?1");

/// The columns that are written.
pub(super) static TABLE: Table<Message> = Table::new(
    "message",
    &[
        Column::new("id", |row| row.id.as_bytes().into()),
        Column::conversation(|row| row.conversation.as_str().into()),
        Column::new("server_id", |row| {
            row.server_id.as_ref().map(MessageId::as_str).into()
        }),
        Column::new("role", |row| row.role.as_str().into()),
        Column::new("sender", |row| {
            row.sender.as_ref().map(UserId::as_str).into()
        }),
        Column::new("own", |row| row.own.into()),
        Column::new("body", |row| row.text.as_str().into()),
        Column::new("sort_key", |row| row.key.as_i64().into()),
        Column::new("state", |row| state_number(row.state).into()),
        Column::new("attempts", |row| row.attempts.into()),
        Column::new("created_at", |row| {
            row.created_at.map(WallTime::as_millis).into()
        }),
        Column::new("answers", |row| {
            row.answers.as_ref().map(ClientMessageId::as_bytes).into()
        }),
        Column::new("completeness", |row| {
            completeness_number(row.completeness).into()
        }),
        Column::new("deleted", |row| row.deleted.into()),
        Column::new("unread", |row| row.unread.into()),
        Column::new("gap", |row| row.gap.as_ref().map(gap_text).into()),
        Column::new("revision", |row| row.revision.cast_signed().into()),
        Column::new("version", |row| row.version.cast_signed().into()),
        Column::new("left_above", |row| {
            row.left_above.map(SortKey::as_i64).into()
        }),
        Column::new("overlay", |row| row.overlay.map(overlay_number).into()),
    ],
);

const REMOVE: &str = "DELETE FROM message WHERE id = ?1";

pub(super) fn one(db: &Connection, id: ClientMessageId) -> rusqlite::Result<Option<Message>> {
    first(db, ONE, params![id.as_bytes()], decode)
}

/// One by one, so that the index for searches follows: there are few.
pub(super) fn move_all(
    db: &Connection,
    from: &ConversationId,
    to: &ConversationId,
) -> rusqlite::Result<()> {
    for row in page(db, from, None, usize::MAX, true)? {
        let moved = Message {
            conversation: to.clone(),
            ..row.clone()
        };
        update(db, &row, &moved)?;
    }
    Ok(())
}

pub(super) fn by_server_id(
    db: &Connection,
    conversation: &ConversationId,
    id: &MessageId,
) -> rusqlite::Result<Option<Message>> {
    let name = params![conversation.as_str(), id.as_str()];
    first(db, BY_SERVER_ID, name, decode)
}

pub(super) fn unplaced(
    db: &Connection,
    conversation: &ConversationId,
) -> rusqlite::Result<Vec<Message>> {
    all(db, UNPLACED, params![conversation.as_str()], decode)
}

pub(super) fn gaps(
    db: &Connection,
    conversation: &ConversationId,
) -> rusqlite::Result<Vec<Message>> {
    all(db, GAPS, params![conversation.as_str()], decode)
}

pub(super) fn page(
    db: &Connection,
    conversation: &ConversationId,
    before: Option<SortKey>,
    most: usize,
    include_deleted: bool,
) -> rusqlite::Result<Vec<Message>> {
    // The statement's bound is inclusive, so that "no bound" is a bound too.
    let Some(last) = before.map_or(Some(i64::MAX), |key| key.as_i64().checked_sub(1)) else {
        return Ok(Vec::new());
    };
    let sql = if include_deleted {
        PAGE_WITH_DELETED
    } else {
        PAGE
    };
    let bounds = params![conversation.as_str(), last, limit(most)];
    let mut page = all(db, sql, bounds, decode)?;
    page.reverse();
    Ok(page)
}

pub(super) fn page_after(
    db: &Connection,
    conversation: &ConversationId,
    after: SortKey,
    most: usize,
) -> rusqlite::Result<Vec<Message>> {
    let bounds = params![conversation.as_str(), after.as_i64(), limit(most)];
    all(db, PAGE_AFTER, bounds, decode)
}

pub(super) fn oldest(
    db: &Connection,
    conversation: &ConversationId,
    most: usize,
) -> rusqlite::Result<Vec<Message>> {
    let bounds = params![conversation.as_str(), limit(most)];
    all(db, OLDEST, bounds, decode)
}

pub(super) fn unread_up_to(
    db: &Connection,
    conversation: &ConversationId,
    up_to: SortKey,
) -> rusqlite::Result<Vec<Message>> {
    let bounds = params![conversation.as_str(), up_to.as_i64()];
    all(db, UNREAD, bounds, decode)
}

pub(super) fn server_key_above(
    db: &Connection,
    conversation: &ConversationId,
    key: Option<SortKey>,
) -> rusqlite::Result<Option<SortKey>> {
    let end = SortKey::pending(0).as_i64();
    // No key lies above the highest: an overflow looks from the end, where nothing is.
    let first = key.map_or(i64::MIN, |key| key.as_i64().saturating_add(1));
    let bounds = params![conversation.as_str(), first, end];
    nearest(db, KEY_ABOVE, bounds)
}

pub(super) fn server_key_below(
    db: &Connection,
    conversation: &ConversationId,
    key: Option<SortKey>,
) -> rusqlite::Result<Option<SortKey>> {
    let end = SortKey::pending(0);
    let below = key.map_or(end, |key| key.min(end));
    let bounds = params![conversation.as_str(), below.as_i64()];
    nearest(db, KEY_BELOW, bounds)
}

pub(super) fn insert(db: &Connection, message: &Message) -> rusqlite::Result<()> {
    TABLE.insert(db, message)
}

/// Changes a row that is stored as `before`.
pub(super) fn update(db: &Connection, before: &Message, after: &Message) -> rusqlite::Result<()> {
    let place = search_index::before_update(db, before, after)?;
    TABLE.update(db, before, after)?;
    match place {
        Some(place) => search_index::after_update(db, &place, after),
        None => Ok(()),
    }
}

pub(super) fn remove(db: &Connection, id: ClientMessageId) -> rusqlite::Result<()> {
    let before = search_index::before_remove(db, id)?;
    db.prepare_cached(REMOVE)?.execute([id.as_bytes()])?;
    search_index::after_remove(db, before.as_slice().iter())
}

/// One message, by the number of its row.
pub(super) fn by_number(db: &Connection, pk: i64) -> rusqlite::Result<Option<Message>> {
    first(db, BY_NUMBER, params![pk], decode)
}

/// A gap that no backward read fills has no cursor: that is the empty text.
fn gap_text(gap: &Gap) -> &str {
    gap.before.as_ref().map_or("", SyncCursor::as_str)
}

fn gap_of(text: String) -> Gap {
    Gap {
        before: (!text.is_empty()).then(|| SyncCursor::new(text)),
    }
}

fn nearest(db: &Connection, sql: &str, bounds: &[&dyn ToSql]) -> rusqlite::Result<Option<SortKey>> {
    let key = first(db, sql, bounds, |row| row.get::<_, Option<i64>>(0))?;
    Ok(key.flatten().map(SortKey::from_i64))
}

fn decode(row: &Row<'_>) -> rusqlite::Result<Message> {
    let columns = &mut Columns::of(row);
    let message = Message {
        id: columns.key(),
        conversation: columns.conversation_id()?,
        server_id: columns.message_id_if(),
        role: Role::parse(&columns.take::<String>()),
        sender: columns.user_id_if(),
        own: columns.take(),
        text: columns.take(),
        key: columns.place(),
        state: columns.state(),
        attempts: columns.take(),
        created_at: columns.moment_if(),
        answers: columns.key_if(),
        completeness: columns.completeness(),
        deleted: columns.take(),
        unread: columns.take(),
        gap: columns.take::<Option<String>>().map(gap_of),
        revision: columns.count(),
        version: columns.count(),
        left_above: columns.place_if(),
        overlay: columns.overlay_if(),
    };
    columns.whole(message)
}
