//! The life of a message under any order of events: the whole core against a model of promises.
//!
//! A run is a list of steps (sends, faults, kills, waits). After every step the safety promises
//! are checked, after the last one everything is healed and the rest must follow.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

#[allow(dead_code, reason = "shared with the use cases, which need more of it")]
#[path = "use_cases/support.rs"]
mod support;

use std::sync::Arc;

use proptest::prelude::*;
use support::{App, chat, lost, ms, pass, rejected, secs, slow_down, unreachable};
use tempfile::TempDir;
use tidings::{
    Config, ConversationHandle, NetworkChange,
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository, Synchronous},
    domain::{
        delivery::DeliveryState,
        event::CloseReason,
        ids::ClientMessageId,
        message::{Message, Role},
        ports::ChatRepository,
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply, delta},
    },
};

#[derive(Clone, Debug)]
enum Step {
    Send,
    SendDirect,
    Pass(u64),
    Fault(Operation, Fault),
    Answer,
    Stream,
    HalfAnswer,
    BreakSocket,
    DeafSocket,
    OtherDevice,
    Network(bool),
    OpenOrLeave,
    CatchUp,
    Retry(usize),
    Cancel(usize),
    Sleep,
    Kill,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Unreachable,
    Lost,
    AppliedAndLost,
    Hang,
    AppliedLate,
    Rejected,
    SlowDown,
    Slow,
}

impl Fault {
    fn reply(self) -> Reply {
        match self {
            Self::Unreachable => Reply::Fail(unreachable()),
            Self::Lost => Reply::Fail(lost()),
            Self::AppliedAndLost => Reply::ApplyThenFail(lost()),
            Self::Hang => Reply::Hang,
            // Within the grace: beyond it a second copy is the named residue of such servers.
            Self::AppliedLate => Reply::HangAndApply(secs(8)),
            Self::Rejected => Reply::Fail(rejected()),
            Self::SlowDown => Reply::Fail(slow_down(secs(20))),
            Self::Slow => Reply::after(secs(3)),
        }
    }
}

fn fault() -> impl Strategy<Value = Step> {
    use Fault::{AppliedAndLost, AppliedLate, Hang, Lost, Rejected, Slow, SlowDown, Unreachable};
    let sends = prop::sample::select(vec![
        Unreachable,
        Lost,
        AppliedAndLost,
        Hang,
        AppliedLate,
        Rejected,
        SlowDown,
        Slow,
    ]);
    let reads = prop::sample::select(vec![Unreachable, Lost, Slow, SlowDown]);
    prop_oneof![
        sends
            .clone()
            .prop_map(|fault| Step::Fault(Operation::Send, fault)),
        sends.prop_map(|fault| Step::Fault(Operation::SocketSend, fault)),
        reads
            .clone()
            .prop_map(|fault| Step::Fault(Operation::History, fault)),
        reads.prop_map(|fault| Step::Fault(Operation::Connect, fault)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Send),
        1 => Just(Step::SendDirect),
        6 => prop::sample::select(vec![10_u64, 100, 1_000, 5_000, 12_000, 35_000]).prop_map(Step::Pass),
        6 => fault(),
        2 => Just(Step::Answer),
        2 => Just(Step::Stream),
        1 => Just(Step::HalfAnswer),
        2 => Just(Step::BreakSocket),
        1 => Just(Step::DeafSocket),
        1 => Just(Step::OtherDevice),
        2 => any::<bool>().prop_map(Step::Network),
        3 => Just(Step::OpenOrLeave),
        1 => Just(Step::CatchUp),
        2 => (0_usize..8).prop_map(Step::Retry),
        2 => (0_usize..8).prop_map(Step::Cancel),
        1 => Just(Step::Sleep),
        2 => Just(Step::Kill),
    ]
}

/// What was promised of one durable message.
#[derive(Debug)]
struct Promise {
    text: String,
    sent: bool,
    /// Failed or taken back at some time: its place in the order is no longer promised.
    stepped_aside: bool,
}

struct World {
    home: TempDir,
    service: ScriptedService,
    app: Option<App>,
    handle: Option<ConversationHandle>,
    /// In accept order.
    promises: Vec<(ClientMessageId, Promise)>,
    texts: usize,
}

impl World {
    async fn new() -> Self {
        let mut world = Self {
            home: TempDir::new().unwrap(),
            service: ScriptedService::new(),
            app: None,
            handle: None,
            promises: Vec::new(),
            texts: 0,
        };
        world.start().await;
        world
    }

    async fn start(&mut self) {
        let mut options = SqliteOptions::new(self.home.path().join("chat.db"));
        options.executor = Executor::Inline;
        options.synchronous = Synchronous::Off;
        let store: Arc<dyn ChatRepository> = SqliteRepository::open(options).unwrap();
        self.app = Some(App::on(&self.service, Config::default(), store).await);
    }

    fn app(&mut self) -> &mut App {
        self.app.as_mut().unwrap()
    }

    fn text(&mut self) -> String {
        self.texts += 1;
        format!("text {}", self.texts)
    }

    fn nth(&self, n: usize) -> Option<ClientMessageId> {
        self.promises.get(n).map(|(id, _)| *id)
    }

    async fn take(&mut self, step: Step) {
        let text = self.text();
        match step {
            Step::Send => {
                let id = self.app().send(&text).await;
                let promise = Promise {
                    text,
                    sent: false,
                    stepped_aside: false,
                };
                self.promises.push((id, promise));
            }
            Step::SendDirect => {
                let client = self.app().client.clone();
                let send = client.send(chat("c1"), text, tidings::domain::outbox::SendMode::Direct);
                let _ = tokio::time::timeout(secs(60), send).await;
            }
            Step::Pass(millis) => pass(ms(millis)).await,
            Step::Fault(operation, fault) => self.service.next(operation, fault.reply()),
            Step::Answer => drop(self.service.pushes("c1", &text)),
            Step::Stream => drop(self.service.streams("c1", &["streamed ", &text])),
            Step::HalfAnswer => {
                for session in self.service.sessions("c1") {
                    session.push(delta("half "));
                }
            }
            Step::BreakSocket => {
                for session in self.service.sessions("c1") {
                    session.end(CloseReason::Broken);
                }
            }
            Step::DeafSocket => {
                for session in self.service.sessions("c1") {
                    session.go_deaf();
                }
            }
            Step::OtherDevice => drop(self.service.writes("c1", Role::Assistant, &text)),
            Step::Network(up) => self.network(up),
            Step::OpenOrLeave => {
                let open = self.handle.is_none();
                self.handle = open.then(|| self.app().client.open(chat("c1")));
            }
            Step::CatchUp => {
                let client = self.app().client.clone();
                let _ = tokio::time::timeout(secs(5), client.catch_up(chat("c1"))).await;
            }
            Step::Retry(n) => {
                if let Some(id) = self.nth(n) {
                    let _ = self.app().client.retry(id).await;
                }
            }
            Step::Cancel(n) => {
                if let Some(id) = self.nth(n) {
                    let _ = self.app().client.cancel(id).await;
                }
            }
            Step::Sleep => {
                self.app().client.background(ms(500)).await.unwrap();
                pass(secs(60)).await;
                self.app().client.foreground();
            }
            Step::Kill => {
                let app = self.app.take().unwrap();
                app.repository.close().await;
                self.handle = None;
                drop(app);
                pass(ms(1)).await;
                self.start().await;
            }
        }
    }

    fn network(&mut self, up: bool) {
        let (reply, change) = if up {
            (Reply::Normal, NetworkChange::Up)
        } else {
            (Reply::Fail(unreachable()), NetworkChange::Down)
        };
        self.service.always_all(&reply);
        self.app().client.network_changed(change);
    }

    /// What holds at every moment.
    async fn check(&mut self) {
        let rows = self.app().rows("c1").await;
        let on_server = self.service.texts("c1");
        let copies = |text: &str| on_server.iter().filter(|one| one.as_str() == text).count();
        no_row_twice(&rows);
        for row in rows
            .iter()
            .filter(|row| row.own && row.state.is_on_server())
        {
            assert_ne!(
                copies(&row.text),
                0,
                "INV-03: shown as sent, and the server lacks it"
            );
        }
        for (id, promise) in &mut self.promises {
            let row = rows
                .iter()
                .find(|row| row.id == *id)
                .expect("INV-01: it vanished");
            assert_eq!(row.text, promise.text, "INV-01: its text changed");
            assert!(
                copies(&promise.text) <= 1,
                "INV-02: {} was doubled",
                promise.text
            );
            assert!(
                !promise.sent || row.state.is_on_server(),
                "INV-03: sent, then {:?}",
                row.state
            );
            promise.sent |= row.state.is_on_server();
            let aside = [DeliveryState::Failed, DeliveryState::Cancelled].contains(&row.state);
            promise.stepped_aside |= aside;
        }
        self.check_order(&on_server);
        self.app().assert_sound();
    }

    fn check_order(&self, on_server: &[String]) {
        let promised = self
            .promises
            .iter()
            .filter(|(_, promise)| !promise.stepped_aside);
        let places = promised
            .filter_map(|(_, promise)| on_server.iter().position(|text| *text == promise.text));
        let places: Vec<_> = places.collect();
        assert!(places.is_sorted(), "INV-06: {places:?} of {on_server:?}");
    }

    /// Faults end; what must happen then.
    async fn heal(&mut self) {
        self.service.clear_script();
        self.network(true);
        self.app().client.foreground();
        self.handle = Some(self.app().client.open(chat("c1")));
        for _ in 0..self.promises.len() + 4 {
            pass(secs(45)).await;
            self.check().await;
        }
        let rows = self.app().rows("c1").await;
        for (id, promise) in &self.promises {
            let row = rows.iter().find(|row| row.id == *id).unwrap();
            assert!(
                !row.state.is_pending(),
                "INV-22: {} is still {:?}",
                promise.text,
                row.state
            );
        }
        self.app().client.synchronise(chat("c1")).await.unwrap();
        let rows = self.app().rows("c1").await;
        let mine: Vec<_> = rows.iter().filter(|row| row.server_id.is_some()).collect();
        let mine: Vec<_> = mine.iter().map(|row| row.text.clone()).collect();
        assert_eq!(
            mine,
            self.service.texts("c1"),
            "INV-08: another order or other rows"
        );
    }
}

fn no_row_twice(rows: &[Message]) {
    let mut ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut names: Vec<_> = rows
        .iter()
        .filter_map(|row| row.server_id.clone())
        .collect();
    let (all, named) = (ids.len(), names.len());
    ids.sort();
    ids.dedup();
    names.sort();
    names.dedup();
    assert_eq!(
        (ids.len(), names.len()),
        (all, named),
        "INV-05: a row is there twice"
    );
}

fn run(steps: Vec<Step>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new().await;
        for step in steps {
            world.take(step).await;
            world.check().await;
        }
        world.heal().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // covers: INV-01, INV-02, INV-03, INV-05, INV-06, INV-07, INV-08, INV-22
    #[test]
    fn a_message_keeps_its_promises_under_any_order_of_events(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        run(steps);
    }
}

/// What was retried is older than what is on the wire, and must not take its place.
#[test]
fn inv22_retried_message_does_not_make_the_one_on_the_wire_forgotten() {
    run(vec![
        Step::Fault(Operation::Send, Fault::Rejected),
        Step::Send,
        Step::SendDirect,
        Step::OpenOrLeave,
        Step::Send,
        Step::HalfAnswer,
        Step::Fault(Operation::Send, Fault::Hang),
        Step::Pass(10),
        Step::Pass(10),
        Step::Send,
        Step::Network(false),
        Step::Send,
        Step::Pass(35_000),
        Step::Retry(0),
    ]);
}

/// A pushed row took the place of an answer that was given up, in the middle of the history.
#[test]
fn inv08_pushed_row_does_not_stand_where_an_answer_was_given_up() {
    run(vec![
        Step::SendDirect,
        Step::Send,
        Step::OpenOrLeave,
        Step::Pass(10),
        Step::Stream,
        Step::HalfAnswer,
        Step::SendDirect,
        Step::Send,
        Step::Send,
        Step::Sleep,
        Step::Pass(10),
        Step::Stream,
        Step::Fault(Operation::SocketSend, Fault::Rejected),
        Step::Pass(10),
        Step::Fault(Operation::History, Fault::Unreachable),
        Step::Retry(2),
        Step::SendDirect,
        Step::Answer,
        Step::Send,
    ]);
}
