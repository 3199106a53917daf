//! Questions of statements that stay prepared, compiled once for each kind of row.

use rusqlite::{Connection, Row, ToSql};

/// What a statement's values are bound to.
type Bounds<'a> = &'a [&'a dyn ToSql];

/// How a row is read.
type Decode<T> = fn(&Row<'_>) -> rusqlite::Result<T>;

/// All rows that a question has.
///
/// # Errors
/// What SQLite said, or the first row that could not be read.
pub(super) fn all<T>(
    db: &Connection,
    sql: &str,
    bounds: Bounds<'_>,
    decode: Decode<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(bounds)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(decode(row)?);
    }
    Ok(all)
}

/// The first row that a question has.
///
/// # Errors
/// As [`all`].
pub(super) fn first<T>(
    db: &Connection,
    sql: &str,
    bounds: Bounds<'_>,
    decode: Decode<T>,
) -> rusqlite::Result<Option<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(bounds)?;
    rows.next()?.map(decode).transpose()
}
