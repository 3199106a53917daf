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

use std::{
    env, fs,
    sync::{Arc, Mutex},
    time::Instant,
};

use tidings_ffi::{
    Capabilities, ChatClient, ChatError, ClientOptions, ServicePort, ServiceReply, SessionFeed,
    calls::{ServerConversation, ServiceAnswer, ServiceCall, SessionEvent},
    records::{
        capabilities::{ServerOrder, SessionScope},
        conversation::NewConversation,
        event::ClientEvent,
        options::{Backend, Store, Tokens},
    },
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
            ServiceCall::CreateConversation { .. } => ServiceAnswer::Created {
                conversation: conversation(),
                messages: Vec::new(),
                existed: false,
            },
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

fn conversation() -> ServerConversation {
    ServerConversation {
        id: "c1".to_owned(),
        persona: None,
        status: None,
        title: None,
        context: None,
        created_at_ms: None,
        updated_at_ms: None,
        last_message_at_ms: None,
        participants: Vec::new(),
        attributes: Vec::new(),
        mark: None,
    }
}

fn capabilities() -> Capabilities {
    Capabilities {
        server_order: ServerOrder::Sequence,
        scope: SessionScope::Conversation,
        idempotent_send: true,
        idempotent_create: false,
        auto_resend: true,
        send_over_socket: false,
        ready_frame: true,
        resume: false,
        streaming: false,
        stop: false,
        one_turn_at_a_time: false,
        receipts: false,
        read_marker: false,
        typing: true,
        presence: false,
        contexts: false,
        edit: false,
        delete: false,
        audit: false,
        archive: false,
        complete: false,
        delete_conversation: false,
        history_paging: true,
        max_text: 5000,
        poll_floor_ms: 1000,
        probe_floor_ms: 0,
    }
}

async fn client(app: &Arc<App>) -> Arc<ChatClient> {
    let options = ClientOptions {
        backend: Backend::Custom {
            service: Arc::clone(app) as Arc<dyn ServicePort>,
            capabilities: capabilities(),
        },
        store: Store::Memory,
        tokens: Tokens::None,
        settings: Vec::new(),
    };
    ChatClient::start(options).await.unwrap()
}

fn new() -> NewConversation {
    NewConversation {
        persona: None,
        context: None,
        attributes: Vec::new(),
    }
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
        let id = client.create_conversation(new(), None).await.unwrap();
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
    let id = client.create_conversation(new(), None).await.unwrap();
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
