//! A full-text index whose pages are damaged is no reason to give a store up: it repeats what the
//! messages say, so it is left out of the file and made again.

use rusqlite::Connection;

use super::{asking::all, error::failed, migrate, open::must_be_whole, search_index};
use crate::domain::ports::{RepositoryError, chat_repository::RowResult};

/// The index, its shadow tables, and what waits for it.
const OURS: &str = "tbl_name IN ('search', 'search_data', 'search_idx', 'search_content',
    'search_docsize', 'search_config', 'search_late')";

/// As the migrations made them.
const CREATE: &str = "
    CREATE VIRTUAL TABLE search USING fts5(
        body, conversation,
        content = '', columnsize = 0, tokenize = 'ascii', prefix = '2 3'
    );
    INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
    CREATE TABLE search_late (
        message INTEGER PRIMARY KEY REFERENCES message (pk) ON DELETE CASCADE,
        ready   INTEGER NOT NULL CHECK (ready IN (0, 1))
    ) STRICT;
    CREATE INDEX search_ready ON search_late (message) WHERE ready = 1;
";

/// Makes the index anew where nothing else of the file is damaged; whether that was so and the
/// file is whole now.
///
/// # Errors
/// What SQLite said; nothing but the index was touched.
pub(super) fn mend(db: &Connection) -> RowResult<bool> {
    if must_be_whole(db) != Err(RepositoryError::Corrupt) || !all_else_is_whole(db)? {
        return Ok(false);
    }
    tracing::warn!("storage.search_renewed");
    renew(db).map_err(failed)?;
    Ok(must_be_whole(db).is_ok())
}

fn all_else_is_whole(db: &Connection) -> RowResult<bool> {
    if names(db).map_err(failed)? != expected()? {
        return Ok(false);
    }
    let mut whole = true;
    for (kind, name) in names(db).map_err(failed)? {
        if kind == "table" {
            let sql = format!("PRAGMA integrity_check('{name}')");
            let word = db.query_row(&sql, (), |row| row.get::<_, String>(0));
            whole &= word.is_ok_and(|word| word == "ok");
        }
    }
    Ok(whole)
}

/// What is in the schema beside the index.
fn names(db: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let sql = format!(
        "SELECT type, name FROM sqlite_schema
         WHERE NOT ({OURS}) AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY type, name"
    );
    all(db, &sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The same of a store that was just made.
fn expected() -> RowResult<Vec<(String, String)>> {
    let mut new = Connection::open_in_memory().map_err(failed)?;
    migrate::run(&mut new)?;
    names(&new).map_err(failed)
}

/// Dropping the tables would read their pages, which cannot be trusted; without their lines in the
/// schema, a vacuum leaves them behind.
fn renew(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("PRAGMA writable_schema = ON")?;
    let forgotten = db.execute_batch(&format!("DELETE FROM sqlite_schema WHERE {OURS}"));
    db.execute_batch("PRAGMA writable_schema = RESET")?;
    forgotten?;
    db.execute_batch("VACUUM")?;
    let step = db.unchecked_transaction()?;
    step.execute_batch(CREATE)?;
    search_index::clear(&step)?;
    step.commit()
}
