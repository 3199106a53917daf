//! Group commit: the jobs that wait become one transaction, a savepoint each.
//!
//! A commit costs the same for one job as for fifty, so under load the store is as much faster. A
//! failing job takes back its own savepoint and nobody else's; every reply follows the commit. A
//! job that is alone needs no savepoint: the transaction is its own.

use std::{collections::VecDeque, time::Duration};

use rusqlite::{Connection, config::DbConfig};
use tokio::sync::oneshot;

use super::{
    error::failed,
    housekeeping,
    known::Known,
    open::{Opened, run_cached},
    options::{Executor, SqliteOptions, Synchronous},
    reader,
    rows::SqliteRows,
    search_index,
    spare::{self, Contents, Ledger, Spare},
};
use crate::{
    adapters::storage::{guarded, revisions::Revisions},
    domain::ports::{
        Durability, RepositoryError,
        chat_repository::{Job, RowResult},
    },
};

/// How many changed rows may wait for the index while the writer has no idle moment. A search
/// reads what waits, so it must stay few; and each round costs who waits meanwhile.
const BUSY: u64 = 8_192;

/// The same where there is no thread that could be idle.
const INLINE: u64 = 256;

/// How many commits the second copy may be behind while the writer has no idle moment: each write
/// of it is one more file that the next commit's sync has to wait for.
const BEHIND: u32 = 64;

/// A job that waits for its transaction.
pub(super) struct WriteTask {
    pub(super) durability: Durability,
    pub(super) job: Job,
    pub(super) reply: oneshot::Sender<RowResult<()>>,
}

/// A job that had its turn, and what will be said of it.
struct Outcome {
    reply: oneshot::Sender<RowResult<()>>,
    result: RowResult<()>,
}

/// The one writing connection of this process.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` after the close, and where a damaged file could not be replaced.
    db: Option<Connection>,
    /// What is said without a connection.
    without: RepositoryError,
    /// Open as long as the connection is.
    spare: Option<Spare>,
    ledger: Ledger,
    /// Commits that the spare does not tell of yet.
    behind: u32,
    /// How many these may be.
    most_behind: u32,
    /// Whose spare it is, where other processes write into it too.
    shared: Option<SqliteOptions>,
    /// SQLite's count of commits by others when the ledger was last true.
    learned: i64,
    policy: Synchronous,
    /// What the connection is set to, so that it is set only when it changes.
    level: Option<&'static str>,
    /// SQLite's count of commits by others, as last seen.
    foreign: i64,
    /// How many changed rows may wait for the index.
    patience: u64,
    /// SQLite's count of changed rows at the last round of the index.
    indexed: u64,
    /// Whether something may wait for the index.
    due: bool,
}

impl Writer {
    pub(super) fn new(opened: Opened, options: &SqliteOptions) -> RowResult<Self> {
        let foreign = foreign_commits(&opened.db).map_err(failed)?;
        Ok(Self {
            indexed: opened.db.total_changes(),
            db: Some(opened.db),
            without: RepositoryError::Closed,
            spare: Some(opened.spare),
            ledger: opened.ledger,
            behind: 0,
            most_behind: match options.executor {
                Executor::Thread => BEHIND,
                Executor::Inline => 1,
            },
            shared: options.shared.then(|| options.clone()),
            learned: foreign,
            policy: options.synchronous,
            level: None,
            foreign,
            patience: match options.executor {
                Executor::Thread => BUSY,
                Executor::Inline => INLINE,
            },
            // What an earlier run left.
            due: true,
        })
    }

    /// Runs the tasks, in as few transactions as there are calamities. Whether one of them met
    /// damage.
    pub(super) fn run(&mut self, mut tasks: VecDeque<WriteTask>, revisions: &Revisions) -> bool {
        let mut damaged = false;
        while !tasks.is_empty() {
            let outcomes = self.transaction(&mut tasks);
            // The revision first: who has the reply must see it.
            if outcomes.iter().any(|outcome| outcome.result.is_ok()) {
                revisions.advance();
            }
            for outcome in outcomes {
                damaged |= outcome.result == Err(RepositoryError::Corrupt);
                // A caller that went away does not want it.
                let _ = outcome.reply.send(outcome.result);
            }
            self.behind += u32::from(!self.ledger.is_empty());
            if self.behind >= self.most_behind {
                self.write_spare();
            }
            self.due = true;
            if self.waiting() > self.patience {
                self.index();
            }
        }
        damaged
    }

    /// Runs a reader's job; and whether the full-text index is damaged.
    pub(super) fn read(&self, job: Job) -> (RowResult<()>, bool) {
        match &self.db {
            Some(db) => reader::run(db, job),
            None => (Err(self.without.clone()), false),
        }
    }

    /// What was committed is kept twice from here on; nobody waited for it.
    pub(super) fn write_spare(&mut self) {
        self.behind = 0;
        let open = self.db.as_ref().zip(self.spare.as_mut());
        if let Some((db, spare)) = open.filter(|_| !self.ledger.is_empty()) {
            spare.follow(db, &mut self.ledger);
        }
    }

    /// Whether there may be something to index in an idle moment.
    pub(super) const fn is_index_due(&self) -> bool {
        self.due
    }

    /// Takes some of what waits into the index, in a transaction of its own that changes nothing
    /// anybody sees. What fails now is due again after the next write.
    pub(super) fn index(&mut self) {
        self.alter_index(search_index::round);
    }

    /// Makes a damaged index again, by and by.
    pub(super) fn renew_index(&mut self) {
        self.alter_index(|db| search_index::clear(db).map(|()| true));
    }

    fn alter_index(&mut self, step: impl Fn(&Connection) -> rusqlite::Result<bool>) {
        let level = self.level_for(Durability::Normal);
        let step = |db: &Connection| {
            let more = step(db).map_err(failed)?;
            run_cached(db, "COMMIT").map_err(failed)?;
            Ok(more)
        };
        let done = self
            .begin(level)
            .and_then(|(db, _)| step(db).inspect_err(|_| abandon(db)));
        self.due = done.unwrap_or(false);
        self.indexed = self.changes();
    }

    /// Leaves nothing for an idle moment.
    #[cfg(feature = "testing")]
    pub(super) const fn index_at_once(&mut self) {
        self.patience = 0;
    }

    /// How many rows were changed since the last round, about.
    fn waiting(&self) -> u64 {
        self.changes().saturating_sub(self.indexed)
    }

    fn changes(&self) -> u64 {
        self.db.as_ref().map_or(0, Connection::total_changes)
    }

    /// Whether another connection has committed since the last look.
    pub(super) fn others_committed(&mut self) -> bool {
        let now = self.db.as_ref().and_then(|db| foreign_commits(db).ok());
        let news = now.is_some_and(|now| now != self.foreign);
        self.foreign = now.unwrap_or(self.foreign);
        news
    }

    /// Whether it can write.
    pub(super) const fn is_open(&self) -> bool {
        self.db.is_some()
    }

    /// Writes the file anew without its holes; `before` sees the connection first.
    pub(super) fn vacuum(
        &mut self,
        before: impl FnOnce(&Connection) -> RowResult<()>,
    ) -> RowResult<()> {
        let db = self.db.as_ref().ok_or_else(|| self.without.clone())?;
        before(db)?;
        housekeeping::vacuum(db)?;
        if let Some(spare) = self.spare.as_mut() {
            spare.tidy(db, &mut self.ledger);
        }
        Ok(())
    }

    /// Lets go of a damaged file as it is: its log stays beside it.
    pub(super) fn let_go(&mut self) {
        self.write_spare();
        self.spare.take();
        if let Some(db) = self.db.take() {
            // Closing it would else fold the log in; where that cannot be forbidden, it may.
            let _ = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        self.without = RepositoryError::Corrupt;
    }

    /// Folds the log into the file and lets go of both. The other connections must be gone.
    ///
    /// `quick` leaves the log to the next one who opens the file: a suspension has no time for it.
    pub(super) fn close(&mut self, quick: bool) {
        self.write_spare();
        self.spare.take();
        let Some(db) = self.db.take() else { return };
        if quick {
            let _ = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        } else {
            // What cannot be folded in now, for another process is reading, stays in the log: an
            // app that is being suspended has no time to wait.
            let _ = db.busy_timeout(Duration::ZERO);
            let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
        }
    }

    /// Lets the file grow to that many pages and no further, as a full disk would.
    #[cfg(feature = "testing")]
    pub(super) fn limit_pages(&self, pages: u32) -> RowResult<()> {
        let db = self.db.as_ref().ok_or(RepositoryError::Closed)?;
        let sql = format!("PRAGMA max_page_count = {pages}");
        db.query_row(&sql, (), |_| Ok(())).map_err(failed)
    }

    /// Runs tasks in one transaction until there are none, or until SQLite gives it up.
    fn transaction(&mut self, tasks: &mut VecDeque<WriteTask>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(tasks.len());
        let most = tasks.iter().map(|task| task.durability).max();
        let level = self.level_for(most.unwrap_or(Durability::Normal));
        let ended = match self.begin(level) {
            Ok((db, ledger)) => run_jobs(db, ledger, tasks, &mut outcomes)
                .and_then(|()| end(db, ledger, &outcomes))
                .inspect_err(|_| abandon(db)),
            Err(error) => {
                outcomes.extend(std::mem::take(tasks).into_iter().map(Outcome::unheard));
                Err(error)
            }
        };
        if let Err(error) = ended {
            refuse(&mut outcomes, &error);
        }
        outcomes
    }

    /// The write lock is taken at once: a transaction that began by reading could not wait for it.
    fn begin(&mut self, level: &'static str) -> RowResult<(&Connection, &mut Ledger)> {
        let db = self.db.as_ref().ok_or_else(|| self.without.clone())?;
        if self.level != Some(level) {
            db.pragma_update(None, "synchronous", level)
                .map_err(failed)?;
            self.level = Some(level);
        }
        run_cached(db, "BEGIN IMMEDIATE").map_err(failed)?;
        if let Some(options) = &self.shared {
            let now = foreign_commits(db).map_err(failed)?;
            if std::mem::replace(&mut self.learned, now) != now {
                self.ledger.learn(&Contents::read(options)?);
            }
        }
        Ok((db, &mut self.ledger))
    }

    /// What the most careful job needs.
    const fn level_for(&self, most: Durability) -> &'static str {
        match (self.policy, most) {
            (Synchronous::Off, _) => "OFF",
            (_, Durability::Full) => "FULL",
            (_, Durability::Normal) => "NORMAL",
        }
    }
}

impl Outcome {
    fn unheard(task: WriteTask) -> Self {
        Self {
            reply: task.reply,
            result: Ok(()),
        }
    }
}

/// Runs each task, in a savepoint of its own where there are several.
///
/// # Errors
/// Where SQLite gave up the whole transaction; tasks not yet run are left for the next one.
fn run_jobs(
    db: &Connection,
    ledger: &mut Ledger,
    tasks: &mut VecDeque<WriteTask>,
    outcomes: &mut Vec<Outcome>,
) -> RowResult<()> {
    let alone = tasks.len() == 1;
    let mut known = Known::default();
    while let Some(task) = tasks.pop_front() {
        let (result, lost) = match alone {
            true => run_alone(db, ledger, task.job),
            false => run_job(db, ledger, &mut known, task.job),
        };
        let reply = task.reply;
        outcomes.push(Outcome { reply, result });
        if let Some(cause) = lost {
            return Err(cause);
        }
    }
    Ok(())
}

/// As [`run_job`], for a job whose failure ends the transaction anyway: see [`end`].
fn run_alone(
    db: &Connection,
    ledger: &mut Ledger,
    job: Job,
) -> (RowResult<()>, Option<RepositoryError>) {
    let mut rows = SqliteRows::writing(db, ledger);
    let result = guarded::run(job, &mut rows);
    match rows.end() {
        Err(cause) => (Err(cause.clone()), Some(cause)),
        Ok(_) => (result, None),
    }
}

/// What became of the job, and the cause where it took the transaction with it.
fn run_job(
    db: &Connection,
    ledger: &mut Ledger,
    known: &mut Known,
    job: Job,
) -> (RowResult<()>, Option<RepositoryError>) {
    if let Err(error) = run_cached(db, "SAVEPOINT job") {
        let error = failed(error);
        let lost = db.is_autocommit().then(|| error.clone());
        return (Err(error), lost);
    }
    let mut rows = SqliteRows::writing(db, ledger).knowing(std::mem::take(known));
    let result = guarded::run(job, &mut rows);
    match rows.end() {
        Err(cause) => (Err(cause.clone()), Some(cause)),
        Ok(now) => {
            // What a job that is taken back knew is not so.
            if result.is_ok() {
                *known = now.for_the_next();
            }
            settle(db, result)
        }
    }
}

/// Keeps what the job did, or takes it back.
fn settle(db: &Connection, result: RowResult<()>) -> (RowResult<()>, Option<RepositoryError>) {
    let taken_back = match result {
        Ok(()) => Ok(()),
        Err(_) => run_cached(db, "ROLLBACK TO job"),
    };
    let released = taken_back.and_then(|()| run_cached(db, "RELEASE job"));
    match released.map_err(failed) {
        Ok(()) => (result, None),
        // Neither kept nor taken back: only the end of everything is safe now.
        Err(cause) => (Err(cause.clone()), Some(cause)),
    }
}

/// Commits, unless there is nothing to commit.
fn end(db: &Connection, ledger: &Ledger, outcomes: &[Outcome]) -> RowResult<()> {
    let any = outcomes.iter().any(|outcome| outcome.result.is_ok());
    if any && !ledger.is_empty() {
        spare::count(db).map_err(failed)?;
    }
    run_cached(db, if any { "COMMIT" } else { "ROLLBACK" }).map_err(failed)
}

/// Ends what is left of a transaction: a commit that fails leaves it open.
fn abandon(db: &Connection) {
    if !db.is_autocommit() {
        // It fails only where there is none left.
        let _ = run_cached(db, "ROLLBACK");
    }
}

/// Nothing of the transaction happened, so nobody is told otherwise.
fn refuse(outcomes: &mut [Outcome], error: &RepositoryError) {
    for outcome in outcomes {
        if outcome.result.is_ok() {
            outcome.result = Err(error.clone());
        }
    }
}

fn foreign_commits(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("PRAGMA data_version")?
        .query_row((), |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{adapters::sqlite::open, domain::ports::Revision};

    fn open(options: &SqliteOptions) -> Writer {
        let opened = open::store(options).expect("a store").0;
        Writer::new(opened, options).expect("a writer")
    }

    fn task(durability: Durability) -> (WriteTask, oneshot::Receiver<RowResult<()>>) {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(|rows| rows.next_order().map(drop));
        let task = WriteTask {
            durability,
            job,
            reply,
        };
        (task, answer)
    }

    /// Commits one batch, and tells SQLite's level after it.
    fn commit(writer: &mut Writer, batch: &[Durability]) -> i64 {
        let revisions = Revisions::default();
        let (tasks, mut answers): (VecDeque<_>, Vec<_>) = batch.iter().copied().map(task).unzip();
        writer.run(tasks, &revisions);
        assert!(
            answers
                .iter_mut()
                .all(|answer| answer.try_recv() == Ok(Ok(())))
        );
        assert_eq!(revisions.now(), Revision(1), "one commit for the batch");
        let db = writer.db.as_ref().expect("open");
        db.query_row("PRAGMA synchronous", (), |row| row.get(0))
            .expect("a level")
    }

    #[test]
    fn a_batch_is_as_durable_as_its_most_careful_job() {
        use Durability::{Full, Normal};
        let home = tempfile::tempdir().expect("a directory");
        let mut writer = open(&SqliteOptions::new(home.path().join("chat.db")));
        let (full, normal) = (2, 1);
        assert_eq!(commit(&mut writer, &[Normal]), normal);
        assert_eq!(commit(&mut writer, &[Normal, Full, Normal]), full);
        assert_eq!(commit(&mut writer, &[Normal, Normal]), normal);
    }

    #[test]
    fn own_commits_are_not_news_and_those_of_others_are_once() {
        let home = tempfile::tempdir().expect("a directory");
        let options = SqliteOptions::new(home.path().join("chat.db"));
        let (mut writer, mut other) = (open(&options), open(&options));
        commit(&mut writer, &[Durability::Normal]);
        assert!(!writer.others_committed());
        commit(&mut other, &[Durability::Normal]);
        assert!(writer.others_committed());
        assert!(!writer.others_committed());
    }
}
