//! A process that is killed while it writes into an encrypted store (F-45). The victim is this test
//! program itself, started again for one ignored test.

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use tidings::domain::ports::Durability;

use crate::{
    keys, open,
    support::{Store, accept, accepted, home},
    traces::must_tell_nothing,
};

const STORE: &str = "TIDINGS_TEST_STORE";
const FIRST: &str = "TIDINGS_TEST_FIRST";

/// Accepts for ever, four at a time so that commits are shared, and prints what was told stored.
#[tokio::test]
#[ignore = "the victim of the kill test; does nothing by itself"]
async fn accepts_until_killed() {
    let (Ok(path), Ok(first)) = (env::var(STORE), env::var(FIRST)) else {
        return;
    };
    let first: u32 = first.parse().expect("a number");
    let store = open(Path::new(&path), &keys(1)).expect("a store");
    for round in 0.. {
        let writes = (0..4).map(|add| accept_and_tell(&store, first + round * 4 + add));
        futures_util::future::join_all(writes).await;
    }
}

async fn accept_and_tell(store: &Store, n: u32) {
    let accepted = store.transact(Durability::Full, move |rows| accept(rows, n));
    accepted.await.expect("accepted");
    println!("stored:{n}.");
}

/// Runs the victim until it has told so often; what it told.
fn killed_after(enough: usize, path: &Path, first: u32) -> Vec<u32> {
    let mut child = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "killed::accepts_until_killed", "--ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .env(STORE, path)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let lines = BufReader::new(child.stdout.take().expect("its words")).lines();
    let mut told = Vec::new();
    for line in lines.map_while(Result::ok) {
        // A line that was cut by the kill tells nothing.
        let word = line
            .split_once("stored:")
            .and_then(|(_, word)| word.strip_suffix('.'));
        told.extend(word.and_then(|word| word.parse::<u32>().ok()));
        if told.len() == enough {
            child.kill().expect("killed");
        }
    }
    assert!(told.len() >= enough, "the victim ended by itself");
    child.wait().expect("its end");
    told
}

#[tokio::test]
async fn f45_inv01_an_encrypted_store_loses_nothing_acknowledged_to_a_kill() {
    let (home, path) = home();
    let (mut told, mut next) = (Vec::new(), 0);
    for round in 0_usize..8 {
        told.extend(killed_after(1 + round * 83 % 401, &path, next));
        if round == 1 {
            must_tell_nothing(home.path(), "after a kill");
        }
        let store = open(&path, &keys(1)).expect("a store");
        let stored = accepted(&store).await;
        let lost: Vec<&u32> = told.iter().filter(|n| !stored.contains(n)).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
        next = stored.last().map_or(0, |n| n + 1);
        store.close().await;
    }
}
