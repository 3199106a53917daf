//! A row as its columns: one list a table, from which the statements that write it are made.
//!
//! SQLite writes every index anew that holds a column which an UPDATE names, changed or not. One
//! that names just what changed leaves the others alone, and a page that stays clean is neither
//! written to the log nor copied back from it.

use std::{borrow::Cow, sync::OnceLock};

use rusqlite::{
    Connection, ToSql, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Number(i64),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Cell<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Cell<'_> {
    fn from(is: bool) -> Self {
        Self::Number(is.into())
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<&'a [u8; 16]> for Cell<'a> {
    fn from(key: &'a [u8; 16]) -> Self {
        Self::Bytes(key)
    }
}

/// A column, and what a row has in it.
pub(super) struct Column<T: 'static> {
    name: &'static str,
    slot: &'static str,
    cell: for<'a> fn(&'a T) -> Cell<'a>,
}

impl<T> Column<T> {
    pub(super) const fn new(name: &'static str, cell: for<'a> fn(&'a T) -> Cell<'a>) -> Self {
        let slot = "?";
        Self { name, slot, cell }
    }

    /// The number of the conversation that has this id.
    pub(super) const fn conversation(cell: for<'a> fn(&'a T) -> Cell<'a>) -> Self {
        Self {
            name: "conversation",
            slot: "(SELECT pk FROM conversation WHERE id = ?)",
            cell,
        }
    }
}

/// A table whose rows are written whole or by what changed.
pub(super) struct Table<T: 'static> {
    name: &'static str,
    /// The key, which never changes, comes first.
    columns: &'static [Column<T>],
    insert: OnceLock<String>,
    insert_if_new: OnceLock<String>,
}

impl<T> Table<T> {
    pub(super) const fn new(name: &'static str, columns: &'static [Column<T>]) -> Self {
        Self {
            name,
            columns,
            insert: OnceLock::new(),
            insert_if_new: OnceLock::new(),
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Where a constraint refuses it; nothing is changed then.
    pub(super) fn insert(&self, db: &Connection, row: &T) -> rusqlite::Result<()> {
        let sql = self.insert.get_or_init(|| self.insert_sql());
        self.bind(db, sql, row).map(drop)
    }

    /// Adds a row, unless there is one with its key; whether it did.
    ///
    /// # Errors
    /// Where another constraint refuses it; nothing is changed then.
    pub(super) fn insert_if_new(&self, db: &Connection, row: &T) -> rusqlite::Result<bool> {
        let sql = || {
            let (sql, key) = (self.insert_sql(), self.key());
            format!("{sql} ON CONFLICT ({key}) DO NOTHING")
        };
        let sql = self.insert_if_new.get_or_init(sql);
        Ok(self.bind(db, sql, row)? > 0)
    }

    /// Adds a row, or writes all of it over the one that has its key.
    ///
    /// # Errors
    /// As [`Self::insert`].
    pub(super) fn replace(&self, db: &Connection, row: &T) -> rusqlite::Result<()> {
        let rest = self.columns.iter().skip(1);
        let set: Vec<_> = rest
            .map(|column| format!("{0} = excluded.{0}", column.name))
            .collect();
        let (sql, key, set) = (self.insert_sql(), self.key(), set.join(", "));
        let sql = format!("{sql} ON CONFLICT ({key}) DO UPDATE SET {set}");
        self.bind(db, &sql, row).map(drop)
    }

    fn bind(&self, db: &Connection, sql: &str, row: &T) -> rusqlite::Result<usize> {
        let cells = self.columns.iter().map(|column| (column.cell)(row));
        db.prepare_cached(sql)?.execute(params_from_iter(cells))
    }

    /// Writes what differs from the row as it is stored.
    ///
    /// # Errors
    /// As [`Self::insert`], or where there is no such row.
    pub(super) fn update(&self, db: &Connection, before: &T, after: &T) -> rusqlite::Result<()> {
        let (changed, mut cells): (Vec<_>, Vec<_>) = self
            .columns
            .iter()
            .map(|column| (column, (column.cell)(after)))
            .filter(|(column, cell)| (column.cell)(before) != *cell)
            .unzip();
        if changed.is_empty() {
            return Ok(());
        }
        cells.extend(self.columns.first().map(|key| (key.cell)(after)));
        let sql = self.update_sql(changed);
        match db.prepare_cached(&sql)?.execute(params_from_iter(cells))? {
            0 => Err(rusqlite::Error::QueryReturnedNoRows),
            _ => Ok(()),
        }
    }

    fn insert_sql(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name).collect();
        let slots: Vec<_> = self.columns.iter().map(|column| column.slot).collect();
        let (table, names, slots) = (self.name, names.join(", "), slots.join(", "));
        format!("INSERT INTO {table} ({names}) VALUES ({slots})")
    }

    fn update_sql<'a>(&self, changed: impl IntoIterator<Item = &'a Column<T>>) -> String {
        let mut sql = format!("UPDATE {} SET ", self.name);
        for (at, column) in changed.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            sql.extend([comma, column.name, " = ", column.slot]);
        }
        sql.extend([" WHERE ", self.key(), " = ?"]);
        sql
    }

    fn key(&self) -> &'static str {
        self.columns.first().map_or("", |key| key.name)
    }

    /// The statement of an update that changes all there is.
    #[cfg(test)]
    pub(super) fn widest_update(&self) -> String {
        self.update_sql(&self.columns[1..])
    }
}
