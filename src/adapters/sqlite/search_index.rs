//! The full-text index: what leaves it at once, and what the writer takes in later.
//!
//! A commit never waits for the index. New rows are above a high-water mark until the writer has
//! an idle moment; rows that still change, such as an answer that streams in or a message that
//! waits to be confirmed, are only noted. What is deleted or replaced leaves the index in the very
//! transaction that says so.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    asking::{all, first},
    codec::{completeness_number, limit, state_number},
};
use crate::domain::{
    delivery::DeliveryState,
    ids::{ClientMessageId, ConversationId},
    message::{Completeness, Message},
    search::{
        SearchKey,
        words::{self, Words},
    },
    time::WallTime,
};

/// Rows taken in by one round: some milliseconds, so that who comes meanwhile hardly waits.
pub(super) const ROUND: usize = 128;

/// From how many rows on a removed conversation costs less as a new index than word by word.
const MANY: usize = 2_000;

/// A row's columns that matter to the index, and where the index stands.
macro_rules! place {
    ($rest:literal) => {
        concat!(
            "SELECT pk, conversation, body, created_at, deleted, state, completeness,
             (SELECT ready FROM search_late WHERE message = message.pk),
             (SELECT value FROM counter WHERE name = 'search_high'),
             (SELECT value FROM counter WHERE name = 'search_low')
             FROM message ",
            $rest
        )
    };
}

pub(super) const ONE: &str = place!("WHERE id = ?1");

pub(super) const OF_CONVERSATION: &str = place!(
    "INDEXED BY message_visible WHERE deleted = 0
     AND conversation = (SELECT pk FROM conversation WHERE id = ?1) LIMIT ?2"
);

pub(super) const READY: &str = place!(
    "WHERE pk IN (SELECT message FROM search_late INDEXED BY search_ready WHERE ready = 1
     LIMIT ?1)"
);

pub(super) const NEW: &str = place!(
    "WHERE pk > (SELECT value FROM counter WHERE name = 'search_high') ORDER BY pk LIMIT ?1"
);

pub(super) const OLD: &str = place!(
    "WHERE pk < (SELECT value FROM counter WHERE name = 'search_low') ORDER BY pk DESC LIMIT ?1"
);

const ADD: &str = "INSERT INTO search (rowid, body, conversation) VALUES (?1, ?2, ?3)";

const TAKE_OUT: &str =
    "INSERT INTO search (search, rowid, body, conversation) VALUES ('delete', ?1, ?2, ?3)";

const CLEAR: &str = "INSERT INTO search (search) VALUES ('delete-all')";

const NOTE: &str = "INSERT INTO search_late (message, ready) VALUES (?1, ?2)
    ON CONFLICT (message) DO UPDATE SET ready = ?2 WHERE ready <> ?2";

const DONE: &str = "DELETE FROM search_late WHERE message = ?1";

const MARK: &str = "UPDATE counter SET value = ?2 WHERE name = ?1";

/// A number that a removed row had may be given again, and must be above the mark then.
const LOWER: &str = "UPDATE counter SET value = coalesce((SELECT max(pk) FROM message), 0)
    + (name = 'search_low')
    WHERE name IN ('search_high', 'search_low')
    AND value > coalesce((SELECT max(pk) FROM message), 0) + (name = 'search_low')";

/// The counter that tells of which version's words the index is made.
const WORDS: &str = "search_words";

/// The highest number of a row.
const LAST: &str = "SELECT coalesce(max(pk), 0) FROM message";

/// A row of `message`, as the index sees it.
pub(super) struct Place {
    pk: i64,
    conversation: i64,
    body: String,
    created_at: Option<WallTime>,
    deleted: bool,
    resting: bool,
    /// Whether it is noted, and if so, whether as ready.
    late: Option<bool>,
    /// Whether the indexer has passed it.
    passed: bool,
}

impl Place {
    fn decode(row: &Row<'_>) -> rusqlite::Result<Self> {
        let pk = row.get(0)?;
        let (state, completeness): (i64, i64) = (row.get(5)?, row.get(6)?);
        let (high, low): (i64, i64) = (row.get(8)?, row.get(9)?);
        Ok(Self {
            pk,
            conversation: row.get(1)?,
            body: row.get(2)?,
            created_at: row.get::<_, Option<i64>>(3)?.map(WallTime::from_millis),
            deleted: row.get(4)?,
            resting: is_resting(state, completeness),
            late: row.get(7)?,
            passed: (low..=high).contains(&pk),
        })
    }

    /// Whether its words are in the index.
    const fn is_in(&self) -> bool {
        self.passed && self.late.is_none() && !self.deleted
    }

    fn key(&self) -> i64 {
        SearchKey::new(self.created_at, self.pk).as_i64()
    }

    fn put(&self, db: &Connection, sql: &str) -> rusqlite::Result<()> {
        let words = Words::of(&self.body);
        // A number of ours: no other row's key may stand for it.
        if words.is_empty() || self.pk > SearchKey::LAST_SERIAL {
            return Ok(());
        }
        let entry = params![self.key(), words.joined(), self.conversation.to_string()];
        db.prepare_cached(sql)?.execute(entry).map(drop)
    }

    /// Whether the index would hold the same of the message that takes this row's place.
    fn says_the_same(&self, after: &Message, conversation: Option<i64>) -> bool {
        let key = SearchKey::new(after.created_at, self.pk).as_i64();
        !after.deleted
            && resting(after)
            && self.key() == key
            && self.body == after.text
            && conversation == Some(self.conversation)
    }
}

/// Whether a row is likely to stay as it is: not one whose answer streams in, which changes four
/// times a second, nor one that waits to be confirmed, which changes its time.
fn is_resting(state: i64, completeness: i64) -> bool {
    let waits = [
        DeliveryState::Queued,
        DeliveryState::Sending,
        DeliveryState::Uncertain,
    ];
    completeness != completeness_number(Completeness::Streaming)
        && !waits.iter().any(|waiting| state_number(*waiting) == state)
}

fn resting(message: &Message) -> bool {
    is_resting(
        state_number(message.state),
        completeness_number(message.completeness),
    )
}

/// Where the row stands, if the change that is about to be made to it concerns the index.
pub(super) fn before_update(
    db: &Connection,
    before: &Message,
    after: &Message,
) -> rusqlite::Result<Option<Place>> {
    if !concerns(before, after) {
        return Ok(None);
    }
    let place = place_of(db, after.id)?;
    Ok(place.filter(|place| place.passed))
}

/// Whether the index holds the row, or is to hold it, and something else than it did. A row that
/// does not rest is not in the index, whatever it says.
fn concerns(before: &Message, after: &Message) -> bool {
    let rests = resting(after);
    resting(before) != rests
        || before.deleted != after.deleted
        || rests
            && (before.text != after.text
                || before.created_at != after.created_at
                || before.conversation != after.conversation)
}

fn place_of(db: &Connection, id: ClientMessageId) -> rusqlite::Result<Option<Place>> {
    let mut statement = db.prepare_cached(ONE)?;
    let place = statement.query_row([id.as_bytes()], Place::decode);
    place.optional()
}

/// Makes the index follow a change that was made to a row.
pub(super) fn after_update(
    db: &Connection,
    before: &Place,
    after: &Message,
) -> rusqlite::Result<()> {
    if before.is_in() {
        let same = before.says_the_same(after, number_of(db, &after.conversation)?);
        if same || !take_out(db, [before])? {
            return Ok(());
        }
    }
    match after.deleted {
        true => done(db, before.pk),
        false => note(db, before.pk, resting(after)),
    }
}

/// The row that is about to be removed.
pub(super) fn before_remove(
    db: &Connection,
    id: ClientMessageId,
) -> rusqlite::Result<Option<Place>> {
    place_of(db, id)
}

/// The rows that are about to be removed with their conversation, or as many as are too many.
pub(super) fn before_remove_all(
    db: &Connection,
    of: &ConversationId,
) -> rusqlite::Result<Vec<Place>> {
    let bounds = params![of.as_str(), limit(MANY)];
    all(db, OF_CONVERSATION, bounds, Place::decode)
}

/// Makes the index forget rows that were removed.
pub(super) fn after_remove<'a>(
    db: &Connection,
    places: impl ExactSizeIterator<Item = &'a Place>,
) -> rusqlite::Result<()> {
    if places.len() >= MANY {
        return clear(db);
    }
    if take_out(db, places.filter(|place| place.is_in()))? {
        db.prepare_cached(LOWER)?.execute(())?;
    }
    Ok(())
}

/// Empties the index; the rows are taken in again, newest first.
pub(super) fn clear(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached(CLEAR)?.execute(())?;
    db.execute("DELETE FROM search_late", ())?;
    let last: i64 = db.query_row(LAST, (), |row| row.get(0))?;
    mark(db, "search_high", last)?;
    mark(db, "search_low", last + 1)
}

/// Takes the words of rows out; `false` where the index was damaged and is made again instead.
fn take_out<'a>(
    db: &Connection,
    places: impl IntoIterator<Item = &'a Place>,
) -> rusqlite::Result<bool> {
    let mut places = places.into_iter().peekable();
    if places.peek().is_none() {
        return Ok(true);
    }
    let taken = places.try_for_each(|place| place.put(db, TAKE_OUT));
    match taken.and_then(|()| flush(db)) {
        Err(error) if is_damage(&error) => clear(db).map(|()| false),
        done => done.map(|()| true),
    }
}

/// Makes the index write what it has gathered. It would do so at the commit, and damage that it
/// finds only then would cost all that is committed.
fn flush(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("SAVEPOINT search")?.execute(())?;
    db.prepare_cached("RELEASE search")?.execute(()).map(drop)
}

fn done(db: &Connection, pk: i64) -> rusqlite::Result<()> {
    db.prepare_cached(DONE)?.execute([pk]).map(drop)
}

fn note(db: &Connection, pk: i64, ready: bool) -> rusqlite::Result<()> {
    db.prepare_cached(NOTE)?.execute(params![pk, ready])?;
    Ok(())
}

fn mark(db: &Connection, name: &str, value: i64) -> rusqlite::Result<()> {
    db.prepare_cached(MARK)?.execute(params![name, value])?;
    Ok(())
}

fn number_of(db: &Connection, id: &ConversationId) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT pk FROM conversation WHERE id = ?1";
    first(db, sql, params![id.as_str()], |row| row.get(0))
}

/// Takes in what is due, at most [`ROUND`] rows, inside an open transaction; tells whether more
/// may be due.
pub(super) fn round(db: &Connection) -> rusqlite::Result<bool> {
    match take_in(db).and_then(|more| flush(db).map(|()| more)) {
        Err(error) if is_damage(&error) => clear(db).map(|()| true),
        more => more,
    }
}

fn take_in(db: &Connection) -> rusqlite::Result<bool> {
    renew(db)?;
    let ready = due(db, READY, ROUND)?;
    for place in &ready {
        add(db, place)?;
        done(db, place.pk)?;
    }
    let new = due(db, NEW, ROUND - ready.len())?;
    pass(db, &new, "search_high")?;
    let old = due(db, OLD, ROUND - ready.len() - new.len())?;
    pass(db, &old, "search_low")?;
    Ok(ready.len() + new.len() + old.len() == ROUND)
}

/// An index made of other words than those of this build is made again. Not at the opening, which
/// somebody waits for: the newest rows are back within the same round.
fn renew(db: &Connection) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached("SELECT value FROM counter WHERE name = ?1")?;
    let version: i64 = statement.query_row([WORDS], |row| row.get(0))?;
    if version != words::VERSION {
        clear(db)?;
        mark(db, WORDS, words::VERSION)?;
    }
    Ok(())
}

/// Whether the index itself is damaged, and not the file: that is no reason to lose a message.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|failure| failure.extended_code);
    code == Some(rusqlite::ffi::SQLITE_CORRUPT_VTAB)
}

fn due(db: &Connection, sql: &str, most: usize) -> rusqlite::Result<Vec<Place>> {
    all(db, sql, params![limit(most)], Place::decode)
}

/// Takes in rows for the first time and moves the mark behind the last of them.
fn pass(db: &Connection, places: &[Place], name: &str) -> rusqlite::Result<()> {
    for place in places {
        match place.resting {
            true => add(db, place)?,
            false => note(db, place.pk, false)?,
        }
    }
    match places.last() {
        Some(last) => mark(db, name, last.pk),
        None => Ok(()),
    }
}

fn add(db: &Connection, place: &Place) -> rusqlite::Result<()> {
    match place.deleted {
        true => Ok(()),
        false => place.put(db, ADD),
    }
}
