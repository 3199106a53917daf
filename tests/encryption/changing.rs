//! A plain store comes under a key, a store under another key; killed anywhere, it is one or the
//! other, and nothing is lost.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use tidings::{
    adapters::sqlite::{SqliteOptions, on_sealing},
    domain::ports::RepositoryError,
    testing::ScriptedKeys,
};

use crate::{
    filled, key, keys, must_have, open, options, refusal, search,
    support::{self, accept_into, accepted, home},
    traces::must_tell_nothing,
};

const STORE: &str = "TIDINGS_TEST_STORE";
const STEP: &str = "TIDINGS_TEST_STEP";
const FROM: &str = "TIDINGS_TEST_FROM";

fn changed(from: u8, to: u8) -> ScriptedKeys {
    let app = keys(from);
    app.change(key(to));
    app
}

#[tokio::test]
async fn a_plain_store_that_is_opened_with_a_key_is_encrypted() {
    let (home, path) = home();
    support::filled(&path).await;
    must_have(&path, &keys(1), 50).await;
    must_tell_nothing(home.path(), "encrypted");
    assert_eq!(refusal(SqliteOptions::new(&path)), RepositoryError::NoKey);
    let store = open(&path, &keys(1)).expect("a store");
    accept_into(&store, 51).await.expect("accepted");
    let found = store.view(|rows| rows.search(&search("text"))).await;
    assert!(
        !found.expect("found").messages.is_empty(),
        "it is searched as before"
    );
    store.close().await;
}

/// The newest words of a plain store may be in its log alone, as after a kill.
#[tokio::test]
async fn what_is_in_the_log_alone_is_encrypted_too() {
    let (origin, path) = home();
    let store = support::open(&path);
    for n in 1..=20 {
        accept_into(&store, n).await.expect("accepted");
    }
    let (copy, copied) = home();
    for (file, bytes) in support::contents(origin.path()) {
        let name = file.file_name().expect("a name");
        std::fs::write(copy.path().join(name), bytes).expect("copied");
    }
    store.close().await;
    must_have(&copied, &keys(1), 20).await;
    must_tell_nothing(copy.path(), "encrypted");
}

#[tokio::test]
async fn a_store_comes_under_the_next_key_and_forgets_the_one_before() {
    let (home, path) = home();
    filled(&path, &keys(1), 50).await;
    must_have(&path, &changed(1, 2), 50).await;
    assert_eq!(refusal(options(&path, &keys(1))), RepositoryError::WrongKey);
    must_have(&path, &keys(2), 50).await;
    must_tell_nothing(home.path(), "under another key");
}

/// The key before is only a way in for the change: it does not open what it was never for.
#[tokio::test]
async fn of_two_keys_that_both_do_not_fit_none_is_believed() {
    let (_home, path) = home();
    filled(&path, &keys(1), 5).await;
    let wrong = changed(2, 3);
    assert_eq!(refusal(options(&path, &wrong)), RepositoryError::WrongKey);
    must_have(&path, &keys(1), 5).await;
}

#[tokio::test]
async fn a_suspended_store_comes_back_under_the_next_key() {
    let (_home, path) = home();
    let app = keys(1);
    let store = open(&path, &app).expect("a store");
    accept_into(&store, 1).await.expect("accepted");
    assert!(store.suspend().await);
    app.change(key(2));
    store.resume().await.expect("open again");
    accept_into(&store, 2).await.expect("accepted");
    assert_eq!(accepted(&store).await, [1, 2]);
    store.close().await;
    must_have(&path, &keys(2), 2).await;
}

/// Ends this process, as a kill does, after the step that the environment names.
fn die_at_the_step(_: &str) {
    static STEPS: AtomicUsize = AtomicUsize::new(0);
    let step: usize = env::var(STEP)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    if STEPS.fetch_add(1, Ordering::SeqCst) == step {
        std::process::abort();
    }
}

#[tokio::test]
#[ignore = "the victim of the tests below; does nothing by itself"]
async fn changes_until_killed() {
    let Ok(path) = env::var(STORE) else { return };
    on_sealing(die_at_the_step);
    let app = match env::var(FROM).ok().and_then(|n| n.parse().ok()) {
        Some(from) => changed(from, 2),
        None => keys(2),
    };
    open(Path::new(&path), &app).expect("a store").close().await;
}

/// Whether the child was killed before it was done.
fn killed_at(path: &Path, step: usize, from: Option<u8>) -> bool {
    let program = env::current_exe().expect("this program");
    let mut child = Command::new(program);
    child.args(["--exact", "changing::changes_until_killed", "--ignored"]);
    child.env(STORE, path).env(STEP, step.to_string());
    if let Some(from) = from {
        child.env(FROM, from.to_string());
    }
    child.stdout(Stdio::null()).stderr(Stdio::null());
    !child.status().expect("a child").success()
}

#[tokio::test]
async fn killed_after_any_step_a_plain_store_is_encrypted_by_the_next_opening() {
    let mut kills = 0;
    for step in 0.. {
        let (home, path) = home();
        support::filled(&path).await;
        if !killed_at(&path, step, None) {
            break;
        }
        kills += 1;
        // Without a key it is plain still, or refused; never half of each, never a fresh one.
        match support::open_with(SqliteOptions::new(&path)) {
            Ok(store) => {
                assert_eq!(accepted(&store).await.len(), 50, "step {step}");
                store.close().await;
            }
            Err(error) => assert_eq!(error, RepositoryError::NoKey, "step {step}"),
        }
        must_have(&path, &keys(2), 50).await;
        must_tell_nothing(home.path(), "after the next opening");
        assert_eq!(support::contents(home.path()).len(), FILES, "step {step}");
    }
    assert!(kills >= 5, "{kills} steps only");
}

/// The store, its marker, its spare, its users' lock.
const FILES: usize = 4;

#[tokio::test]
async fn killed_after_any_step_a_change_of_keys_goes_on() {
    let mut kills = 0;
    for step in 0.. {
        let (home, path) = home();
        filled(&path, &keys(1), 50).await;
        if !killed_at(&path, step, Some(1)) {
            break;
        }
        kills += 1;
        must_have(&path, &changed(1, 2), 50).await;
        must_have(&path, &keys(2), 50).await;
        assert_eq!(support::contents(home.path()).len(), FILES, "step {step}");
    }
    assert!(kills >= 5, "{kills} steps only");
}
