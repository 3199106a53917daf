//! A store that cannot be written for a while: nothing is lost, nothing is called internal.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use tidings::{
    Config,
    adapters::memory::MemoryRepository,
    domain::{
        delivery::DeliveryState,
        event::ClientEvent,
        ports::{
            ChatRepository, Durability, RepositoryError, Revision,
            chat_repository::{Job, RowResult},
        },
        rules::salvage::{self, Salvaged},
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, ms, pass, secs, unreachable};

/// A store on a disk that may be full.
#[derive(Debug, Default)]
struct SmallDisk {
    store: MemoryRepository,
    full: AtomicBool,
}

#[async_trait]
impl ChatRepository for SmallDisk {
    async fn write(&self, durability: Durability, job: Job) -> RowResult<()> {
        if self.full.load(Ordering::Relaxed) {
            return Err(RepositoryError::Full);
        }
        self.store.write(durability, job).await
    }

    async fn read(&self, job: Job) -> RowResult<()> {
        self.store.read(job).await
    }

    fn revision(&self) -> Revision {
        self.store.revision()
    }

    async fn changed(&self, seen: Revision) -> Revision {
        self.store.changed(seen).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

async fn start() -> (App, Arc<SmallDisk>) {
    let disk = Arc::new(SmallDisk::default());
    let app = App::on(&ScriptedService::new(), Config::default(), disk.clone()).await;
    (app, disk)
}

fn codes(app: &mut App) -> Vec<&'static str> {
    let told = app.told().into_iter();
    let codes = told.filter_map(|event| match event {
        ClientEvent::StoreTroubled { code } => Some(code),
        _ => None,
    });
    codes.collect()
}

// covers: F-40
#[tokio::test(start_paused = true)]
async fn a_send_on_a_full_disk_is_refused_and_nothing_is_shown() {
    let (app, disk) = start().await;
    disk.full.store(true, Ordering::Relaxed);
    let chat = crate::support::chat("c1");
    let mode = tidings::domain::outbox::SendMode::Durable;
    let refused = app.client.send(chat, "no room", mode).await.unwrap_err();
    assert_eq!(refused.error.code(), "store.full");
    assert_eq!(app.rows("c1").await, []);
}

// covers: F-41
#[tokio::test(start_paused = true)]
async fn an_attempt_that_cannot_be_recorded_does_not_leave_and_is_made_when_there_is_room() {
    let (mut app, disk) = start().await;
    app.service
        .next(Operation::Send, Reply::Fail(unreachable()));
    let id = app.send("waiting").await;
    pass(ms(1)).await;
    disk.full.store(true, Ordering::Relaxed);
    app.client.network_changed(tidings::NetworkChange::Up);
    pass(secs(8)).await;
    assert_eq!(
        app.service.count(Operation::Send),
        1,
        "nothing leaves unrecorded"
    );
    let told = codes(&mut app);
    assert!(
        !told.is_empty() && told.iter().all(|code| *code == "store.full"),
        "{told:?}"
    );
    disk.full.store(false, Ordering::Relaxed);
    pass(secs(10)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    pass(secs(60)).await;
    assert_eq!(codes(&mut app), [] as [&str; 0]);
}

// covers: F-41
#[tokio::test(start_paused = true)]
async fn a_confirmation_that_cannot_be_stored_is_found_again_and_not_resent() {
    let (mut app, disk) = start().await;
    app.service.next(Operation::Send, Reply::after(secs(1)));
    let id = app.send("confirmed into nowhere").await;
    pass(ms(500)).await;
    disk.full.store(true, Ordering::Relaxed);
    pass(secs(10)).await;
    disk.full.store(false, Ordering::Relaxed);
    pass(secs(60)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.service.texts("c1"), ["confirmed into nowhere"]);
    assert!(codes(&mut app).iter().all(|code| *code == "store.full"));
}

// covers: F-41, INV-10
#[tokio::test(start_paused = true)]
async fn what_is_pushed_while_the_disk_is_full_is_read_when_there_is_room() {
    let (app, disk) = start().await;
    let handle = app.live().await;
    disk.full.store(true, Ordering::Relaxed);
    app.service.pushes("c1", "no room for it");
    pass(secs(10)).await;
    assert_eq!(app.rows("c1").await, []);
    disk.full.store(false, Ordering::Relaxed);
    pass(secs(10)).await;
    assert_eq!(app.texts("c1").await, ["no room for it"]);
    drop(handle);
}

/// The events of a salvage that this reader heard.
fn salvages(app: &mut App) -> Vec<(u64, u64, String)> {
    let told = app.told().into_iter();
    let salvages = told.filter_map(|event| match event {
        ClientEvent::StoreSalvaged {
            kept,
            unsent,
            drafts,
            lost: 0,
        } => Some((unsent, drafts, kept)),
        _ => None,
    });
    salvages.collect()
}

// covers: F-43
#[tokio::test(start_paused = true)]
async fn a_salvage_is_told_once_to_the_first_who_listens() {
    let disk = Arc::new(SmallDisk::default());
    let word = Salvaged {
        kept: "chat.db.damaged-1".to_owned(),
        unsent: 3,
        drafts: 1,
        lost: 0,
    };
    let left = word.clone();
    let store: &dyn ChatRepository = disk.as_ref();
    let leave = store.transact(Durability::Full, move |rows| {
        salvage::leave_word(rows, &left)
    });
    leave.await.unwrap();
    let mut app = App::on(&ScriptedService::new(), Config::default(), disk.clone()).await;
    pass(ms(100)).await;
    assert_eq!(salvages(&mut app), [(3, 1, word.kept)]);
    let mut later = app.client.events();
    pass(ms(100)).await;
    let heard = futures_util::FutureExt::now_or_never(later.next());
    assert_eq!(heard, None);
    assert_eq!(salvages(&mut app), []);
}
