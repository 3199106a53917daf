//! Statements over the `outbox` table and the accept counter.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    action_columns,
    codec::{Columns, kind_number, number, state_number},
};
use crate::domain::{
    delivery::Reason,
    ids::{ClientMessageId, ConversationId},
    outbox::{OutboxEntry, SendMode, Track},
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

const PUT: &str = "INSERT INTO outbox (
    id, conversation, kind, track, target, body, beneath, durable, state, accept_order, attempt,
    failures, accepted_at, expires_at, next_attempt_at, reason_code, reason_retry,
    reason_after_ms, reason_text, wire_id, parked)
    VALUES (?1, (SELECT pk FROM conversation WHERE id = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
    ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
    ON CONFLICT (id) DO UPDATE SET
    conversation = excluded.conversation, kind = excluded.kind, track = excluded.track,
    target = excluded.target, body = excluded.body, beneath = excluded.beneath,
    durable = excluded.durable,
    state = excluded.state, accept_order = excluded.accept_order, attempt = excluded.attempt,
    failures = excluded.failures, accepted_at = excluded.accepted_at,
    expires_at = excluded.expires_at, next_attempt_at = excluded.next_attempt_at,
    reason_code = excluded.reason_code, reason_retry = excluded.reason_retry,
    reason_after_ms = excluded.reason_after_ms, reason_text = excluded.reason_text,
    wire_id = excluded.wire_id, parked = excluded.parked";

const MOVE: &str = "UPDATE outbox SET conversation = (SELECT pk FROM conversation WHERE id = ?2)
    WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1)";

const REMOVE: &str = "DELETE FROM outbox WHERE id = ?1";

/// Counts up to a number which is given once for ever. Two statements are faster than one with
/// RETURNING, for which SQLite makes a table first.
pub(super) const COUNT: &str = "UPDATE counter SET value = value + 1 WHERE name = ?1";

pub(super) const COUNTED: &str = "SELECT value FROM counter WHERE name = ?1";

pub(super) fn next_order(db: &Connection) -> rusqlite::Result<i64> {
    count(db, "order")?;
    let mut statement = db.prepare_cached(COUNTED)?;
    statement.query_row(["order"], |row| row.get(0))
}

pub(super) fn count(db: &Connection, counter: &str) -> rusqlite::Result<()> {
    db.prepare_cached(COUNT)?.execute([counter]).map(drop)
}

pub(super) fn one(db: &Connection, id: ClientMessageId) -> rusqlite::Result<Option<OutboxEntry>> {
    let mut statement = db.prepare_cached(ONE)?;
    statement.query_row([id.as_bytes()], decode).optional()
}

pub(super) fn list(
    db: &Connection,
    conversation: Option<&ConversationId>,
) -> rusqlite::Result<Vec<OutboxEntry>> {
    match conversation {
        Some(id) => in_order(
            db.prepare_cached(OF_CONVERSATION)?
                .query_map([id.as_str()], decode)?,
        ),
        None => in_order(db.prepare_cached(ALL)?.query_map((), decode)?),
    }
}

pub(super) fn track(
    db: &Connection,
    conversation: &ConversationId,
    track: Track,
) -> rusqlite::Result<Vec<OutboxEntry>> {
    let mut statement = db.prepare_cached(OF_TRACK)?;
    let number = number(&Track::ALL, &track);
    in_order(statement.query_map(params![conversation.as_str(), number], decode)?)
}

pub(super) fn changes(
    db: &Connection,
    message: ClientMessageId,
) -> rusqlite::Result<Vec<OutboxEntry>> {
    let mut statement = db.prepare_cached(CHANGES)?;
    in_order(statement.query_map([message.as_bytes()], decode)?)
}

pub(super) fn creations(db: &Connection) -> rusqlite::Result<Vec<OutboxEntry>> {
    in_order(db.prepare_cached(CREATIONS)?.query_map((), decode)?)
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
        found.push(read.query_row([id], decode));
        from = (conversation, track + 1);
    }
    in_order(found.into_iter())
}

pub(super) fn put(db: &Connection, entry: &OutboxEntry) -> rusqlite::Result<()> {
    let reason = entry.reason.as_ref();
    let payload = action_columns::encode(&entry.action);
    db.prepare_cached(PUT)?.execute(params![
        entry.id.as_bytes(),
        entry.conversation.as_str(),
        kind_number(entry.kind()),
        number(&Track::ALL, &entry.kind().track()),
        payload.target.map(|id| *id.as_bytes()),
        payload.body,
        payload.beneath,
        entry.mode == SendMode::Durable,
        state_number(entry.state),
        entry.order,
        entry.attempt,
        entry.failures,
        entry.accepted_at.as_millis(),
        entry.expires_at.as_millis(),
        entry.next_attempt_at.map(|at| at.as_millis()),
        reason.map(|reason| reason.code.as_str()),
        reason.map(|reason| reason.retryable),
        reason.and_then(retry_after),
        reason.map(|reason| reason.text.as_str()),
        entry.wire_id,
        entry.parked,
    ])?;
    Ok(())
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

fn in_order(
    rows: impl Iterator<Item = rusqlite::Result<OutboxEntry>>,
) -> rusqlite::Result<Vec<OutboxEntry>> {
    let mut list: Vec<OutboxEntry> = rows.collect::<rusqlite::Result<_>>()?;
    list.sort_by_key(|entry| entry.order);
    Ok(list)
}

fn decode(row: &Row<'_>) -> rusqlite::Result<OutboxEntry> {
    let columns = &mut Columns::of(row);
    Ok(OutboxEntry {
        id: columns.key()?,
        conversation: columns.conversation_id()?,
        action: action_columns::decode(columns)?,
        mode: decode_mode(columns)?,
        state: columns.state()?,
        order: columns.take()?,
        attempt: columns.take()?,
        failures: columns.take()?,
        accepted_at: columns.moment()?,
        expires_at: columns.moment()?,
        next_attempt_at: columns.moment_if()?,
        reason: columns.reason()?,
        wire_id: columns.take()?,
        parked: columns.take()?,
    })
}

fn decode_mode(columns: &mut Columns<'_, '_>) -> rusqlite::Result<SendMode> {
    Ok(match columns.take()? {
        true => SendMode::Durable,
        false => SendMode::Direct,
    })
}
