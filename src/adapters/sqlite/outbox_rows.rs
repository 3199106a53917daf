//! Statements over the `outbox` table and the accept counter.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::codec::{Columns, state_number};
use crate::domain::{
    delivery::Reason,
    ids::{ClientMessageId, ConversationId, MessageId},
    outbox::{OutboxEntry, SendMode},
};

/// The columns in the order in which [`decode`] takes them.
macro_rules! query {
    ($rest:literal) => {
        concat!(
            "SELECT message, (SELECT c.id FROM conversation c WHERE c.pk = outbox.conversation),
             body, durable, state, accept_order, attempt, failures, accepted_at, expires_at,
             next_attempt_at, reason_code, reason_retry, reason_after_ms, reason_text,
             last_known, wire_id, parked
             FROM outbox ",
            $rest
        )
    };
}

pub(super) const ONE: &str = query!("WHERE message = ?1");

/// Sorted by the caller: all rows are read anyway, and an index for it would cost each accept.
const ALL: &str = query!("");

const OF_CONVERSATION: &str =
    query!("WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1)");

/// The next conversation with something waiting, and the first row of it. Asked once for each
/// such conversation, so that the cost does not grow with the number of rows that wait.
pub(super) const NEXT_HEAD: &str = "SELECT conversation, message
    FROM outbox INDEXED BY outbox_waiting
    WHERE parked = 0 AND state IN (0, 1, 2) AND conversation > ?1
    ORDER BY conversation, accept_order LIMIT 1";

const PUT: &str = "INSERT INTO outbox (
    message, conversation, body, durable, state, accept_order, attempt, failures, accepted_at,
    expires_at, next_attempt_at, reason_code, reason_retry, reason_after_ms, reason_text,
    last_known, wire_id, parked)
    VALUES (?1, (SELECT pk FROM conversation WHERE id = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
    ?12, ?13, ?14, ?15, ?16, ?17, ?18)
    ON CONFLICT (message) DO UPDATE SET
    conversation = excluded.conversation, body = excluded.body, durable = excluded.durable,
    state = excluded.state, accept_order = excluded.accept_order, attempt = excluded.attempt,
    failures = excluded.failures, accepted_at = excluded.accepted_at,
    expires_at = excluded.expires_at, next_attempt_at = excluded.next_attempt_at,
    reason_code = excluded.reason_code, reason_retry = excluded.reason_retry,
    reason_after_ms = excluded.reason_after_ms, reason_text = excluded.reason_text,
    last_known = excluded.last_known, wire_id = excluded.wire_id, parked = excluded.parked";

const REMOVE: &str = "DELETE FROM outbox WHERE message = ?1";

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

pub(super) fn heads(db: &Connection) -> rusqlite::Result<Vec<OutboxEntry>> {
    let mut next = db.prepare_cached(NEXT_HEAD)?;
    let mut read = db.prepare_cached(ONE)?;
    let mut found = Vec::new();
    let mut beyond = i64::MIN;
    let head = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, [u8; 16]>(1)?));
    while let Some((conversation, message)) = next.query_row([beyond], head).optional()? {
        found.push(read.query_row([message], decode));
        beyond = conversation;
    }
    in_order(found.into_iter())
}

pub(super) fn put(db: &Connection, entry: &OutboxEntry) -> rusqlite::Result<()> {
    let reason = entry.reason.as_ref();
    db.prepare_cached(PUT)?.execute(params![
        entry.message.as_bytes(),
        entry.conversation.as_str(),
        entry.text,
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
        entry.last_known.as_ref().map(MessageId::as_str),
        entry.wire_id,
        entry.parked,
    ])?;
    Ok(())
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
        message: columns.key()?,
        conversation: columns.conversation_id()?,
        text: columns.take()?,
        mode: decode_mode(columns)?,
        state: columns.state()?,
        order: columns.take()?,
        attempt: columns.take()?,
        failures: columns.take()?,
        accepted_at: columns.moment()?,
        expires_at: columns.moment()?,
        next_attempt_at: columns.moment_if()?,
        reason: columns.reason()?,
        last_known: columns.message_id_if()?,
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
