//! Messages: append-only rows, numbered densely within their consultation.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::new_id;
use crate::clock::Nanos;

/// A stored message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) consultation_id: String,
    pub(crate) seq: u64,
    pub(crate) role: String,
    pub(crate) content: String,
    pub(crate) client_id: Option<String>,
    pub(crate) revision: u32,
    pub(crate) deleted: bool,
    pub(crate) tokens_used: Option<u32>,
    pub(crate) processing_time_ms: Option<u64>,
    pub(crate) created_at: Nanos,
}

/// What is written of a new message.
#[derive(Clone, Debug)]
pub(crate) struct NewMessage {
    pub(crate) consultation_id: String,
    pub(crate) role: &'static str,
    pub(crate) content: String,
    pub(crate) client_id: Option<String>,
    pub(crate) tokens_used: Option<u32>,
    pub(crate) processing_time_ms: Option<u64>,
}

impl NewMessage {
    pub(crate) fn user(consultation: &str, content: &str, client_id: Option<String>) -> Self {
        Self {
            consultation_id: consultation.to_owned(),
            role: "user",
            content: content.to_owned(),
            client_id,
            tokens_used: None,
            processing_time_ms: None,
        }
    }

    pub(crate) fn assistant(consultation: &str, content: &str, tokens: u32, took_ms: u64) -> Self {
        Self {
            consultation_id: consultation.to_owned(),
            role: "assistant",
            content: content.to_owned(),
            client_id: None,
            tokens_used: Some(tokens),
            processing_time_ms: Some(took_ms),
        }
    }
}

/// What came of appending.
#[derive(Clone, Debug)]
pub(crate) enum Append {
    /// A new row.
    Stored(Message),
    /// The client id is known, with the same text: this is its row.
    Duplicate(Message),
    /// The client id is known with another text.
    KeyReused,
    /// There is no such consultation.
    Gone,
    /// The consultation takes no more messages.
    NotActive,
}

/// A change to an existing message.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// New text.
    Edit(String),
    /// Only a tombstone stays.
    Delete,
}

const SELECT: &str = "SELECT id, consultation_id, seq, role, content, client_id, revision, \
     deleted, tokens_used, processing_time_ms, created_at FROM messages";

impl Message {
    /// Appends a user's message, once for each client id.
    pub(crate) fn append(
        connection: &Connection,
        new: &NewMessage,
        now: Nanos,
    ) -> rusqlite::Result<Append> {
        let consultation = super::Consultation::find(connection, &new.consultation_id)?;
        let Some(consultation) = consultation else {
            return Ok(Append::Gone);
        };
        if let Some(client_id) = &new.client_id
            && let Some(known) = Self::by_client_id(connection, &consultation.id, client_id)?
        {
            let same = known.content == new.content || known.revision > 1;
            return Ok(if same {
                Append::Duplicate(known)
            } else {
                Append::KeyReused
            });
        }
        if !consultation.is_active() {
            return Ok(Append::NotActive);
        }
        Self::insert(connection, new, now).map(Append::Stored)
    }

    /// Appends a row whatever the consultation's status; the coach may finish what was asked.
    pub(crate) fn insert(
        connection: &Connection,
        new: &NewMessage,
        now: Nanos,
    ) -> rusqlite::Result<Self> {
        let id = new_id();
        connection
            .prepare_cached(
                "INSERT INTO messages (consultation_id, seq, id, role, content, client_id, \
                 tokens_used, processing_time_ms, created_at) VALUES (?1, \
                 (SELECT coalesce(max(seq), 0) + 1 FROM messages WHERE consultation_id = ?1), \
                 ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                new.consultation_id,
                id,
                new.role,
                new.content,
                new.client_id,
                new.tokens_used,
                new.processing_time_ms
                    .map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)),
                now,
            ])?;
        connection.execute(
            "UPDATE consultations SET last_message_at = ?2, updated_at = ?2 WHERE id = ?1",
            params![new.consultation_id, now],
        )?;
        Self::find(connection, &new.consultation_id, &id)?
            .ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    pub(crate) fn find(
        connection: &Connection,
        consultation: &str,
        id: &str,
    ) -> rusqlite::Result<Option<Self>> {
        let sql = format!("{SELECT} WHERE consultation_id = ?1 AND id = ?2");
        connection
            .prepare_cached(&sql)?
            .query_row([consultation, id], Self::from_row)
            .optional()
    }

    fn by_client_id(
        connection: &Connection,
        consultation: &str,
        client_id: &str,
    ) -> rusqlite::Result<Option<Self>> {
        let sql = format!("{SELECT} WHERE consultation_id = ?1 AND client_id = ?2");
        connection
            .prepare_cached(&sql)?
            .query_row([consultation, client_id], Self::from_row)
            .optional()
    }

    pub(crate) fn count(connection: &Connection, consultation: &str) -> rusqlite::Result<u64> {
        connection.query_row(
            "SELECT count(*) FROM messages WHERE consultation_id = ?1",
            [consultation],
            |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
        )
    }

    /// Oldest first, after skipping `offset` rows.
    pub(crate) fn page(
        connection: &Connection,
        consultation: &str,
        limit: Option<u32>,
        offset: u32,
    ) -> rusqlite::Result<Vec<Self>> {
        let sql = format!("{SELECT} WHERE consultation_id = ?1 ORDER BY seq LIMIT ?2 OFFSET ?3");
        let limit = limit.map_or(-1, i64::from);
        connection
            .prepare_cached(&sql)?
            .query_map(params![consultation, limit, offset], Self::from_row)?
            .collect()
    }

    /// Oldest first, newer than `after`.
    pub(crate) fn after(
        connection: &Connection,
        consultation: &str,
        after: u64,
        limit: Option<u32>,
    ) -> rusqlite::Result<Vec<Self>> {
        let sql = format!("{SELECT} WHERE consultation_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        connection
            .prepare_cached(&sql)?
            .query_map(
                params![consultation, after, limit.map_or(-1, i64::from)],
                Self::from_row,
            )?
            .collect()
    }

    /// Applies a change and counts the revision up; a tombstone stays as it is.
    pub(crate) fn change(
        connection: &Connection,
        message: &Self,
        change: &Change,
    ) -> rusqlite::Result<Option<Self>> {
        let (content, deleted) = match change {
            Change::Edit(text) => (text.as_str(), false),
            Change::Delete => ("", true),
        };
        connection.execute(
            "UPDATE messages SET content = ?2, deleted = ?3, revision = revision + 1 \
             WHERE id = ?1 AND deleted = 0",
            params![message.id, content, deleted],
        )?;
        Self::find(connection, &message.consultation_id, &message.id)
    }

    /// Moves a read marker forward, never back; returns where it stands.
    pub(crate) fn mark_read(
        connection: &Connection,
        consultation: &str,
        user: &str,
        up_to: u64,
    ) -> rusqlite::Result<u64> {
        // A marker cannot run ahead of what exists.
        connection.query_row(
            "INSERT INTO read_markers (consultation_id, user_id, up_to_seq) VALUES (?1, ?2, \
             min(?3, (SELECT coalesce(max(seq), 0) FROM messages WHERE consultation_id = ?1))) \
             ON CONFLICT DO UPDATE SET up_to_seq = max(up_to_seq, excluded.up_to_seq) \
             RETURNING up_to_seq",
            params![consultation, user, i64::try_from(up_to).unwrap_or(i64::MAX)],
            |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
        )
    }

    pub(crate) fn read_marker(
        connection: &Connection,
        consultation: &str,
        user: &str,
    ) -> rusqlite::Result<u64> {
        connection
            .query_row(
                "SELECT up_to_seq FROM read_markers WHERE consultation_id = ?1 AND user_id = ?2",
                [consultation, user],
                |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
            )
            .optional()
            .map(Option::unwrap_or_default)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            consultation_id: row.get(1)?,
            seq: row.get::<_, i64>(2)?.unsigned_abs(),
            role: row.get(3)?,
            content: row.get(4)?,
            client_id: row.get(5)?,
            revision: row.get(6)?,
            deleted: row.get(7)?,
            tokens_used: row.get(8)?,
            processing_time_ms: row.get::<_, Option<i64>>(9)?.map(i64::unsigned_abs),
            created_at: row.get(10)?,
        })
    }
}
