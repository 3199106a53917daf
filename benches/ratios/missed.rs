//! Ten thousand messages missed in five hundred conversations, read by a client that slept
//! meanwhile: the memory that it takes, and the requests where only ten conversations changed.
//!
//! The server is the reference backend in this process; the client is in a process of its own.

use std::path::Path;

use rusqlite::{Connection, params};
use tidings::usecases::catch_up::CaughtUp;
use tidings_backend::{Backend, BackendConfig, ConflictPolicy};

use crate::{
    child::{self, Other},
    device::Device,
    memory::Resident,
    report::Finding,
    store::{self, FIRST_AT, runtime, server_id, text},
};

const CONVERSATIONS: usize = 500;
const CHANGED: usize = 10;
const MISSED: usize = 10_000;
/// In each conversation that changed.
const NEWS: usize = MISSED / CONVERSATIONS;

/// The highest resident memory above that before, and the requests for a few changes.
pub(crate) fn everywhere() -> Vec<Finding> {
    let home = store::directory();
    let server = Server::start(&home.path().join("server.db"));
    let (origin, path) = (server.backend.url(), home.path().join("chat.db"));
    let mut client = Other::start(&["missed", &origin, path.to_str().unwrap()]);
    server.write(CONVERSATIONS, 1);
    assert_eq!(client.ask(), CONVERSATIONS as f64, "all is known");
    server.write(CHANGED, NEWS);
    server.backend.forget_records();
    assert_eq!(client.ask(), (CHANGED * NEWS) as f64, "the few are read");
    let requests = server.backend.requests().len() as f64;
    server.write(CONVERSATIONS, NEWS);
    assert_eq!(client.ask(), MISSED as f64, "all is read");
    let bytes = client.ask();
    drop(client);
    runtime().block_on(server.backend.stop());
    let asked = Finding::at_most("missed_requests", requests, 20.0, 1);
    let mut found = vec![asked.note("changed", CHANGED as f64)];
    // Only Linux tells.
    if !bytes.is_nan() {
        let took = Finding::at_most("missed_memory", bytes, (10 << 20) as f64, 1);
        found.push(took.note("missed", MISSED as f64));
    }
    found
}

/// The backend, and its file, into which messages are put from beside it.
struct Server {
    backend: Backend,
    file: Connection,
}

impl Server {
    fn start(path: &Path) -> Self {
        let backend = Backend::start(BackendConfig {
            store: Some(path.to_owned()),
            conflicts: ConflictPolicy::Many,
            max_active: CONVERSATIONS,
            ..BackendConfig::default()
        });
        let file = Connection::open(path).unwrap();
        file.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON")
            .unwrap();
        let server = Self {
            backend: backend.unwrap(),
            file,
        };
        server.create_all();
        server
    }

    fn create_all(&self) {
        // Whom the backend takes every caller without a token for.
        let user = "11111111-1111-4111-8111-111111111111";
        let sql = "INSERT INTO consultations (id, user_id, persona, status, started_at, updated_at)
            VALUES (?1, ?2, 'wellness_specialist', 'active', ?3, ?3)";
        self.file.execute_batch("BEGIN").unwrap();
        for n in 0..CONVERSATIONS {
            let at = FIRST_AT * 1_000_000 + n as i64;
            self.file.execute(sql, params![name(n), user, at]).unwrap();
        }
        self.file.execute_batch("COMMIT").unwrap();
    }

    /// Puts so many messages into each of the first conversations.
    fn write(&self, conversations: usize, each: usize) {
        let insert = "INSERT INTO messages (consultation_id, seq, id, role, content, created_at)
            VALUES (?1, ?2, ?3, 'assistant', ?4, ?5)";
        let touch = "UPDATE consultations SET updated_at = ?2, last_message_at = ?2 WHERE id = ?1";
        let last = "SELECT coalesce(max(seq), 0) FROM messages WHERE consultation_id = ?1";
        self.file.execute_batch("BEGIN IMMEDIATE").unwrap();
        for n in 0..conversations {
            let stored: i64 = self
                .file
                .query_row(last, [name(n)], |row| row.get(0))
                .unwrap();
            let mut at = 0;
            for seq in stored + 1..=stored + each as i64 {
                let number = n + CONVERSATIONS * seq as usize;
                at = (FIRST_AT + number as i64) * 1_000_000;
                let row = params![name(n), seq, server_id(number), text(number), at];
                self.file.execute(insert, row).unwrap();
            }
            self.file.execute(touch, params![name(n), at]).unwrap();
        }
        self.file.execute_batch("COMMIT").unwrap();
    }
}

fn name(number: usize) -> String {
    format!("c0ffee00-0000-4000-8000-{number:012x}")
}

/// The child: catches up three times, and tells each time what it found; at last, what the third
/// one took.
pub(crate) fn client(origin: &str, path: &str) {
    runtime().block_on(async {
        let device = Device::start_at(Path::new(path), origin).await;
        for _ in 0..2 {
            child::wait();
            println!("{}", caught(&device).await.new_messages);
        }
        child::wait();
        let before = Resident::reset();
        let caught = caught(&device).await;
        let after = Resident::read();
        println!("{}", caught.new_messages);
        child::wait();
        let took = before
            .zip(after)
            .map(|(before, after)| after.highest - before.now);
        println!("{}", took.map_or(f64::NAN, |took| took as f64));
        device.client.shutdown().await;
    });
}

async fn caught(device: &Device) -> CaughtUp {
    let hour = std::time::Duration::from_secs(3_600);
    let caught = device.client.catch_up_within(hour).await.unwrap();
    assert!(caught.finished);
    caught
}
