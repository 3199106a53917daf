//! A process that is killed at any moment: what it was told is stored is stored, and nothing by
//! half (F-45). The victim is this test program itself, started again for one ignored test.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use tidings::{adapters::sqlite::SqliteOptions, domain::ports::Durability};

use crate::support::{Store, accept, accept_into, accepted, home, open, open_with, soon};

pub(crate) const STORE: &str = "TIDINGS_TEST_STORE";
const FIRST: &str = "TIDINGS_TEST_FIRST";

/// How many kills; two dozen where nothing else is asked for.
const ROUNDS: &str = "TIDINGS_KILL_ROUNDS";
const FEW: u32 = 24;

/// Bytes between two cuts of the log. The usual step is odd, so that it falls everywhere in a page.
const STEP: &str = "TIDINGS_CUT_STEP";
const WIDE: usize = 1_501;

fn asked<T: std::str::FromStr>(name: &str, usual: T) -> T {
    given(name)
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}

/// The test started, and the lines that it prints.
pub(crate) struct Victim {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Victim {
    pub(crate) fn start(test: &str, store: &Path, first: u32) -> Self {
        let program = std::env::current_exe().expect("this program");
        Self::run(Command::new(program), test, store, first)
    }

    /// One whose files may not grow beyond so many blocks: a write past that is an I/O error.
    #[cfg(unix)]
    fn limited(test: &str, store: &Path, blocks: u32) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut shell = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        shell.arg("-c").arg(script).arg(program);
        Self::run(shell, test, store, 0)
    }

    fn run(mut command: Command, test: &str, store: &Path, first: u32) -> Self {
        let mut process = command
            .args([
                "--exact",
                test,
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(STORE, store)
            .env(FIRST, first.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(process.stdout.take().expect("its words")).lines();
        Self { process, lines }
    }

    /// The next word that is meant for us; `None` at the end.
    pub(crate) fn next(&mut self, mark: &str) -> Option<String> {
        let lines = self.lines.by_ref().map_while(Result::ok);
        // The test runner prints the test's name on the same line.
        lines
            .filter_map(|line| Some(line.split_once(mark)?.1.to_owned()))
            .next()
    }

    /// Of the process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("killed");
    }

    /// Waits until it is gone.
    pub(crate) fn bury(mut self) {
        self.process.wait().expect("its end");
    }
}

pub(crate) fn given(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Accepts for ever, four at a time so that commits are shared, and prints what was told stored.
#[tokio::test]
#[ignore = "the victim of the kill test; does nothing by itself"]
async fn accepts_until_killed() {
    let (Some(path), Some(first)) = (given(STORE), given(FIRST)) else {
        return;
    };
    let first: u32 = first.parse().expect("a number");
    let store = open(Path::new(&path));
    for round in 0.. {
        let writes = (0..4).map(|add| accept_and_tell(&store, first + round * 4 + add));
        futures_util::future::join_all(writes).await;
    }
}

/// Accepts until it is told that it cannot, and says how it was told.
#[tokio::test]
#[ignore = "the victim of the I/O error test; does nothing by itself"]
async fn accepts_until_refused() {
    let Some(path) = given(STORE) else { return };
    let store = open(Path::new(&path));
    for n in 0.. {
        let accepted = store.transact(Durability::Full, move |rows| accept(rows, n));
        if let Err(error) = accepted.await {
            println!("stored:refused {}", error.code());
            let entries = store.view(|rows| rows.outbox(None)).await;
            println!("stored:reads {}", entries.expect("reading goes on").len());
            return;
        }
        println!("stored:{n}.");
    }
}

/// Every number of blocks stops another write: of the log, of its index, of the spare.
#[cfg(unix)]
#[tokio::test]
async fn f40_an_io_error_at_any_write_refuses_typed_and_loses_nothing() {
    let mut refusals = 0;
    for blocks in (160..2_400).step_by(160) {
        let (_home, path) = home();
        let mut victim = Victim::limited("kill::accepts_until_refused", &path, blocks);
        let (mut told, mut refused, mut read) = (Vec::new(), None, None);
        while let Some(word) = victim.next("stored:") {
            told.extend(whole(&word));
            refused = word.strip_prefix("refused ").map(str::to_owned).or(refused);
            read = word.strip_prefix("reads ").map(str::to_owned).or(read);
        }
        victim.bury();
        let Some(refused) = refused else {
            assert!(told.is_empty(), "{blocks}: ended without a word");
            continue;
        };
        assert!(
            ["store.unavailable", "store.full"].contains(&refused.as_str()),
            "{blocks}: {refused}"
        );
        assert_eq!(read, Some(told.len().to_string()), "{blocks}");
        let store = open(&path);
        assert_eq!(accepted(&store).await, told, "{blocks}");
        accept_into(&store, 1_000_000)
            .await
            .expect("all well again");
        store.close().await;
        refusals += 1;
    }
    assert!(
        refusals > 5,
        "only {refusals} met the limit while accepting"
    );
}

async fn accept_and_tell(store: &Store, n: u32) {
    let accepted = store.transact(Durability::Full, move |rows| accept(rows, n));
    accepted.await.expect("accepted");
    println!("stored:{n}.");
}

/// A line that was cut by the kill tells nothing.
fn whole(word: &str) -> Option<u32> {
    word.strip_suffix('.')?.parse().ok()
}

// covers: G1
#[tokio::test]
async fn f45_inv01_nothing_that_was_acknowledged_is_lost_to_a_kill() {
    let (_home, path) = home();
    let (mut told, mut next) = (Vec::new(), 0);
    let rounds = asked(ROUNDS, FEW);
    for round in 0..rounds {
        let mut victim = Victim::start("kill::accepts_until_killed", &path, next);
        // Spread over the life of the process, from its first commits to past a checkpoint.
        let enough = 1 + round.wrapping_mul(2_654_435_761) % 601;
        let mut heard = 0;
        while let Some(word) = victim.next("stored:") {
            told.extend(whole(&word));
            heard += 1;
            if heard == enough {
                victim.kill();
            }
        }
        assert!(heard >= enough, "the victim ended by itself");
        victim.bury();
        let store = open(&path);
        let stored: BTreeSet<u32> = accepted(&store).await.into_iter().collect();
        let lost: Vec<&u32> = told.iter().filter(|n| !stored.contains(n)).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
        next = stored.last().map_or(0, |n| n + 1);
        store.close().await;
    }
    assert!(
        told.len() > rounds as usize * 160,
        "too few to prove anything: {}",
        told.len()
    );
}

/// What a power cut can leave: any length of the log, and anything where its end was. The log of
/// the killed process holds the whole history, the creation of the schema included, so a cut may
/// fall into the migration too.
#[tokio::test]
async fn f46_f44_a_log_cut_anywhere_gives_a_prefix_and_splits_nothing() {
    let (_home, path) = home();
    let mut victim = Victim::start("kill::accepts_until_killed", &path, 0);
    let mut told = BTreeSet::new();
    while let Some(word) = victim.next("stored:") {
        told.extend(whole(&word));
        if told.len() == 24 {
            victim.kill();
        }
    }
    victim.bury();
    let file = std::fs::read(&path).expect("a store");
    let log = std::fs::read(path.with_extension("db-wal")).expect("its log");
    assert!(file.len() <= 4096, "all is in the log still");
    let mut before = Vec::new();
    for cut in (0..log.len()).step_by(asked(STEP, WIDE)).chain([log.len()]) {
        let rest = if cut % 2 == 0 { 0 } else { 700 };
        let torn = [&log[..cut], &vec![0xa5; rest]].concat();
        let (_home, path) = home();
        std::fs::write(&path, &file).expect("written");
        std::fs::write(path.with_extension("db-wal"), torn).expect("written");
        let store = open(&path);
        let stored = in_accept_order(&store).await;
        assert!(
            stored.starts_with(&before),
            "{stored:?} after {before:?}, cut at {cut}"
        );
        store.close().await;
        before = stored;
    }
    let all: BTreeSet<u32> = before.into_iter().collect();
    assert!(told.is_subset(&all), "the whole log has all that was told");
}

/// As [`accepted`], in the order of accepting.
async fn in_accept_order(store: &Store) -> Vec<u32> {
    let sorted = accepted(store).await;
    let entries = store.view(|rows| rows.outbox(None)).await.expect("entries");
    let number = |text: &str| text.trim_start_matches("text ").parse().expect("a number");
    let list: Vec<u32> = entries.iter().map(|entry| number(entry.text())).collect();
    assert_eq!(list.len(), sorted.len());
    list
}

/// Owns the store until it is killed.
#[tokio::test]
#[ignore = "the victim of the hand-over test; does nothing by itself"]
async fn owns_until_killed() {
    let Some(path) = given(STORE) else { return };
    let store = open_with(shared(Path::new(&path))).expect("a store");
    soon(store.became_owner()).await;
    println!("owner:yes");
    std::future::pending::<()>().await;
}

pub(crate) fn shared(path: &Path) -> SqliteOptions {
    SqliteOptions {
        shared: true,
        ..SqliteOptions::new(path)
    }
}

#[tokio::test]
async fn f47_who_waits_becomes_owner_when_the_owner_is_killed() {
    let (_home, path) = home();
    let mut victim = Victim::start("kill::owns_until_killed", &path, 0);
    assert_eq!(victim.next("owner:").as_deref(), Some("yes"));
    let store = open_with(shared(&path)).expect("a store");
    assert!(!store.is_owner());
    victim.kill();
    soon(store.became_owner()).await;
    assert!(store.is_owner());
    victim.bury();
    store.close().await;
}
