//! Statements over the `journal` and `setting` tables.

use rusqlite::{Connection, Row, params};

use super::{
    asking::{all, first},
    codec::{Columns, kind_number, limit, state_number},
    outbox_rows::retry_after,
};
use crate::domain::{
    ids::{ClientMessageId, ConversationId, MessageId},
    journal::JournalEntry,
    sorting::sort_by_key,
};

/// The columns in the order in which [`decode`] takes them.
macro_rules! query {
    ($rest:literal) => {
        concat!(
            "SELECT sequence, message,
             (SELECT c.id FROM conversation c WHERE c.pk = journal.conversation),
             at, state, attempt, next_attempt_at, server_id,
             reason_code, reason_retry, reason_after_ms, reason_text, kind
             FROM journal ",
            $rest
        )
    };
}

pub(super) const AFTER: &str = query!("WHERE sequence > ?1 ORDER BY sequence LIMIT ?2");

/// A look into the index for each conversation: asked by people, so that appending, which every
/// step of every message does, keeps one index and not two. Sorted by the caller.
pub(super) const OF: &str = query!(
    "INDEXED BY journal_of_message
     WHERE conversation IN (SELECT pk FROM conversation) AND message = ?1"
);

/// The last number given, in the words of a statement about it: that of the last entry, or where
/// entries were removed, the last they had. So appending, which every step of every message does,
/// need not count.
macro_rules! head {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "max((SELECT value FROM counter WHERE name = 'journal'),
             (SELECT coalesce(max(sequence), 0) FROM journal))",
            $after
        )
    };
}

pub(super) const HEAD: &str = head!("SELECT ", "");

/// Whoever removes entries keeps the head first: no number comes again.
const KEEP_HEAD: &str = head!("UPDATE counter SET value = ", " WHERE name = 'journal'");

const APPEND: &str = head!(
    "INSERT INTO journal (
    message, conversation, at, state, attempt, next_attempt_at, server_id,
    reason_code, reason_retry, reason_after_ms, reason_text, kind, sequence)
    VALUES (?1, (SELECT pk FROM conversation WHERE id = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
    ?12, 1 + ",
    ")"
);

const MOVE: &str = "UPDATE journal SET conversation = (SELECT pk FROM conversation WHERE id = ?2)
    WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1)";

pub(super) const SETTING: &str = "SELECT value FROM setting WHERE name = ?1";

const PUT_SETTING: &str = "INSERT INTO setting (name, value) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";

pub(super) fn append(db: &Connection, entry: &JournalEntry) -> rusqlite::Result<()> {
    let reason = entry.reason.as_ref();
    db.prepare_cached(APPEND)?.execute(params![
        entry.message.as_bytes(),
        entry.conversation.as_str(),
        entry.at.as_millis(),
        state_number(entry.state),
        entry.attempt,
        entry.next_attempt_at.map(|at| at.as_millis()),
        entry.server_id.as_ref().map(MessageId::as_str),
        reason.map(|reason| reason.code.as_str()),
        reason.map(|reason| reason.retryable),
        reason.and_then(retry_after),
        reason.map(|reason| reason.text.as_str()),
        kind_number(entry.kind),
    ])?;
    Ok(())
}

/// Before entries are removed.
pub(super) fn keep_head(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached(KEEP_HEAD)?.execute(()).map(drop)
}

pub(super) fn move_all(
    db: &Connection,
    from: &ConversationId,
    to: &ConversationId,
) -> rusqlite::Result<()> {
    let ids = [from.as_str(), to.as_str()];
    db.prepare_cached(MOVE)?.execute(ids).map(drop)
}

pub(super) fn after(
    db: &Connection,
    after: i64,
    most: usize,
) -> rusqlite::Result<Vec<JournalEntry>> {
    all(db, AFTER, params![after, limit(most)], decode)
}

pub(super) fn of(db: &Connection, id: ClientMessageId) -> rusqlite::Result<Vec<JournalEntry>> {
    let mut list = all(db, OF, params![id.as_bytes()], decode)?;
    sort_by_key(&mut list, |entry| entry.sequence);
    Ok(list)
}

pub(super) fn head(db: &Connection) -> rusqlite::Result<i64> {
    let mut statement = db.prepare_cached(HEAD)?;
    statement.query_row((), |row| row.get(0))
}

pub(super) fn setting(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    first(db, SETTING, params![name], |row| row.get(0))
}

pub(super) fn put_setting(db: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    db.prepare_cached(PUT_SETTING)?.execute([name, value])?;
    Ok(())
}

fn decode(row: &Row<'_>) -> rusqlite::Result<JournalEntry> {
    let columns = &mut Columns::of(row);
    let entry = JournalEntry {
        sequence: columns.take(),
        message: columns.key(),
        conversation: columns.conversation_id()?,
        at: columns.moment(),
        state: columns.state(),
        attempt: columns.take(),
        next_attempt_at: columns.moment_if(),
        server_id: columns.message_id_if(),
        reason: columns.reason(),
        kind: columns.kind(),
    };
    columns.whole(entry)
}
