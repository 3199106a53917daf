//! Consultations: rows and the questions asked of them.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::new_id;
use crate::clock::Nanos;

/// A stored consultation.
#[derive(Clone, Debug)]
pub(crate) struct Consultation {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) persona: String,
    pub(crate) status: String,
    pub(crate) goal_id: Option<String>,
    pub(crate) context_type: Option<String>,
    pub(crate) context_id: Option<String>,
    pub(crate) quick_action: Option<String>,
    pub(crate) started_at: Nanos,
    pub(crate) updated_at: Nanos,
    pub(crate) completed_at: Option<Nanos>,
    pub(crate) last_message_at: Option<Nanos>,
    pub(crate) message_count: u64,
}

/// What a new consultation is about.
#[derive(Clone, Debug)]
pub(crate) struct NewConsultation {
    pub(crate) user_id: String,
    pub(crate) persona: String,
    pub(crate) goal_id: Option<String>,
    pub(crate) context_type: Option<String>,
    pub(crate) context_id: Option<String>,
    pub(crate) quick_action: Option<String>,
}

/// Which consultations a list shows.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) user_id: String,
    pub(crate) status: String,
    pub(crate) persona: Option<String>,
    pub(crate) limit: u32,
    pub(crate) offset: u32,
}

const SELECT: &str = "SELECT id, user_id, persona, status, goal_id, context_type, context_id, \
     quick_action, started_at, updated_at, completed_at, last_message_at, \
     (SELECT count(*) FROM messages m WHERE m.consultation_id = consultations.id) \
     FROM consultations";

impl Consultation {
    pub(crate) fn is_active(&self) -> bool {
        self.status == "active"
    }

    pub(crate) fn insert(
        connection: &Connection,
        new: &NewConsultation,
        now: Nanos,
    ) -> rusqlite::Result<Self> {
        let id = new_id();
        connection.execute(
            "INSERT INTO consultations (id, user_id, persona, status, goal_id, context_type, \
             context_id, quick_action, started_at, updated_at) \
             VALUES (?1, ?2, ?3, 'active', ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                id,
                new.user_id,
                new.persona,
                new.goal_id,
                new.context_type,
                new.context_id,
                new.quick_action,
                now,
                // Production's two birth stamps differ by nanoseconds; clients must not compare.
                now + 1_507,
            ],
        )?;
        Self::find(connection, &id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    pub(crate) fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<Self>> {
        let sql = format!("{SELECT} WHERE id = ?1");
        connection
            .prepare_cached(&sql)?
            .query_row([id], Self::from_row)
            .optional()
    }

    /// What was created under this key before.
    pub(crate) fn created_under(
        connection: &Connection,
        user: &str,
        key: &str,
    ) -> rusqlite::Result<Option<Self>> {
        let sql = format!(
            "{SELECT} WHERE id = \
             (SELECT consultation_id FROM creations WHERE user_id = ?1 AND key = ?2)"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        statement.query_row([user, key], Self::from_row).optional()
    }

    pub(crate) fn note_key(&self, connection: &Connection, key: &str) -> rusqlite::Result<()> {
        connection
            .execute(
                "INSERT INTO creations (user_id, key, consultation_id) VALUES (?1, ?2, ?3)",
                [&self.user_id, key, &self.id],
            )
            .map(drop)
    }

    /// The active consultation for the same purpose, if there is one.
    pub(crate) fn twin(
        connection: &Connection,
        new: &NewConsultation,
    ) -> rusqlite::Result<Option<Self>> {
        let sql = format!(
            "{SELECT} WHERE user_id = ?1 AND status = 'active' AND persona = ?2 \
             AND context_type IS ?3 AND context_id IS ?4 AND goal_id IS ?5"
        );
        let wanted = params![
            new.user_id,
            new.persona,
            new.context_type,
            new.context_id,
            new.goal_id
        ];
        connection
            .prepare_cached(&sql)?
            .query_row(wanted, Self::from_row)
            .optional()
    }

    pub(crate) fn count_active(connection: &Connection, user: &str) -> rusqlite::Result<usize> {
        connection.query_row(
            "SELECT count(*) FROM consultations WHERE user_id = ?1 AND status = 'active'",
            [user],
            |row| {
                row.get::<_, i64>(0)
                    .map(|n| usize::try_from(n).unwrap_or(0))
            },
        )
    }

    /// A page, newest first, and how many there are in all.
    pub(crate) fn list(
        connection: &Connection,
        filter: &Filter,
    ) -> rusqlite::Result<(Vec<Self>, u64)> {
        let condition = "user_id = ?1 AND status = ?2 AND (?3 IS NULL OR persona = ?3)";
        let total = connection.query_row(
            &format!("SELECT count(*) FROM consultations WHERE {condition}"),
            params![filter.user_id, filter.status, filter.persona],
            |row| row.get::<_, i64>(0),
        )?;
        let sql = format!(
            "{SELECT} WHERE {condition} ORDER BY started_at DESC, rowid DESC LIMIT ?4 OFFSET ?5"
        );
        let page = connection
            .prepare_cached(&sql)?
            .query_map(
                params![
                    filter.user_id,
                    filter.status,
                    filter.persona,
                    filter.limit,
                    filter.offset
                ],
                Self::from_row,
            )?
            .collect::<rusqlite::Result<_>>()?;
        Ok((page, u64::try_from(total).unwrap_or(0)))
    }

    pub(crate) fn complete(
        connection: &Connection,
        id: &str,
        now: Nanos,
    ) -> rusqlite::Result<Option<Self>> {
        let changed = connection.execute(
            "UPDATE consultations SET status = 'completed', completed_at = ?2, updated_at = ?2 \
             WHERE id = ?1 AND status = 'active'",
            params![id, now],
        )?;
        if changed == 0 {
            Ok(None)
        } else {
            Self::find(connection, id)
        }
    }

    pub(crate) fn delete(connection: &Connection, id: &str) -> rusqlite::Result<()> {
        connection
            .execute("DELETE FROM consultations WHERE id = ?1", [id])
            .map(drop)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            user_id: row.get(1)?,
            persona: row.get(2)?,
            status: row.get(3)?,
            goal_id: row.get(4)?,
            context_type: row.get(5)?,
            context_id: row.get(6)?,
            quick_action: row.get(7)?,
            started_at: row.get(8)?,
            updated_at: row.get(9)?,
            completed_at: row.get(10)?,
            last_message_at: row.get(11)?,
            message_count: row.get::<_, i64>(12)?.unsigned_abs(),
        })
    }
}
