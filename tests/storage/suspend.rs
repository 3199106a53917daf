//! Suspended, frozen, killed: what a process that stops leaves to the others (F-47, F-48).

use std::{path::Path, process::Command, sync::Arc, time::Duration};

use tidings::{
    ChatClient, ChatClientParts, ChatError, Config,
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::{
        delivery::DeliveryState, ids::ConversationId, message::Role, outbox::SendMode,
        ports::ChatRepository, time::WallTime,
    },
    testing::{
        ScriptedService, VirtualPlatform,
        scripted::{Operation, Reply},
    },
};

use crate::{
    kill::{STORE, Victim, given, shared},
    support::{Store, accept_into, accepted, home, open_with, soon},
};

fn chat() -> ConversationId {
    ConversationId::parse("c1").expect("an id")
}

async fn client(store: &Arc<SqliteRepository>, service: &ScriptedService, page: u32) -> ChatClient {
    let mut config = Config::default();
    config
        .set("history.page", &page.to_string())
        .expect("a size");
    let parts = ChatClientParts {
        service: Arc::new(service.clone()),
        repository: store.clone(),
        platform: Arc::new(VirtualPlatform::new(
            u64::from(std::process::id()),
            WallTime::from_millis(1_800_000_000_000),
        )),
        config,
    };
    ChatClient::start(parts).await.expect("a client")
}

fn repository(path: &Path, passive: bool) -> Arc<SqliteRepository> {
    let options = SqliteOptions {
        passive,
        ..shared(path)
    };
    SqliteRepository::open(options).expect("a store")
}

/// This process's open files below a folder.
fn open_files(home: &Path) -> Vec<String> {
    let home = std::fs::canonicalize(home).expect("a folder");
    let open = std::fs::read_dir("/proc/self/fd").expect("our files");
    let targets = open.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    targets
        .filter(|target| target.starts_with(&home))
        .map(|target| target.display().to_string())
        .collect()
}

// covers: G18, F-48
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn g18_a_suspended_client_holds_no_file_and_no_lock_and_another_takes_over() {
    let (home, path) = home();
    let service = ScriptedService::new();
    let store = repository(&path, false);
    let client = client(&store, &service, 100).await;
    let handle = client.open(chat());
    let sent = handle.send("before").await.expect("accepted");
    soon(client.wait_for_delivery(sent.id)).await.expect("sent");
    assert!(!open_files(home.path()).is_empty());

    soon(client.suspend()).await.expect("suspended");
    assert_eq!(open_files(home.path()), Vec::<String>::new());
    assert!(!client.is_owner());
    let refused = client.outbox().await;
    assert!(
        matches!(refused, Err(ChatError::StorageUnavailable { .. })),
        "{refused:?}"
    );

    let other = repository(&path, false);
    soon(other.became_owner()).await;
    let seen = store.revision();
    client.foreground();
    soon(store.changed(seen)).await;
    let message = handle.send("after").await.expect("accepted");
    assert!(!client.is_owner(), "another took over");
    assert_eq!(message.state, DeliveryState::Queued);
    other.close().await;
    soon(store.became_owner()).await;
    soon(client.wait_for_delivery(message.id))
        .await
        .expect("sent by the new owner");
    assert_eq!(service.texts("c1"), ["before", "after"]);
    client.shutdown().await;
}

// covers: G18
#[tokio::test(flavor = "multi_thread")]
async fn g18_a_passive_process_catches_up_and_sends_nothing() {
    let (_home, path) = home();
    let service = ScriptedService::new();
    for n in 0..5 {
        service.writes("c1", Role::Assistant, &format!("row {n}"));
    }
    let store = repository(&path, true);
    let client = client(&store, &service, 100).await;
    let caught = client.catch_up_within(Duration::from_secs(60)).await;
    let caught = caught.expect("caught up");
    assert_eq!((caught.new_messages, caught.conversations_changed), (5, 1));
    assert!(caught.finished && !client.is_owner());
    let waiting = client.send(chat(), "typed in it", SendMode::Durable).await;
    assert!(waiting.is_ok());
    let caught = client.catch_up_within(Duration::from_secs(60)).await;
    let caught = caught.expect("caught up");
    assert_eq!((caught.new_messages, caught.delivered), (0, 0));
    assert!(!caught.finished, "what waits is the owner's to send");
    assert_eq!(service.count(Operation::Send), 0);
    client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g18_a_deadline_ends_a_catch_up_with_what_was_done() {
    let (_home, path) = home();
    let service = ScriptedService::new();
    service.always(Operation::History, Reply::Hang);
    let store = repository(&path, true);
    let client = client(&store, &service, 100).await;
    let caught = client.catch_up_within(Duration::from_millis(50)).await;
    assert!(!caught.expect("an answer").finished);
    client.shutdown().await;
}

/// A frozen owner keeps the system's lock: nobody sends in its place, so nothing doubles when it
/// comes back; the others read and accept.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn f47_beside_a_frozen_owner_others_accept_and_nobody_sends() {
    let (_home, path) = home();
    let mut victim = Victim::start("kill::owns_until_killed", &path, 0);
    assert_eq!(victim.next("owner:").as_deref(), Some("yes"));
    signal(&victim, "-STOP");
    let store = open_with(shared(&path)).expect("a store");
    for n in 0..20 {
        accept_into(&store, n).await.expect("accepted");
    }
    assert_eq!(accepted(&store).await.len(), 20);
    assert!(!store.is_owner());
    signal(&victim, "-CONT");
    assert!(!store.is_owner());
    victim.kill();
    soon(store.became_owner()).await;
    victim.bury();
    store.close().await;
}

fn signal(victim: &Victim, name: &str) {
    let pid = victim.id().to_string();
    let sent = Command::new("kill").args([name, &pid]).status();
    assert!(sent.expect("kill runs").success());
}

const ALL: usize = 600;

fn long(rows: usize) -> ScriptedService {
    let service = ScriptedService::new();
    for n in 0..rows {
        service.writes("c1", Role::Assistant, &format!("row {n}"));
    }
    service
}

/// Reads twenty rows, then misses hundreds and fills the gap page by page until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the victim of the test below; does nothing by itself"]
async fn backfills_until_killed() {
    let Some(path) = given(STORE) else { return };
    let store = repository(Path::new(&path), false);
    let service = long(20);
    let client = client(&store, &service, 10).await;
    client.synchronise(chat()).await.expect("read");
    for n in 20..ALL {
        service.writes("c1", Role::Assistant, &format!("row {n}"));
    }
    service.always(Operation::History, Reply::after(Duration::from_millis(5)));
    let gaps = async move {
        let mut seen = store.revision();
        loop {
            seen = store.changed(seen).await;
            let look: Store = store.clone();
            let left = look.view(|rows| rows.gaps(&chat())).await;
            left.iter().flatten().for_each(|_| println!("gap:left"));
        }
    };
    // Either ends only with the process.
    let read = async {
        let _ = client.catch_up(chat()).await;
        std::future::pending::<()>().await;
    };
    tokio::join!(gaps, read);
}

// covers: F-32, F-45, G9
#[tokio::test(flavor = "multi_thread")]
async fn f32_a_backfill_that_was_killed_goes_on_where_it_was() {
    let (_home, path) = home();
    let mut victim = Victim::start("suspend::backfills_until_killed", &path, 0);
    for _ in 0..12 {
        assert_eq!(victim.next("gap:").as_deref(), Some("left"));
    }
    victim.kill();
    victim.bury();
    let store = repository(&path, false);
    let look: Store = store.clone();
    let stored = look.view(|rows| {
        let gaps = rows.gaps(&chat())?.len();
        Ok((gaps, rows.page(&chat(), None, ALL, true)?.len()))
    });
    let (gaps, before) = stored.await.expect("looked");
    assert!(gaps == 1 && before > 100 && before < ALL, "{gaps} {before}");
    let service = long(ALL);
    let client = client(&store, &service, 10).await;
    soon(client.synchronise(chat())).await.expect("synced");
    let stored = look.view(|rows| rows.page(&chat(), None, ALL * 2, true));
    let texts: Vec<_> = stored
        .await
        .expect("rows")
        .into_iter()
        .map(|row| row.text)
        .collect();
    assert_eq!(texts, service.texts("c1"));
    let needed = (ALL - before).div_ceil(10);
    let asked = service.count(Operation::History);
    assert!(
        asked <= needed + 2,
        "{asked} reads for {needed} pages that were missing"
    );
    client.shutdown().await;
}

/// Resident memory of this process, in KiB: now, and at its highest since the last reset.
#[cfg(target_os = "linux")]
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").expect("our status");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.expect("a field").parse().expect("a number")
    };
    (field("VmRSS:"), field("VmHWM:"))
}

/// Catches up with ten thousand messages over five hundred conversations, and tells what it took.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "the child of the test below; does nothing by itself"]
async fn catches_up_with_ten_thousand() {
    let Some(path) = given(STORE) else { return };
    let builder = (0..500).fold(ScriptedService::builder(), |builder, n| {
        builder.conversation(&format!("c{n}"))
    });
    let service = builder.build();
    let store = repository(Path::new(&path), true);
    let client = client(&store, &service, 100).await;
    let hour = Duration::from_secs(3_600);
    client.catch_up_within(hour).await.expect("the list");
    for n in 0..10_000 {
        service.writes(
            &format!("c{}", n % 500),
            Role::Assistant,
            &"word ".repeat(40),
        );
    }
    std::fs::write("/proc/self/clear_refs", "5").expect("reset");
    let (before, _) = resident();
    let caught = client.catch_up_within(hour).await.expect("caught up");
    let (_, highest) = resident();
    println!("caught:{}", caught.new_messages);
    println!("took:{}", highest.saturating_sub(before));
    client.shutdown().await;
}

// covers: G9, F-32
#[cfg(target_os = "linux")]
#[test]
fn g9_ten_thousand_missed_messages_take_ten_megabytes_at_most() {
    let (_home, path) = home();
    let mut child = Victim::start("suspend::catches_up_with_ten_thousand", &path, 0);
    assert_eq!(child.next("caught:").as_deref(), Some("10000"));
    let took: u64 = child
        .next("took:")
        .expect("a figure")
        .parse()
        .expect("a number");
    child.bury();
    println!("{took} KiB");
    assert!(took <= 10 * 1024, "{took} KiB");
}
