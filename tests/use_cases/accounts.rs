//! One account signs out while much is under way, another signs in.

use std::sync::Arc;

use tidings::{
    Config,
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository},
    domain::{event::CloseReason, message::Role},
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, chat, pass, secs};

fn store(home: &tempfile::TempDir, name: &str) -> Arc<SqliteRepository> {
    let options = SqliteOptions {
        executor: Executor::Inline,
        ..SqliteOptions::new(home.path().join(name))
    };
    SqliteRepository::open(options).unwrap()
}

/// Whether a file of the directory holds the words.
fn holds(home: &tempfile::TempDir, words: &str) -> bool {
    let files = std::fs::read_dir(home.path()).unwrap();
    let mut contents = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
    contents.any(|bytes| String::from_utf8_lossy(&bytes).contains(words))
}

// covers: F-54, INV-19
#[tokio::test(start_paused = true)]
#[expect(
    clippy::disallowed_methods,
    reason = "callers of an app, beside the one that signs out"
)]
async fn f54_answers_that_come_after_the_sign_out_reach_nobody() {
    let home = tempfile::tempdir().unwrap();
    let (theirs, ours) = (ScriptedService::new(), ScriptedService::new());
    theirs.writes("c1", Role::Assistant, "for the first account");
    let kept = store(&home, "first.db");
    let mut first = App::on(&theirs, Config::default(), kept.clone()).await;
    let handle = first.live().await;
    // Under way at the sign-out: a send, a read, a listing, a dial; each ends well half a minute on.
    for operation in [
        Operation::SocketSend,
        Operation::Send,
        Operation::History,
        Operation::List,
        Operation::Connect,
    ] {
        theirs.always(operation, Reply::after(secs(30)));
    }
    handle.send("words of the first account").await.unwrap();
    let client = first.client.clone();
    let read = tokio::spawn(async move { client.synchronise(chat("c1")).await });
    let client = first.client.clone();
    let list = tokio::spawn(async move { client.refresh_conversations().await });
    theirs.session("c1").end(CloseReason::Broken);
    pass(secs(3)).await;
    theirs.writes("c1", Role::Assistant, "late words for the first account");

    first.client.shutdown().await;
    kept.wipe().await.unwrap();
    assert!(!holds(&home, "first account"));
    first.told();
    let asked = theirs.calls().len();
    let mut second = App::on(&ours, Config::default(), store(&home, "second.db")).await;
    let shown = second.live().await;
    ours.pushes("c1", "for the second account");
    pass(secs(600)).await;

    assert_eq!(theirs.calls().len(), asked, "asked for after the sign-out");
    assert!(!holds(&home, "first account"));
    assert_eq!(first.told(), []);
    assert_eq!(
        handle.send("too late").await.unwrap_err().error.code(),
        "closed"
    );
    assert!(read.await.unwrap().is_err());
    assert!(list.await.unwrap().is_err());
    assert_eq!(second.texts("c1").await, ["for the second account"]);
    assert_eq!(ours.texts("c1"), ["for the second account"]);
    drop(shown);
    second.assert_sound();
    second.client.shutdown().await;
}
