//! Statements over the `outbox` table and the accept counter.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    action_columns,
    asking::{all, first},
    codec::{Columns, kind_number, number, state_number},
    record::{Column, Table},
};
use crate::domain::{
    delivery::Reason,
    ids::{ClientMessageId, ConversationId},
    outbox::{OutboxEntry, SendMode, Track},
    sorting::sort_by_key,
    time::WallTime,
};

/// The columns in the order in which [`decode`] takes them.
macro_rules! query {
    ($rest:literal) => {
        concat!(
            "SELECT id, (SELECT c.id FROM conversation c WHERE c.pk = outbox.conversation),
             kind, target, body, beneath, durable, state, accept_order, attempt, failures,
             accepted_at, expires_at, next_attempt_at, reason_code, reason_retry, reason_after_ms,
             reason_text, wire_id, parked
             FROM outbox ",
            $rest
        )
    };
}

pub(super) const ONE: &str = query!("WHERE id = ?1");

/// Sorted by the caller: all rows are read anyway, and an index for it would cost each accept.
const ALL: &str = query!("");

const OF_CONVERSATION: &str =
    query!("WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1)");

/// The conditions are the indexes' own, word for word: that is how SQLite knows that they fit.
pub(super) const OF_TRACK: &str = query!(
    "INDEXED BY outbox_waiting
     WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1) AND track = ?2
     AND parked = 0 AND state IN (0, 1, 2) ORDER BY state = 0, accept_order"
);

pub(super) const CHANGES: &str =
    query!("INDEXED BY outbox_changes WHERE target = ?1 AND kind IN (3, 4)");

const CREATIONS: &str = query!("INDEXED BY outbox_creations WHERE kind = 1 ORDER BY accept_order");

/// The next track with something waiting, and the first row of it. Asked once for each such
/// track, what is on the wire or uncertain before what is queued, so that the cost does not grow with the number of rows that wait: from a bound that is
/// met on, since from one that is passed SQLite walks over all that equal it.
pub(super) const NEXT_HEAD: &str = "SELECT conversation, track, id
    FROM outbox INDEXED BY outbox_waiting
    WHERE parked = 0 AND state IN (0, 1, 2) AND (conversation, track) >= (?1, ?2)
    ORDER BY conversation, track, state = 0, accept_order LIMIT 1";

/// The columns that are written.
pub(super) static TABLE: Table<OutboxEntry> = Table::new(
    "outbox",
    &[
        Column::new("id", |row| row.id.as_bytes().into()),
        Column::conversation(|row| row.conversation.as_str().into()),
        Column::new("kind", |row| kind_number(row.kind()).into()),
        Column::new("track", |row| track_number(row.kind().track()).into()),
        Column::new("target", |row| action_columns::target(&row.action).into()),
        Column::new("body", |row| action_columns::body(&row.action)),
        Column::new("beneath", |row| action_columns::beneath(&row.action).into()),
        Column::new("durable", |row| (row.mode == SendMode::Durable).into()),
        Column::new("state", |row| state_number(row.state).into()),
        Column::new("accept_order", |row| row.order.into()),
        Column::new("attempt", |row| row.attempt.into()),
        Column::new("failures", |row| row.failures.into()),
        Column::new("accepted_at", |row| row.accepted_at.as_millis().into()),
        Column::new("expires_at", |row| row.expires_at.as_millis().into()),
        Column::new("next_attempt_at", |row| {
            row.next_attempt_at.map(WallTime::as_millis).into()
        }),
        Column::new("reason_code", |row| {
            row.reason.as_ref().map(|why| why.code.as_str()).into()
        }),
        Column::new("reason_retry", |row| {
            row.reason.as_ref().map(|why| why.retryable).into()
        }),
        Column::new("reason_after_ms", |row| {
            row.reason.as_ref().and_then(retry_after).into()
        }),
        Column::new("reason_text", |row| {
            row.reason.as_ref().map(|why| why.text.as_str()).into()
        }),
        Column::new("wire_id", |row| row.wire_id.as_deref().into()),
        Column::new("parked", |row| row.parked.into()),
    ],
);

const MOVE: &str = "UPDATE outbox SET conversation = (SELECT pk FROM conversation WHERE id = ?2)
    WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1)";

const REMOVE: &str = "DELETE FROM outbox WHERE id = ?1";

/// Counts up to a number which is given once for ever. Two statements are faster than one with
/// RETURNING, for which SQLite makes a table first.
pub(super) const COUNT: &str = "UPDATE counter SET value = value + 1 WHERE name = ?1";

pub(super) const COUNTED: &str = "SELECT value FROM counter WHERE name = ?1";

pub(super) fn next_order(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached(COUNT)?.execute(["order"])?;
    let mut statement = db.prepare_cached(COUNTED)?;
    statement.query_row(["order"], |row| row.get(0))
}

pub(super) fn one(db: &Connection, id: ClientMessageId) -> rusqlite::Result<Option<OutboxEntry>> {
    first(db, ONE, params![id.as_bytes()], decode)
}

pub(super) fn list(
    db: &Connection,
    conversation: Option<&ConversationId>,
) -> rusqlite::Result<Vec<OutboxEntry>> {
    let found = match conversation {
        Some(id) => all(db, OF_CONVERSATION, params![id.as_str()], decode),
        None => all(db, ALL, params![], decode),
    };
    found.map(in_order)
}

pub(super) fn track(
    db: &Connection,
    conversation: &ConversationId,
    track: Track,
) -> rusqlite::Result<Vec<OutboxEntry>> {
    let bounds = params![conversation.as_str(), track_number(track)];
    all(db, OF_TRACK, bounds, decode).map(in_order)
}

pub(super) fn changes(
    db: &Connection,
    message: ClientMessageId,
) -> rusqlite::Result<Vec<OutboxEntry>> {
    all(db, CHANGES, params![message.as_bytes()], decode).map(in_order)
}

pub(super) fn creations(db: &Connection) -> rusqlite::Result<Vec<OutboxEntry>> {
    all(db, CREATIONS, params![], decode).map(in_order)
}

pub(super) fn heads(db: &Connection) -> rusqlite::Result<Vec<OutboxEntry>> {
    let mut next = db.prepare_cached(NEXT_HEAD)?;
    let mut read = db.prepare_cached(ONE)?;
    let mut found = Vec::new();
    let mut from = (i64::MIN, i64::MIN);
    let head = |row: &Row<'_>| {
        Ok((
            row.get(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, [u8; 16]>(2)?,
        ))
    };
    while let Some((conversation, track, id)) = next.query_row(from, head).optional()? {
        found.push(read.query_row([id], decode)?);
        from = (conversation, track + 1);
    }
    Ok(in_order(found))
}

/// Writes what differs from the row as it is stored, where that is known; else the whole row,
/// should there be none.
pub(super) fn put(
    db: &Connection,
    before: Option<&OutboxEntry>,
    row: &OutboxEntry,
) -> rusqlite::Result<()> {
    if let Some(before) = before {
        return TABLE.update(db, before, row);
    }
    if TABLE.insert_if_new(db, row)? {
        return Ok(());
    }
    match one(db, row.id)? {
        Some(before) => TABLE.update(db, &before, row),
        None => Err(rusqlite::Error::QueryReturnedNoRows),
    }
}

fn track_number(track: Track) -> i64 {
    number(&Track::ALL, &track)
}

pub(super) fn move_all(
    db: &Connection,
    from: &ConversationId,
    to: &ConversationId,
) -> rusqlite::Result<()> {
    let ids = [from.as_str(), to.as_str()];
    db.prepare_cached(MOVE)?.execute(ids).map(drop)
}

pub(super) fn remove(db: &Connection, id: ClientMessageId) -> rusqlite::Result<()> {
    db.prepare_cached(REMOVE)?.execute([id.as_bytes()])?;
    Ok(())
}

/// The wait of a reason, its bits kept in a signed column.
pub(super) fn retry_after(reason: &Reason) -> Option<i64> {
    reason.retry_after_ms.map(u64::cast_signed)
}

fn in_order(mut list: Vec<OutboxEntry>) -> Vec<OutboxEntry> {
    sort_by_key(&mut list, |entry| entry.order);
    list
}

fn decode(row: &Row<'_>) -> rusqlite::Result<OutboxEntry> {
    let columns = &mut Columns::of(row);
    let entry = OutboxEntry {
        id: columns.key(),
        conversation: columns.conversation_id()?,
        action: action_columns::decode(columns)?,
        mode: decode_mode(columns),
        state: columns.state(),
        order: columns.take(),
        attempt: columns.take(),
        failures: columns.take(),
        accepted_at: columns.moment(),
        expires_at: columns.moment(),
        next_attempt_at: columns.moment_if(),
        reason: columns.reason(),
        wire_id: columns.take(),
        parked: columns.take(),
    };
    columns.whole(entry)
}

fn decode_mode(columns: &mut Columns<'_, '_>) -> SendMode {
    match columns.take() {
        true => SendMode::Durable,
        false => SendMode::Direct,
    }
}
