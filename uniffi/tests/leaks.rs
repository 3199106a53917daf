//! Whoever opens and closes for ever uses no more memory than one who did it for a while, and neither
//! does one who reads events for ever. The ordinary run is short; `cargo xtask leaks` is the long one,
//! and `cargo xtask event-cost` only reads events.

#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test drives several tasks, says what it measured, and stops where it is wrong"
)]

mod app;

use std::{
    env, fs,
    sync::{Arc, Mutex},
    time::Instant,
};

use app::{anything, conversation, created};
use tidings_ffi::{
    Capabilities, ChatClient, ChatError, ServicePort, ServiceReply, SessionFeed,
    calls::{ServiceAnswer, ServiceCall, SessionEvent},
    records::{capabilities::ServerOrder, event::ClientEvent},
};

/// What may come on top of what the first tenth of a run needed.
const GROWTH: u64 = 1024 * 1024;

/// Rounds of a short run, and of the long one that the task asks for.
fn rounds(short: usize) -> usize {
    number("TIDINGS_LEAK_ROUNDS").unwrap_or(short)
}

fn number(variable: &str) -> Option<usize> {
    env::var(variable).ok()?.parse().ok()
}

/// A backend that has one conversation and keeps the feed of its session.
#[derive(Default)]
struct App {
    feed: Mutex<Option<Arc<SessionFeed>>>,
}

impl ServicePort for App {
    fn perform(&self, call: ServiceCall, reply: Arc<ServiceReply>) -> Result<(), ChatError> {
        reply.resolve(match call {
            ServiceCall::CreateConversation { .. } => created(),
            ServiceCall::GetConversation { .. } => ServiceAnswer::Conversation {
                conversation: conversation(),
            },
            ServiceCall::History { .. } => ServiceAnswer::History {
                messages: Vec::new(),
                older: None,
                newer: "0".to_owned(),
                more: false,
                tail: None,
            },
            ServiceCall::Connect { feed, .. } => {
                *self.feed.lock().unwrap() = Some(feed);
                ServiceAnswer::Done
            }
            _ => ServiceAnswer::Done,
        });
        Ok(())
    }
}

async fn client(app: &Arc<App>) -> Arc<ChatClient> {
    let capabilities = Capabilities {
        server_order: ServerOrder::Sequence,
        idempotent_send: true,
        ready_frame: true,
        typing: true,
        ..app::least()
    };
    app::client(Arc::clone(app) as Arc<dyn ServicePort>, capabilities).await
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let told = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = told.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Measures after the first tenth and at the end.
struct Meter {
    name: &'static str,
    rounds: usize,
    early: u64,
}

impl Meter {
    fn new(name: &'static str, rounds: usize) -> Self {
        let early = 0;
        Self {
            name,
            rounds,
            early,
        }
    }

    fn after(&mut self, round: usize) {
        if round == self.rounds / 10 {
            self.early = resident();
        }
    }

    fn check(self) {
        let late = resident();
        let grown = late.saturating_sub(self.early);
        println!(
            "{}: {} rounds, {} KiB after a tenth, {} KiB at the end, grown by {} KiB",
            self.name,
            self.rounds,
            self.early / 1024,
            late / 1024,
            grown / 1024
        );
        assert!(grown <= GROWTH, "{}: grown by {grown} bytes", self.name);
    }
}

/// One test, so that nothing else of this process is measured with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_and_reading_for_ever_needs_no_more_memory() {
    if let Some(events) = number("TIDINGS_EVENTS") {
        return read_events(events).await;
    }
    open_and_close().await;
    read_events(rounds(500) * 10).await;
}

async fn open_and_close() {
    let rounds = rounds(300);
    let mut meter = Meter::new("open and close", rounds);
    for round in 1..=rounds {
        let app = Arc::new(App::default());
        let client = client(&app).await;
        let id = client.create_conversation(anything(), None).await.unwrap();
        let chat = client.open(id.conversation.id.clone()).unwrap();
        let timeline = client.timeline(id.conversation.id, 50).unwrap();
        let events = client.events().unwrap();
        assert!(timeline.next().await.unwrap().is_some());
        timeline.stop();
        events.stop();
        chat.leave();
        client.shutdown().await.unwrap();
        meter.after(round);
    }
    meter.check();
}

/// As many as a session and a reader keep at a time, until all are through. The first tenth warms up.
async fn read_events(rounds: usize) {
    const BATCH: usize = 500;
    let (app, mut meter) = (Arc::new(App::default()), Meter::new("events", rounds));
    let client = client(&app).await;
    let id = client.create_conversation(anything(), None).await.unwrap();
    let events = client.events().unwrap();
    let chat = client.open(id.conversation.id).unwrap();
    let feed = loop {
        if let Some(feed) = app.feed.lock().unwrap().clone() {
            break feed;
        }
        tokio::task::yield_now().await;
    };
    feed.push(SessionEvent::Ready);
    let (mut started, mut read) = (Instant::now(), 0);
    while read < rounds {
        if read == rounds / 10 {
            started = Instant::now();
        }
        for number in 0..BATCH {
            assert!(feed.push(typing(number % 2 == 0)), "the session was cut");
        }
        let goal = read + BATCH;
        while read < goal {
            read += events
                .next()
                .await
                .unwrap()
                .unwrap()
                .iter()
                .filter(is_typing)
                .count();
        }
        meter.after(read / BATCH * BATCH);
    }
    let timed = u128::try_from(read - rounds / 10).unwrap();
    println!(
        "cost of an event: {} ns",
        started.elapsed().as_nanos() / timed
    );
    chat.leave();
    client.shutdown().await.unwrap();
    meter.check();
}

fn typing(active: bool) -> SessionEvent {
    SessionEvent::Typing {
        user: "u1".to_owned(),
        active,
    }
}

fn is_typing(event: &&ClientEvent) -> bool {
    matches!(event, ClientEvent::Typing { .. })
}
