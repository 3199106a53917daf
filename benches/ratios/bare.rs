//! The floor: the same rows into the same schema with as little code as there can be.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, Condvar, Mutex},
    thread::JoinHandle,
};

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use crate::store::{CONVERSATION, SCHEMA};

/// A connection with the settings of the store's writer, and one conversation.
pub(crate) fn open(path: &Path, synchronous: &str) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};
         PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;
         PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 8388608;
         PRAGMA secure_delete = FAST;"
    ))
    .unwrap();
    db.execute_batch(SCHEMA).unwrap();
    db.execute(
        "INSERT INTO conversation (pk, id, archived, server_id, participants, attributes, hidden,
         unread, stored, version) VALUES (1, ?1, 0, ?1, '[]', '{}', 0, 0, 0, 0)",
        [CONVERSATION],
    )
    .unwrap();
    db.set_prepared_statement_cache_capacity(64);
    db
}

/// What one accept writes.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) id: [u8; 16],
    pub(crate) text: String,
    pub(crate) order: i64,
    pub(crate) now: i64,
}

/// The transaction of an accept: three inserts and three updates.
pub(crate) fn accept(db: &Connection, row: &Accepted) -> rusqlite::Result<()> {
    accept_all(db, std::slice::from_ref(row))
}

/// The same of many messages in one transaction.
pub(crate) fn accept_all(db: &Connection, rows: &[Accepted]) -> rusqlite::Result<()> {
    execute(db, "BEGIN IMMEDIATE", ())?;
    rows.iter().try_for_each(|row| accept_one(db, row))?;
    execute(db, "COMMIT", ())
}

fn accept_one(db: &Connection, row: &Accepted) -> rusqlite::Result<()> {
    let key = (1_i64 << 61) + row.order * 4;
    let Accepted {
        id,
        text,
        order,
        now,
    } = row;
    execute(
        db,
        "UPDATE counter SET value = ?1 WHERE name = 'order'",
        [order],
    )?;
    execute(
        db,
        "INSERT INTO message (id, conversation, role, own, body, sort_key, state, attempts,
         created_at, completeness, deleted, unread, revision, version)
         VALUES (?1, 1, 'user', 1, ?2, ?3, 0, 0, ?4, 0, 0, 0, 0, 1)",
        params![id, text, key, now],
    )?;
    journal(db, row, 0)?;
    execute(
        db,
        "INSERT INTO outbox (message, conversation, body, durable, state, accept_order, attempt,
         failures, accepted_at, expires_at, parked)
         VALUES (?1, 1, ?2, 1, 0, ?3, 0, 0, ?4, ?4, 0)",
        params![id, text, order, now],
    )?;
    execute(
        db,
        "UPDATE conversation SET last_id = ?1, last_role = 'user', last_body = ?2, last_at = ?4,
         last_key = ?3, activity_at = ?4, stored = stored + 1, version = version + 1 WHERE pk = 1",
        params![id, text, key, now],
    )
}

/// The transaction that records an attempt: four updates and an insert.
pub(crate) fn attempt(db: &Connection, row: &Accepted) -> rusqlite::Result<()> {
    execute(db, "BEGIN IMMEDIATE", ())?;
    execute(
        db,
        "UPDATE outbox SET state = 1, attempt = 1 WHERE message = ?1",
        [&row.id],
    )?;
    journal(db, row, 1)?;
    execute(
        db,
        "UPDATE message SET state = 1, attempts = 1, version = 2 WHERE id = ?1",
        [&row.id],
    )?;
    execute(
        db,
        "UPDATE conversation SET version = version + 1 WHERE pk = 1",
        (),
    )?;
    execute(db, "COMMIT", ())
}

fn journal(db: &Connection, row: &Accepted, state: i64) -> rusqlite::Result<()> {
    let sequence = 2 * row.order + state;
    execute(
        db,
        "INSERT INTO journal (sequence, message, conversation, at, state, attempt)
         VALUES (?1, ?2, 1, ?3, ?4, ?4)",
        params![sequence, row.id, row.now, state],
    )?;
    execute(
        db,
        "UPDATE counter SET value = ?1 WHERE name = 'journal'",
        [sequence],
    )
}

/// A row of history.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: [u8; 16],
    pub(crate) server_id: String,
    pub(crate) own: bool,
    pub(crate) text: String,
    pub(crate) key: i64,
    pub(crate) at: i64,
}

/// The transaction of a page of history: one insert a row, one update of the conversation.
pub(crate) fn ingest(db: &Connection, page: &[Row]) -> rusqlite::Result<()> {
    execute(db, "BEGIN IMMEDIATE", ())?;
    for row in page {
        execute(
            db,
            "INSERT INTO message (id, conversation, server_id, role, own, body, sort_key, state,
             attempts, created_at, completeness, deleted, unread, revision, version)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, 3, 0, ?7, 0, 0, ?8, 0, 1)",
            params![
                row.id,
                row.server_id,
                if row.own { "user" } else { "assistant" },
                row.own,
                row.text,
                row.key,
                row.at,
                !row.own
            ],
        )?;
    }
    if let Some(last) = page.last() {
        execute(
            db,
            "UPDATE conversation SET last_id = ?1, last_role = 'assistant', last_body = ?2,
             last_at = ?3, last_key = ?4, activity_at = ?3, stored = stored + ?5,
             unread = unread + ?5 / 2, sync_newest = ?6, version = version + 1 WHERE pk = 1",
            params![
                last.id,
                last.text,
                last.at,
                last.key,
                i64::try_from(page.len()).unwrap(),
                last.server_id
            ],
        )?;
    }
    execute(db, "COMMIT", ())
}

fn execute(db: &Connection, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute(values).map(drop)
}

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A thread that owns a connection and is handed jobs, as the store's writer is.
pub(crate) struct WriterThread {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<(VecDeque<Job>, bool)>,
    arrived: Condvar,
}

impl WriterThread {
    pub(crate) fn start(db: Connection) -> Self {
        let queue = Arc::new(Queue::default());
        let served = Arc::clone(&queue);
        let thread = std::thread::spawn(move || {
            while let Some(jobs) = served.take_all() {
                for job in jobs {
                    job(&db);
                }
            }
        });
        Self {
            queue,
            thread: Some(thread),
        }
    }

    /// Runs the job on the thread and waits for its result.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> T {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |db| drop(reply.send(job(db))));
        self.queue.waiting.lock().unwrap().0.push_back(job);
        self.queue.arrived.notify_one();
        answer.await.unwrap()
    }
}

impl Queue {
    fn take_all(&self) -> Option<VecDeque<Job>> {
        let mut waiting = self
            .arrived
            .wait_while(self.waiting.lock().unwrap(), |(jobs, closed)| {
                jobs.is_empty() && !*closed
            })
            .unwrap();
        let jobs = std::mem::take(&mut waiting.0);
        (!jobs.is_empty()).then_some(jobs)
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.queue.waiting.lock().unwrap().1 = true;
        self.queue.arrived.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
