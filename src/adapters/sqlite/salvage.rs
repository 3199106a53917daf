//! What happens to a damaged file: it is moved aside and kept, and a fresh one begins with all that
//! only this device knew. The rest comes from the server again.
//!
//! The steps, so that a kill between any two of them loses nothing and is made good at the next
//! opening: read what can be read of the damaged file, and the spare; build the fresh store beside
//! it; give that its last name but one, which says that it is whole; move the damaged files aside;
//! give the fresh store their name. Nothing is deleted but an unfinished fresh store.

mod aside;
mod collect;
pub(super) mod compare;

use std::{collections::BTreeSet, path::Path};

use rusqlite::{Connection, types::Value};

pub(super) use self::aside::finish;
use self::collect::Remains;
use super::{
    conversation_rows,
    error::failed,
    generic, migrate, open,
    options::SqliteOptions,
    rows::SqliteRows,
    search_index,
    spare::{self, Contents, Kept, Ledger, Line, hex, unhex},
};
use crate::domain::{
    conversation::{Conversation, ServerConversation},
    ids::ConversationId,
    ports::chat_repository::RowResult,
    rules::salvage as rules,
    sorting::{filled, sort_by},
};

/// How far the journal goes on behind its counter, which tells of removed entries only: beyond any
/// number that was given.
const JOURNAL_BEYOND: i64 = 1 << 32;

/// The number of the state `Uncertain`: sent or not, nobody here knows.
const UNCERTAIN: i64 = 2;

/// The numbers of the states of what the server has: `Sent`, `Delivered`, `Read`.
const KNOWN_FIRST: i64 = 3;
const KNOWN_LAST: i64 = 5;

/// Replaces a damaged file; the caller has the store alone.
///
/// # Errors
/// Where the fresh file cannot be written. The damaged one is where it was then.
pub(super) fn replace(options: &SqliteOptions) -> RowResult<()> {
    let store = &options.path;
    let spare = Contents::read(options)?;
    let remains = collect::read(options);
    let stage = aside::stage(store)?;
    build(options, &stage, &remains, &spare)?;
    aside::ready(store)?;
    aside::finish(store)?;
    tracing::error!("storage.salvaged");
    Ok(())
}

fn build(
    options: &SqliteOptions,
    stage: &Path,
    remains: &Remains,
    spare: &Contents,
) -> RowResult<()> {
    let mut db = open::fresh(options, stage)?;
    let sources = Sources::weigh(remains, spare);
    for version in sources.versions() {
        migrate::run_to(&mut db, version)?;
        let step = db.transaction().map_err(failed)?;
        sources.insert(&step, version).map_err(failed)?;
        step.commit().map_err(failed)?;
    }
    migrate::run(&mut db)?;
    let step = db.transaction().map_err(failed)?;
    mend_unreadable(&step, spare).map_err(failed)?;
    count_on(&step, remains, spare).map_err(failed)?;
    // Of the rows that it tells of none is here.
    search_index::clear(&step).map_err(failed)?;
    let lost = sources.lost(&step).map_err(failed)?;
    conclude(&step, &aside::name(&options.path), lost)?;
    step.commit().map_err(failed)?;
    db.close().map_err(|(_, error)| failed(error))
}

/// A row can be whole for the database and say nothing that we understand: of such a conversation
/// its id is kept, and its draft, where the spare has it.
fn mend_unreadable(db: &Connection, spare: &Contents) -> rusqlite::Result<()> {
    for row in spare::all(db, Kept::Conversation.table())? {
        let Some(id) = row.text("id").and_then(ConversationId::parse) else {
            db.execute(
                "DELETE FROM conversation WHERE pk = ?1",
                [row.integer("pk")],
            )?;
            continue;
        };
        if !matches!(conversation_rows::one(db, &id), Ok(Some(_))) {
            let draft = spare
                .conversations()
                .find(|(known, _)| *known == id.as_str());
            let mut bare = Conversation::new(ServerConversation::bare(id));
            bare.draft = draft.and_then(|(_, row)| row.text("draft").map(str::to_owned));
            conversation_rows::replace(db, &bare)?;
        }
    }
    Ok(())
}

/// Makes the rows one store again, and leaves word for the app.
fn conclude(db: &Connection, kept: &str, lost: u64) -> RowResult<()> {
    let mut ledger = Ledger::default();
    let rows = &mut SqliteRows::writing(db, &mut ledger);
    rules::forget_gone(rows)?;
    rules::begin_anew(rows)?;
    let lost = lost + rules::complete(rows)?;
    let salvaged = rules::count(rows, kept, lost)?;
    rules::leave_word(rows, &salvaged)
}

/// Numbers that were given are not given again.
fn count_on(db: &Connection, remains: &Remains, spare: &Contents) -> rusqlite::Result<()> {
    let orders = spare.outbox().filter_map(|line| line.row.as_ref());
    let orders = orders.filter_map(|row| row.integer("accept_order"));
    let journal = remains.counter("journal").unwrap_or_default();
    let number = remains.number().max(Some(spare.last)).unwrap_or_default();
    let in_table = "SELECT coalesce(max(accept_order), 0) FROM outbox";
    let in_table: i64 = db.query_row(in_table, (), |row| row.get(0))?;
    let order = orders.max().unwrap_or_default().max(in_table);
    for (name, least) in [
        ("order", order),
        ("journal", journal.saturating_add(JOURNAL_BEYOND)),
        ("spare", number + 1),
    ] {
        let sql = "UPDATE counter SET value = max(value, ?2) WHERE name = ?1";
        db.execute(sql, (name, least))?;
    }
    Ok(())
}

/// The rows to take, from the damaged file and from the spare.
struct Sources<'a> {
    remains: &'a Remains,
    spare: &'a Contents,
    /// The spare knows every commit, so what is not in it is not unsent.
    spare_is_whole: bool,
}

impl<'a> Sources<'a> {
    fn weigh(remains: &'a Remains, spare: &'a Contents) -> Self {
        // Where the database's own count cannot be read, the spare's word is the better one.
        let ahead = remains.number().is_none_or(|number| spare.last >= number);
        Self {
            remains,
            spare,
            spare_is_whole: ahead && !spare.torn && spare.last > 0,
        }
    }

    /// The versions of the schema that the rows were written with, in order.
    fn versions(&self) -> Vec<i64> {
        let of_spare = self.spare.lines().map(|line| line.version);
        let mut versions: Vec<i64> = of_spare.chain([self.remains.version]).collect();
        versions.retain(|version| (1..=migrate::latest()).contains(version));
        sort_by(&mut versions, i64::cmp);
        versions.dedup();
        versions
    }

    /// Inserts the rows that were written with that version.
    fn insert(&self, db: &Connection, version: i64) -> rusqlite::Result<()> {
        if version == self.remains.version {
            self.insert_remains(db)?;
        }
        let lines = self.spare.lines().filter(|line| line.version == version);
        for line in lines.filter(|line| self.is_wanted(line)) {
            restore(db, line, !self.spare_is_whole)?;
        }
        Ok(())
    }

    /// Of messages those that the server cannot tell of, and those that waiting changes refer to.
    fn is_wanted(&self, line: &Line) -> bool {
        let Some(row) = line.row.as_ref().filter(|_| line.kept == Kept::Message) else {
            return true;
        };
        let id = row.blob("id");
        let targets = self.spare.outbox().filter_map(|line| line.row.as_ref());
        let mut targets = targets.filter_map(|row| row.blob("target"));
        !matches!(row.integer("state"), Some(KNOWN_FIRST..=KNOWN_LAST))
            || targets.any(|target| Some(target) == id)
    }

    fn insert_remains(&self, db: &Connection) -> rusqlite::Result<()> {
        for (table, row) in self.remains.rows() {
            if !(self.spare_is_whole && table == Kept::Outbox.table()) {
                self.insert_remaining(db, table, row.clone())?;
            }
        }
        if self.spare_is_whole {
            // Each draft is in the spare, as it was last.
            db.execute("UPDATE conversation SET draft = NULL", ())?;
            for line in self.spare.gone_after(i64::MIN) {
                remove(db, line)?;
            }
        }
        Ok(())
    }
}

impl Sources<'_> {
    /// Inserts a row of the damaged file, whose conversation may have another number here.
    fn insert_remaining(
        &self,
        db: &Connection,
        table: &str,
        mut row: generic::GenericRow,
    ) -> rusqlite::Result<()> {
        if table == Kept::Conversation.table() {
            let id = row.text("id").unwrap_or_default();
            if generic::one(db, table, "id", &id)?.is_some() {
                return Ok(());
            }
        } else if let Some(number) = row.integer("conversation") {
            let number = match self.remains.conversation(number) {
                Some(id) => number_of(db, id)?,
                None => Value::Null,
            };
            row.set("conversation", number);
        }
        row.remove("pk");
        generic::insert(db, table, &row).map(drop)
    }

    /// How many unsent actions are not in the fresh store.
    fn lost(&self, db: &Connection) -> rusqlite::Result<u64> {
        let key = key_of(db, Kept::Outbox)?;
        let unsent = self.spare.outbox().map(|line| line.key.clone());
        let mut wanted: BTreeSet<String> = filled(unsent);
        if !self.spare_is_whole {
            let rows = self.remains.rows();
            let rows = rows.filter(|(table, _)| *table == Kept::Outbox.table());
            wanted.extend(rows.filter_map(|(_, row)| row.blob(&key).map(hex)));
        }
        for row in spare::all(db, Kept::Outbox.table())? {
            wanted.remove(&row.blob(&key).map(hex).unwrap_or_default());
        }
        Ok(wanted.len() as u64)
    }
}

/// Removes what the spare says is gone.
pub(super) fn remove(db: &Connection, line: &Line) -> rusqlite::Result<()> {
    match (line.kept, unhex(&line.key)) {
        (Kept::Conversation, _) => {
            db.execute("DELETE FROM conversation WHERE id = ?1", [&line.key])?;
        }
        (Kept::Setting, _) | (_, None) => {}
        (kept, Some(id)) => {
            let key = key_of(db, kept)?;
            let sql = format!("DELETE FROM {} WHERE \"{key}\" = ?1", kept.table());
            db.execute(&sql, [id])?;
        }
    }
    Ok(())
}

/// The column that a line's key stands for, in a schema that may be an older one.
pub(super) fn key_of(db: &Connection, kept: Kept) -> rusqlite::Result<String> {
    match kept {
        Kept::Conversation | Kept::Message | Kept::Setting => Ok(kept.key().to_owned()),
        Kept::Outbox => {
            let keys = generic::key_columns(db, kept.table())?;
            Ok(keys.into_iter().next().unwrap_or_default())
        }
    }
}

/// Inserts a row of the spare; `doubtful` where it may have been settled since.
pub(super) fn restore(db: &Connection, line: &Line, doubtful: bool) -> rusqlite::Result<()> {
    let Some(mut row) = line.row.clone() else {
        return Ok(());
    };
    match line.kept {
        Kept::Conversation => return restore_conversation(db, line, row),
        Kept::Message => row.remove("pk"),
        Kept::Outbox if doubtful => {
            let key = key_of(db, line.kept)?;
            if generic::one(db, line.kept.table(), &key, &unhex(&line.key))?.is_some() {
                return Ok(());
            }
            row.set("state", Value::Integer(UNCERTAIN));
        }
        Kept::Outbox | Kept::Setting => {}
    }
    if let Some(id) = &line.conversation {
        if line.version == migrate::latest() {
            ensure(db, id)?;
        }
        row.set("conversation", number_of(db, id)?);
    }
    generic::insert(db, line.kept.table(), &row).map(drop)
}

/// A conversation that is there keeps its row, and gets back what is local of it.
fn restore_conversation(
    db: &Connection,
    line: &Line,
    mut row: generic::GenericRow,
) -> rusqlite::Result<()> {
    if generic::one(db, "conversation", "id", &line.key)?.is_none() {
        // Its number may be another's by now.
        row.remove("pk");
        return generic::insert(db, "conversation", &row).map(drop);
    }
    for local in ["draft", "title", "archived", "completing"] {
        if let Some(value) = row.column(local) {
            let sql = format!("UPDATE conversation SET {local} = ?2 WHERE id = ?1");
            db.execute(&sql, (&line.key, value))?;
        }
    }
    Ok(())
}

/// A conversation whose row was damaged in both copies: what is unsent in it needs one.
fn ensure(db: &Connection, id: &str) -> rusqlite::Result<()> {
    let known = generic::one(db, "conversation", "id", &id)?.is_some();
    match ConversationId::parse(id).filter(|_| !known) {
        Some(id) => {
            let bare = Conversation::new(ServerConversation::bare(id));
            conversation_rows::put(db, None, &bare)
        }
        None => Ok(()),
    }
}

fn number_of(db: &Connection, conversation: &str) -> rusqlite::Result<Value> {
    let row = generic::one(db, "conversation", "id", &conversation)?;
    let number = row.and_then(|row| row.integer("pk"));
    Ok(number.map_or(Value::Null, Value::Integer))
}
