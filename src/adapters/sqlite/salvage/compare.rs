//! The database and its spare, compared when the store is opened by someone who is alone.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, TransactionBehavior};

use super::{remove, restore};
use crate::{
    adapters::sqlite::{
        asking,
        error::failed,
        generic::{self, GenericRow},
        migrate,
        open::must_be_whole,
        options::SqliteOptions,
        rows::SqliteRows,
        search_index,
        spare::{self, Contents, Kept, Ledger, Line, Local, Spare, hex, unhex},
    },
    domain::{
        ids::ClientMessageId,
        ports::{RepositoryError, chat_repository::RowResult},
        rules::salvage as rules,
        sorting::filled,
    },
};

/// Makes both tell the same, and opens the spare.
///
/// # Errors
/// `Corrupt` where the database is damaged; what is missing could not be put back into it then.
pub(in super::super) fn agree(
    db: &mut Connection,
    options: &SqliteOptions,
) -> RowResult<(Spare, Ledger)> {
    let contents = Contents::read(options)?;
    let census = Census::of(db)?;
    let mut ledger = Ledger::default();
    let lost = lost(db, &contents, &census).map_err(failed)?;
    if !lost.is_nothing() {
        // Rows can only be put back into a file that is otherwise whole.
        must_be_whole(db)?;
        put_back(db, &contents, &lost)?;
    }
    let mut spare = Spare::open(options)?;
    let equal = lost.is_nothing()
        && !contents.torn
        && contents.last == census.number
        && census.has_the_rows_of(&contents);
    if equal {
        ledger.learn(&contents);
    } else if let Err(kind) = spare.rewrite(db, &mut ledger) {
        // As at run time: the database is whole, the next commit tries again.
        tracing::warn!(%kind, "storage.spare_failed");
    }
    Ok((spare, ledger))
}

/// What the database lacks of the spare.
#[derive(Debug, Default)]
struct Lost<'a> {
    /// Rows that it has not, or not so.
    lines: Vec<&'a Line>,
    /// Unsent actions that it has still, and that were settled in a commit which it lost.
    settled: Vec<ClientMessageId>,
    /// Conversations that it has a draft of still, and that have none since.
    undrafted: Vec<String>,
    /// How many messages do not say what their entry says, which is the one that is sent.
    differing: u32,
}

impl Lost<'_> {
    const fn is_nothing(&self) -> bool {
        self.lines.is_empty()
            && self.settled.is_empty()
            && self.undrafted.is_empty()
            && self.differing == 0
    }
}

/// What the database should have and has not: it lost the commits that the spare tells of, or
/// their rows were damaged. Nothing where the spare is behind, or may be.
fn lost<'a>(
    db: &Connection,
    contents: &'a Contents,
    census: &Census,
) -> rusqlite::Result<Lost<'a>> {
    let number = census.number;
    let lost_commits = contents.last > number;
    let same_moment = contents.last == number && !contents.torn;
    let mut lost = Lost {
        differing: census.differing,
        ..Lost::default()
    };
    for line in contents.lines() {
        let comparable = line.version == migrate::latest();
        if (lost_commits || (same_moment && comparable)) && !is_there(db, line, number)? {
            lost.lines.push(line);
        }
    }
    if lost_commits {
        for line in contents.gone_after(number) {
            let is_there = line.kept == Kept::Conversation && stored(db, line)?.is_some();
            lost.lines.extend(is_there.then_some(line));
        }
    }
    if lost_commits && !contents.torn {
        lost.settled = settled(db, contents)?;
        lost.undrafted = undrafted(db, contents)?;
    }
    Ok(lost)
}

/// The conversations with a draft that have none by the spare's word.
fn undrafted(db: &Connection, contents: &Contents) -> rusqlite::Result<Vec<String>> {
    let drafted = |(id, row): (&str, &GenericRow)| row.text("draft").map(|_| id.to_owned());
    let live: BTreeSet<String> = filled(contents.conversations().filter_map(drafted));
    let mut ids = spare::drafted(db)?;
    ids.retain(|id| !live.contains(id));
    Ok(ids)
}

/// What the database says of all that is kept twice, in one question: each costs the opening.
struct Census {
    number: i64,
    unsent: i64,
    drafts: i64,
    /// Damage within a text breaks no rule of the database's; the two texts tell it.
    differing: u32,
}

impl Census {
    const SQL: &str = "SELECT
        (SELECT value FROM counter WHERE name = 'spare'),
        (SELECT count(*) FROM outbox),
        (SELECT count(*) FROM conversation INDEXED BY conversation_drafted
         WHERE draft IS NOT NULL),
        (SELECT count(*) FROM outbox o CROSS JOIN message m ON m.id = o.id
         WHERE o.kind = 0 AND m.own = 1 AND ((m.overlay IS NULL AND m.body IS NOT o.body)
            OR (m.state IN (0, 1, 2, 6) AND m.state IS NOT o.state)))";

    /// A store that has no such counter is damaged: every schema that gets here has one.
    fn of(db: &Connection) -> RowResult<Self> {
        let counted = |row: &Row<'_>| {
            let (number, unsent) = (row.get::<_, Option<i64>>(0)?, row.get(1)?);
            let (drafts, differing) = (row.get(2)?, row.get(3)?);
            Ok(number.map(|number| Self {
                number,
                unsent,
                drafts,
                differing,
            }))
        };
        let counted = db.query_row(Self::SQL, (), counted).map_err(failed)?;
        counted.ok_or(RepositoryError::Corrupt)
    }

    /// Whether the database has nothing unsent that the spare lacks.
    fn has_the_rows_of(&self, contents: &Contents) -> bool {
        let drafted = contents
            .conversations()
            .filter(|(_, row)| row.text("draft").is_some());
        self.unsent == contents.outbox().count() as i64 && self.drafts == drafted.count() as i64
    }
}

/// The keys in the outbox that are not live by the spare's word.
fn settled(db: &Connection, contents: &Contents) -> rusqlite::Result<Vec<ClientMessageId>> {
    let live: BTreeSet<String> = filled(contents.outbox().map(|line| line.key.clone()));
    let keys = asking::all(db, "SELECT id FROM outbox", &[], |row| row.get(0))?;
    let settled = keys
        .into_iter()
        .filter(|key: &[u8; 16]| !live.contains(&hex(key)));
    Ok(settled.map(ClientMessageId::from_bytes).collect())
}

fn is_there(db: &Connection, line: &Line, number: i64) -> rusqlite::Result<bool> {
    let Some(said) = &line.row else {
        return Ok(true);
    };
    Ok(match (line.kept, stored(db, line)?) {
        // Moves on, and may be removed, without the spare; told where commits were lost.
        (Kept::Message, _) if line.number <= number => true,
        (_, None) => false,
        // Where it stood before its conversation was bound, it goes with that.
        (Kept::Message, Some(row)) => {
            spare::conversation_of(db, &row)? == line.conversation && same_message(row, said)
        }
        (Kept::Conversation, Some(row)) => Local::said(&row) == Local::said(said),
        (Kept::Outbox | Kept::Setting, Some(row)) => row == *said,
    })
}

/// Numbers of rows are a store's own.
fn same_message(mut row: GenericRow, said: &GenericRow) -> bool {
    let mut said = said.clone();
    for own in ["pk", "conversation"] {
        row.remove(own);
        said.remove(own);
    }
    row == said
}

/// The row that the database has for a line.
fn stored(db: &Connection, line: &Line) -> rusqlite::Result<Option<GenericRow>> {
    let (table, key) = (line.kept.table(), line.kept.key());
    match line.kept {
        Kept::Conversation | Kept::Setting => generic::one(db, table, key, &line.key),
        _ => generic::one(db, table, key, &unhex(&line.key)),
    }
}

/// Puts back what is missing, and leaves word of it for the app.
fn put_back(db: &mut Connection, contents: &Contents, lost: &Lost<'_>) -> RowResult<()> {
    let missing = &lost.lines;
    if missing.iter().any(|line| line.version != migrate::latest()) {
        return Err(RepositoryError::Corrupt);
    }
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate);
    let step = step.map_err(failed)?;
    for line in missing {
        match line.row {
            Some(_) => restore(&step, line, false).map_err(failed)?,
            None => remove(&step, line).map_err(failed)?,
        }
    }
    for id in &lost.undrafted {
        let sql = "UPDATE conversation SET draft = NULL WHERE id = ?1";
        step.execute(sql, [id]).map_err(failed)?;
    }
    if missing.iter().any(|line| line.kept == Kept::Message) {
        // Their rows have other numbers now.
        search_index::clear(&step).map_err(failed)?;
    }
    let sql = "UPDATE counter SET value = max(value, ?1) + 1 WHERE name = 'spare'";
    step.execute(sql, [contents.last]).map_err(failed)?;
    step.execute(
        "UPDATE counter SET value =
            max(value, (SELECT coalesce(max(accept_order), 0) FROM outbox))
         WHERE name = 'order'",
        (),
    )
    .map_err(failed)?;
    let mut ledger = Ledger::default();
    let rows = &mut SqliteRows::writing(&step, &mut ledger);
    for line in missing {
        let touched = match line.kept {
            Kept::Conversation => Some(&line.key),
            _ => line.conversation.as_ref(),
        };
        if let Some(conversation) = touched {
            rules::look_again(rows, conversation)?;
        }
    }
    for id in &lost.settled {
        rules::settled_unseen(rows, *id)?;
    }
    rules::forget_gone(rows)?;
    let given_up = rules::complete(rows)?;
    let salvaged = rules::Salvaged {
        kept: String::new(),
        unsent: u64::from(lost.differing)
            .max(missing.iter().filter(|line| is_unsent(line)).count() as u64),
        drafts: missing.iter().filter(|line| has_draft(line)).count() as u64,
        lost: given_up,
    };
    rules::leave_word(rows, &salvaged)?;
    recount(&step).map_err(failed)?;
    step.commit().map_err(failed)
}

/// What is counted of every conversation; rows were changed without counting.
fn recount(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(
        "UPDATE conversation SET
            stored = (SELECT count(*) FROM message m WHERE m.conversation = conversation.pk),
            unread = (SELECT count(*) FROM message m
                      WHERE m.conversation = conversation.pk AND m.unread = 1)",
    )
}

fn is_unsent(line: &Line) -> bool {
    line.kept == Kept::Outbox && line.row.is_some()
}

fn has_draft(line: &Line) -> bool {
    let draft = line.row.as_ref().and_then(|row| row.text("draft"));
    line.kept == Kept::Conversation && draft.is_some()
}
