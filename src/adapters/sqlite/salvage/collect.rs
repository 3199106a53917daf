//! What can still be read of a damaged file, row by row.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::adapters::sqlite::{
    generic::{self, GenericRow},
    open,
    options::SqliteOptions,
};
use crate::domain::sorting::filled;

/// The tables that hold what the server does not have. Conversations first: the others name them.
const TABLES: [&str; 4] = ["conversation", "setting", "counter", "outbox"];

/// The rows that were read.
#[derive(Debug, Default)]
pub(super) struct Remains {
    /// The schema's version; zero where even that cannot be read.
    pub(super) version: i64,
    tables: Vec<(&'static str, Vec<GenericRow>)>,
}

impl Remains {
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'static str, &GenericRow)> {
        let tables = self.tables.iter();
        tables.flat_map(|(table, rows)| rows.iter().map(|row| (*table, row)))
    }

    /// The id of the conversation with that number.
    pub(super) fn conversation(&self, number: i64) -> Option<&str> {
        let mut rows = self.rows().filter(|(table, _)| *table == "conversation");
        let row = rows.find(|(_, row)| row.integer("pk") == Some(number));
        row.and_then(|(_, row)| row.text("id"))
    }

    /// The value of a counter, if it was read.
    pub(super) fn counter(&self, name: &str) -> Option<i64> {
        let mut rows = self.rows().filter(|(table, _)| *table == "counter");
        let row = rows.find(|(_, row)| row.text("name") == Some(name));
        row.and_then(|(_, row)| row.integer("value"))
    }

    /// The number of the last commit that changed something kept twice, if it was read.
    pub(super) fn number(&self) -> Option<i64> {
        self.counter("spare")
    }
}

/// Reads what can be read, without changing a byte; nothing, where the file is no database.
pub(super) fn read(options: &SqliteOptions) -> Remains {
    let Ok(db) = open::reader(options) else {
        return Remains::default();
    };
    let version = |sql: &str| db.query_row(sql, (), |row| row.get::<_, i64>(0)).ok();
    let tables = TABLES.map(|table| (table, rows(options, table)));
    let mut remains = Remains {
        version: 0,
        tables: tables.into(),
    };
    let targets = targets(&db, &remains);
    remains.tables.push(("message", targets));
    let counted = remains.counter("schema");
    let known = counted.or_else(|| version("PRAGMA user_version"));
    remains.version = known.unwrap_or_default();
    remains
}

/// The messages that waiting actions change.
fn targets(db: &Connection, remains: &Remains) -> Vec<GenericRow> {
    let waiting = remains.rows().filter(|(table, _)| *table == "outbox");
    let targets = waiting.filter_map(|(_, row)| row.blob("target"));
    let found = targets.map(|id| generic::one(db, "message", "id", &id));
    found.filter_map(|row| row.ok().flatten()).collect()
}

/// Reads from the front up to the damage, and from the back down to it.
///
/// On connections of their own: an encrypted file's reads nothing any more once it has met damage.
fn rows(options: &SqliteOptions, table: &str) -> Vec<GenericRow> {
    let open = || open::reader(options).ok();
    let keys = open().and_then(|db| Some((generic::key_columns(&db, table).ok()?, db)));
    let Some((keys, db)) = keys else {
        return Vec::new();
    };
    let Some(key) = keys.first() else {
        return Vec::new();
    };
    let (mut found, whole) = scan(&db, table, key, "ASC");
    if let Some(db) = open().as_ref().filter(|_| !whole) {
        let known: BTreeSet<String> = filled(found.iter().map(|row| name(row, key)));
        let (rest, _) = scan(db, table, key, "DESC");
        found.extend(
            rest.into_iter()
                .filter(|row| !known.contains(&name(row, key))),
        );
    }
    found
}

/// The rows up to the first that cannot be read, and whether that was all.
fn scan(db: &Connection, table: &str, key: &str, direction: &str) -> (Vec<GenericRow>, bool) {
    let sql = format!("SELECT * FROM \"{table}\" ORDER BY \"{key}\" {direction}");
    let mut found = Vec::new();
    let mut read = || -> rusqlite::Result<()> {
        let mut statement = db.prepare(&sql)?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            found.push(generic::read(row)?);
        }
        Ok(())
    };
    let whole = read().is_ok();
    (found, whole)
}

fn name(row: &GenericRow, key: &str) -> String {
    format!("{:?}", row.column(key))
}
