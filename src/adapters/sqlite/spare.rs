//! The spare: a second copy of what only this device knows, in a file of its own.
//!
//! Unsent actions and drafts exist nowhere else, so they are kept twice: in the database, and as
//! lines beside it, written soon after the commit that changed them. Damage to the database or to its
//! log, however wide, leaves the spare whole, and damage to the spare leaves the database whole.
//!
//! The database is the truth while it is whole. Each commit that changes something kept twice has
//! a number, counted in the database and written on its lines. So a look at two numbers tells
//! whether the database lost commits (the spare is ahead) or the process was killed before it
//! wrote its lines (the spare is behind, and is written anew).
//!
//! Nobody waits for the spare: the caller has its answer before, and no sync is made for it. It is
//! written in the writer's next idle moment, so that the next commit's sync has no second file to
//! wait for. After a kill or a power cut it may lack lines; the database has them.

mod contents;
mod ledger;
mod line;

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

pub(super) use self::{
    contents::{Contents, Language, is_under, language},
    ledger::{Ledger, Local},
    line::{Kept, Line, hex, unhex},
};
use super::{
    asking,
    cipher::{self, LineCipher},
    error::io_failed,
    generic::{self, GenericRow},
    migrate,
    open::run_cached,
    options::SqliteOptions,
    outbox_rows::{COUNT, COUNTED},
    probe::beside,
};
use crate::domain::{ids::ClientMessageId, ports::chat_repository::RowResult, rules::salvage};

/// Lines are added until the file is this long; then it is written anew with what is live.
const ROOM: u64 = 64 * 1024;

/// The counter of commits that changed something kept twice.
const COUNTER: &str = "spare";

/// The file, and what is known of it.
#[derive(Debug)]
pub(super) struct Spare {
    file: File,
    /// Bytes in it as far as this process knows; another process may add too.
    size: u64,
    /// Where the next look at the size is due.
    limit: u64,
    /// A line could not be written: the file no longer tells everything.
    stale: bool,
    /// Where the database is encrypted, the lines are too.
    cipher: Option<LineCipher>,
}

/// Where the spare of a store is.
pub(super) fn place(store: &Path) -> PathBuf {
    beside(store, ".spare")
}

/// The number of the last commit that changed something kept twice.
pub(super) fn number(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached(COUNTED)?
        .query_row([COUNTER], |row| row.get(0))
}

/// Counts the commit under way.
pub(super) fn count(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached(COUNT)?.execute([COUNTER]).map(drop)
}

impl Spare {
    /// Opens or creates the file; what is in it stays.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub(super) fn open(options: &SqliteOptions) -> RowResult<Self> {
        let mut how = File::options();
        let file = how.append(true).create(true).open(place(&options.path));
        let file = file.map_err(|error| io_failed(&error))?;
        let size = file.metadata().map_err(|error| io_failed(&error))?.len();
        Ok(Self {
            file,
            size,
            limit: ROOM.max(size * 2),
            stale: false,
            cipher: cipher::lines(options)?,
        })
    }

    /// Writes what the last commit changed. A failure is made good at the next commit: the
    /// database is whole, and nobody was promised more.
    pub(super) fn follow(&mut self, db: &Connection, ledger: &mut Ledger) {
        let done = one_view(db, || {
            if self.stale || self.size > self.limit {
                self.rewrite(db, ledger)
            } else {
                self.append(db, ledger)
            }
        });
        self.note(done);
    }

    /// Writes the file anew, whatever its length: nothing that is gone stays in it.
    pub(super) fn tidy(&mut self, db: &Connection, ledger: &mut Ledger) {
        let done = self.rewrite(db, ledger);
        self.note(done);
    }

    fn note(&mut self, done: Result<(), String>) {
        if let Err(kind) = done {
            self.stale = true;
            tracing::warn!(%kind, "storage.spare_failed");
        }
    }

    /// Writes the file anew from the database.
    ///
    /// # Errors
    /// What kind of failure it was.
    pub(super) fn rewrite(&mut self, db: &Connection, ledger: &mut Ledger) -> Result<(), String> {
        let lines = self.live(db, ledger).map_err(|error| said(&error))?;
        self.file.set_len(0).map_err(|error| kind(&error))?;
        self.size = 0;
        self.write(&lines)?;
        self.limit = ROOM.max(self.size * 2);
        self.stale = false;
        Ok(())
    }

    fn append(&mut self, db: &Connection, ledger: &mut Ledger) -> Result<(), String> {
        let number = number(db).map_err(|error| said(&error))?;
        let (lines, failed) = self.changed(db, number, ledger);
        self.write(&lines)?;
        failed.map_or(Ok(()), |error| Err(said(&error)))
    }

    /// One write for all lines: where several processes append, the lines of one stay together.
    fn write(&mut self, lines: &[Line]) -> Result<(), String> {
        let texts = lines.iter().map(|line| line.encode(self.cipher.as_ref()));
        let text: Option<String> = texts.collect();
        let text = text.ok_or_else(|| "cipher".to_owned())?;
        self.file
            .write_all(text.as_bytes())
            .map_err(|error| kind(&error))?;
        self.size += text.len() as u64;
        Ok(())
    }

    /// The lines of the rows that the ledger names. One that cannot be read costs no other: the
    /// file may just have been found damaged.
    fn changed(
        &self,
        db: &Connection,
        number: i64,
        ledger: &mut Ledger,
    ) -> (Vec<Line>, Option<rusqlite::Error>) {
        let changed = ledger.take();
        let (mut lines, mut failed) = (Vec::new(), None);
        let mut push = |read: rusqlite::Result<Vec<Line>>| match read {
            Ok(read) => lines.extend(read),
            Err(error) => failed = Some(error),
        };
        for id in changed.conversations {
            push(conversation_line(db, number, id, ledger).map(|line| vec![line]));
        }
        for name in changed.settings {
            let row = generic::one(db, Kept::Setting.table(), Kept::Setting.key(), &name);
            push(row.map(|row| vec![line(number, Kept::Setting, name, row)]));
        }
        for id in changed.outbox {
            push(self.action_lines(db, number, id, ledger));
        }
        (lines, failed)
    }

    /// The lines of an action, or of its end and what it left.
    fn action_lines(
        &self,
        db: &Connection,
        number: i64,
        id: ClientMessageId,
        ledger: &mut Ledger,
    ) -> rusqlite::Result<Vec<Line>> {
        let mut lines = Vec::new();
        match generic::one(db, Kept::Outbox.table(), Kept::Outbox.key(), id.as_bytes())? {
            Some(row) => self.push_entry(db, number, row, ledger, &mut lines)?,
            None => {
                let target = ledger.released(id).unwrap_or(id);
                lines.extend(message_line(db, number, target.as_bytes())?);
                lines.push(line(number, Kept::Outbox, line::hex(id.as_bytes()), None));
            }
        }
        Ok(lines)
    }

    /// Everything kept twice, and the number even where that is nothing.
    fn live(&self, db: &Connection, ledger: &mut Ledger) -> rusqlite::Result<Vec<Line>> {
        ledger.forget();
        let number = number(db)?;
        let mut lines = vec![line(number, Kept::Conversation, String::new(), None)];
        for id in drafted(db)? {
            lines.push(conversation_line(db, number, id, ledger)?);
        }
        for row in all(db, Kept::Setting.table())? {
            let name = row.text("name").unwrap_or_default().to_owned();
            if salvage::is_worth_keeping(&name) {
                lines.push(line(number, Kept::Setting, name, Some(row)));
            }
        }
        for row in all(db, Kept::Outbox.table())? {
            self.push_entry(db, number, row, ledger, &mut lines)?;
        }
        Ok(lines)
    }

    /// The line of an entry, after those of what it refers to.
    fn push_entry(
        &self,
        db: &Connection,
        number: i64,
        row: GenericRow,
        ledger: &mut Ledger,
        lines: &mut Vec<Line>,
    ) -> rusqlite::Result<()> {
        let conversation = conversation_of(db, &row)?;
        if let Some(id) = conversation.as_ref().filter(|id| !ledger.knows(id)) {
            lines.push(conversation_line(db, number, id.clone(), ledger)?);
        }
        let id = row.blob(Kept::Outbox.key());
        if let Some((id, target)) = id.zip(row.blob("target")) {
            ledger.aims(id, target);
            lines.extend(message_line(db, number, target)?);
        }
        let key = id.map(line::hex);
        lines.push(Line {
            conversation,
            ..line(number, Kept::Outbox, key.unwrap_or_default(), Some(row))
        });
        Ok(())
    }
}

/// All that is read for the lines is of one moment, and the locks are taken once.
fn one_view(db: &Connection, read: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    run_cached(db, "BEGIN").map_err(|error| said(&error))?;
    let done = read();
    // Nothing was written: however it ends, the file is as it was.
    let _ = run_cached(db, "ROLLBACK");
    done
}

/// A message as it is now; `None` where it is not.
fn message_line(db: &Connection, number: i64, id: &[u8]) -> rusqlite::Result<Option<Line>> {
    let Some(row) = generic::one(db, Kept::Message.table(), "id", &id)? else {
        return Ok(None);
    };
    Ok(Some(Line {
        conversation: conversation_of(db, &row)?,
        ..line(number, Kept::Message, line::hex(id), Some(row))
    }))
}

fn conversation_line(
    db: &Connection,
    number: i64,
    id: String,
    ledger: &mut Ledger,
) -> rusqlite::Result<Line> {
    let row = generic::one(db, Kept::Conversation.table(), "id", &id)?;
    match &row {
        Some(row) => ledger.wrote(&id, row),
        None => ledger.lost(&id),
    }
    Ok(line(number, Kept::Conversation, id, row))
}

fn line(number: i64, kept: Kept, key: String, row: Option<GenericRow>) -> Line {
    Line {
        number,
        version: migrate::latest(),
        kept,
        key,
        conversation: None,
        row,
    }
}

pub(super) fn conversation_of(
    db: &Connection,
    row: &GenericRow,
) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT id FROM conversation WHERE pk = ?1";
    let number = row.integer("conversation");
    asking::first(db, sql, &[&number], |row| row.get(0))
}

pub(super) fn drafted(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT id FROM conversation INDEXED BY conversation_drafted
        WHERE draft IS NOT NULL";
    asking::all(db, sql, &[], |row| row.get(0))
}

/// Every row of a table.
pub(super) fn all(db: &Connection, table: &str) -> rusqlite::Result<Vec<GenericRow>> {
    let sql = format!("SELECT * FROM \"{table}\"");
    asking::all(db, &sql, &[], generic::read)
}

fn kind(error: &std::io::Error) -> String {
    error.kind().to_string()
}

fn said(error: &rusqlite::Error) -> String {
    error
        .sqlite_error_code()
        .map_or_else(|| "row".to_owned(), |code| format!("{code:?}"))
}
