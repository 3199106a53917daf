//! The question to the full-text index, and to the rows that are not in it yet.

use std::{cmp::Reverse, fmt::Write as _};

use rusqlite::{Connection, OptionalExtension, params};

use super::{asking::all, codec::limit, message_rows, search_index};
use crate::domain::{
    message::Message,
    search::{Found, Search, SearchKey, query::Query},
    sorting::sort_by_key,
    time::WallTime,
};

/// Rows outside the index that one search reads, newest first. The writer stays ahead of that many
/// unless one transaction brings more.
const UNINDEXED: usize = 10_000;

/// Walks the index from the newest key down; the rows need no sort.
pub(super) const INDEXED: &str = "SELECT rowid FROM search WHERE search MATCH ?1 AND rowid < ?2
    ORDER BY rowid DESC LIMIT ?3";

pub(super) const TAIL: &str = "SELECT pk, conversation, created_at, body FROM message
    WHERE pk > (SELECT value FROM counter WHERE name = 'search_high') AND deleted = 0
    ORDER BY pk DESC LIMIT ?1";

pub(super) const LATE: &str = "SELECT pk, conversation, created_at, body
    FROM search_late CROSS JOIN message ON pk = message
    WHERE deleted = 0 ORDER BY message DESC LIMIT ?1";

/// Whether something stored before there was an index is not in it yet.
pub(super) const BEHIND: &str = "SELECT 1 FROM message
    WHERE pk < (SELECT value FROM counter WHERE name = 'search_low') LIMIT 1";

const SCOPE: &str = "SELECT pk FROM conversation WHERE id = ?1";

/// What was found, and in what state the index is.
pub(super) struct Answer {
    pub(super) found: Found,
    /// Whether the index could not be read and has to be made again.
    pub(super) damaged: bool,
}

/// As [`search`], past an index that is damaged.
pub(super) fn ask(db: &Connection, asked: &Search) -> rusqlite::Result<Answer> {
    let mut found = search(db, asked, indexed);
    let damaged = found.as_ref().is_err_and(search_index::is_damage);
    if damaged {
        found = search(db, asked, |_, _, _| Ok(Vec::new()));
    }
    let mut found = found?;
    found.complete &= !damaged;
    Ok(Answer { found, damaged })
}

/// What is in the index and what is not, merged.
fn search(
    db: &Connection,
    search: &Search,
    indexed: impl Fn(&Connection, &Search, Option<i64>) -> rusqlite::Result<Vec<SearchKey>>,
) -> rusqlite::Result<Found> {
    let behind = db.prepare_cached(BEHIND)?.exists(())?;
    let mut found = Found {
        messages: Vec::new(),
        complete: !behind,
    };
    let scope = match &search.conversation {
        None => None,
        Some(id) => {
            let mut statement = db.prepare_cached(SCOPE)?;
            match statement
                .query_row([id.as_str()], |row| row.get(0))
                .optional()?
            {
                None => return Ok(found),
                some => some,
            }
        }
    };
    if search.query.is_empty() || search.limit == 0 {
        return Ok(found);
    }
    let mut keys = indexed(db, search, scope)?;
    for sql in [TAIL, LATE] {
        let read = unindexed(db, sql, search, scope, &mut keys)?;
        found.complete &= read < UNINDEXED;
    }
    sort_by_key(&mut keys, |key| Reverse(*key));
    keys.truncate(search.limit);
    found.messages = messages(db, &keys)?;
    Ok(found)
}

fn indexed(
    db: &Connection,
    search: &Search,
    scope: Option<i64>,
) -> rusqlite::Result<Vec<SearchKey>> {
    let before = search.before.map_or(i64::MAX, SearchKey::as_i64);
    let bounds = params![
        expression(&search.query, scope),
        before,
        limit(search.limit)
    ];
    all(db, INDEXED, bounds, |row| {
        row.get(0).map(SearchKey::from_i64)
    })
}

/// Adds the hits among rows that are not in the index; tells how many rows were read.
fn unindexed(
    db: &Connection,
    sql: &str,
    search: &Search,
    scope: Option<i64>,
    keys: &mut Vec<SearchKey>,
) -> rusqlite::Result<usize> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([limit(UNINDEXED)])?;
    let mut read = 0;
    while let Some(row) = rows.next()? {
        read += 1;
        let created_at = row.get::<_, Option<i64>>(2)?.map(WallTime::from_millis);
        let key = SearchKey::new(created_at, row.get(0)?);
        let conversation: i64 = row.get(1)?;
        if search.before.is_none_or(|before| key < before)
            && scope.is_none_or(|scope| scope == conversation)
            && search.query.matches(row.get_ref(3)?.as_str()?)
        {
            keys.push(key);
        }
    }
    Ok(read)
}

fn messages(db: &Connection, keys: &[SearchKey]) -> rusqlite::Result<Vec<(SearchKey, Message)>> {
    let mut messages = Vec::with_capacity(keys.len());
    for key in keys {
        let message = message_rows::by_number(db, key.serial())?;
        messages.extend(message.map(|message| (*key, message)));
    }
    Ok(messages)
}

/// The query in the index's language. Every word is quoted, and no word has a quote in it, so
/// nothing in it is syntax.
fn expression(query: &Query, scope: Option<i64>) -> String {
    let mut text = String::new();
    for phrase in query.phrases() {
        let and = if text.is_empty() { "" } else { " AND " };
        let star = if phrase.prefix { " *" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{and}\"{}\"{star}", phrase.words.join(" "));
    }
    match scope {
        None => format!("body : ({text})"),
        Some(pk) => format!("body : ({text}) AND conversation : \"{pk}\""),
    }
}
