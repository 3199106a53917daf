//! What no log, error or debug print may hold: tokens, keys, and what people write.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test program says what it expects, and starts what it needs"
)]

#[path = "hostile/device.rs"]
#[allow(
    dead_code,
    reason = "a device as the hostile tests have it, of which this uses a part"
)]
mod device;

use std::{
    fmt::Debug,
    io::Write,
    sync::{Arc, Mutex, OnceLock},
};

use device::{Device, Setup, backend_with, soon, spoil};
use tidings::{
    adapters::{consultations::WsAuth, http::StaticToken as OneToken},
    domain::{
        connection::ConnectionState,
        event::ClientEvent,
        ids::ConversationId,
        outbox::SendMode,
        ports::{NewConversation, chat_repository::ConversationFilter},
    },
    usecases::search_messages::SearchMessages,
};
use tidings_backend::{
    Action, Backend, BackendConfig, Network, On, RequestRecord, Rule, Secret, StaticToken,
};
use tracing_subscriber::{filter::Targets, fmt::MakeWriter, layer::SubscriberExt};

const TOKEN: &str = "tokenmarker.6f1c.aa";
const STALE: &str = "tokenmarker.stale.bb";
const KEY: &str = "keymarker-77b0";
/// Part of every text that anybody writes here, and of what the server says in its errors.
const BODY: &str = "bodymarker";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<u8>>>);

impl Write for Book {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Book {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Everything that was printed, in one place to look through.
#[derive(Default)]
struct Prints(Vec<String>);

impl Prints {
    fn debug(&mut self, what: &impl Debug) {
        self.0.push(format!("{what:?} {what:#?}"));
    }

    fn error(&mut self, error: &impl std::error::Error) {
        self.debug(error);
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = cause {
            self.0.push(error.to_string());
            cause = error.source();
        }
    }
}

fn assert_clean(name: &str, text: &str) {
    for marker in ["tokenmarker", "keymarker", BODY] {
        if let Some(at) = text.find(marker) {
            let from = at.saturating_sub(200);
            let around: String = text.chars().skip(from).take(400).collect();
            panic!("{name} holds `{marker}`: …{around}…");
        }
    }
}

fn guarded() -> Backend {
    backend_with(BackendConfig {
        tokens: vec![StaticToken::new(TOKEN, "user-1")],
        api_key: Some(Secret::new(KEY)),
        greeting: Some(format!("{BODY} greeting")),
        ..BackendConfig::default()
    })
}

async fn device(backend: &Backend, token: &str) -> Device {
    let token = Arc::new(OneToken::new(token));
    let mut setup = Setup::at(&backend.url())
        .tokens(token)
        .set("turn.inactivity", "1s");
    setup.service.api_key = Some(KEY.into());
    setup.service.ws_auth = WsAuth::Both;
    setup.start().await
}

fn status(code: u16) -> Action {
    Action::Status {
        code,
        headers: [].into(),
        body: format!(r#"{{"error":{{"message":"{BODY} refused","code":"{BODY} code"}}}}"#),
        content_type: "application/json".to_owned(),
    }
}

/// A conversation in which everything happens that is ever logged.
async fn live_through(backend: &Backend, prints: &mut Prints) {
    let device = device(backend, TOKEN).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    prints.debug(&chat);
    spoil(
        backend,
        Rule::new(On::WsIn, Action::LostAck)
            .frame_type("message")
            .nth(2),
    );
    let torn = Action::Replace {
        text: Some(format!(
            "{{\"type\":\"stream_chunk\",\"content\":\"{BODY} torn"
        )),
        base64: None,
    };
    spoil(
        backend,
        Rule::new(On::WsOut, torn).frame_type("stream_chunk").nth(3),
    );
    for number in 0..3 {
        let text = format!("{BODY} question {number}");
        let sent = chat.send(&text).await.unwrap();
        prints.debug(&sent);
        prints.debug(&device.answered(&id, &text).await);
        prints.debug(&device.client.explain(sent.id).await.unwrap());
    }
    let odd = format!(
        r#"{{"type":"message","message":{{"id":"odd-1","role":"rolemarker","content":"{BODY}"}}}}"#
    );
    backend.push(id.as_str(), odd);
    let unknown = format!(r#"{{"type":"kind_of_frame","content":"{BODY}"}}"#);
    backend.push(id.as_str(), unknown);
    device
        .until(&id, "the odd one", |rows| rows.len() >= 8)
        .await;
    fail_in_all_ways(backend, &device, &id, prints).await;
    backend.network(Network::Refuse).unwrap();
    let waiting = chat.send(format!("{BODY} offline")).await.unwrap();
    device.waits_for("network.unreachable").await;
    prints.debug(&device.client.outbox().await.unwrap());
    prints.error(&device.client.synchronise(id.clone()).await.unwrap_err());
    backend.network(Network::Up).unwrap();
    device.client.network_changed(tidings::NetworkChange::Up);
    prints.debug(&device.fate(waiting.id).await);
    look_at_everything(&device, &id, prints).await;
    prints.debug(&device.client);
    device.stop().await;
}

async fn fail_in_all_ways(
    backend: &Backend,
    device: &Device,
    id: &ConversationId,
    prints: &mut Prints,
) {
    let code = Some("AI_DOWN".to_owned());
    let text = format!("{BODY} words of an error frame");
    let broken = Action::ErrorFrame {
        code,
        text,
        after_chunks: 2,
    };
    spoil(backend, Rule::new(On::WsIn, broken).frame_type("message"));
    let failing = format!("{BODY} failing");
    device
        .client
        .send(id.clone(), failing, SendMode::Durable)
        .await
        .unwrap();
    let failed = |event: &ClientEvent| {
        let is = matches!(event, ClientEvent::Stream { phase, .. } if phase.as_str() == "failed");
        is.then_some(())
    };
    device.event("the failed turn", failed).await;
    for text in [String::new(), BODY.repeat(1_000)] {
        let error = device
            .client
            .send(id.clone(), text, SendMode::Durable)
            .await;
        prints.error(&error.unwrap_err());
    }
    backend.network(Network::NoWebsocket).unwrap();
    for code in [400, 403, 404, 409, 413, 422, 500, 503, 429] {
        spoil(backend, Rule::new(On::Http, status(code)).method("POST"));
        let text = format!("{BODY} direct {code}");
        let sending = device.client.send(id.clone(), text, SendMode::Direct);
        let error = soon("a refusal", sending).await.unwrap_err();
        prints.error(&error);
        prints.error(&error.error);
        backend.faults().clear();
    }
    for code in [400, 403, 404, 500] {
        spoil(backend, Rule::new(On::Http, status(code)).times(0));
        prints.error(&device.client.refresh_conversations().await.unwrap_err());
        let new = NewConversation {
            persona: Some("nutritionist".to_owned()),
            attributes: [("initial_message".to_owned(), format!("{BODY} first"))].into(),
            ..NewConversation::default()
        };
        prints.error(&device.client.create_conversation(new).await.unwrap_err());
        backend.faults().clear();
    }
    backend.network(Network::Up).unwrap();
}

async fn look_at_everything(device: &Device, id: &ConversationId, prints: &mut Prints) {
    let all = ConversationFilter {
        include_archived: true,
        limit: 0,
    };
    prints.debug(&device.client.conversations(all).await.unwrap());
    prints.debug(&device.client.conversation(id).await.unwrap());
    prints.debug(
        &device
            .client
            .history(id.clone(), None, 50, true)
            .await
            .unwrap(),
    );
    let search = SearchMessages::new(BODY);
    prints.debug(&search);
    let found = device.client.search(search).await.unwrap();
    assert!(!found.hits.is_empty());
    prints.debug(&found);
    prints.debug(&found.hits[0].snippet);
    prints.debug(&device.client.export(id.clone()).await.unwrap());
    prints.debug(&device.client.mark_read(id.clone()).await.unwrap());
    prints.debug(&device.client.archive(id.clone(), true).await.unwrap());
    let mut timeline = device.client.observe_timeline(id.clone(), 50);
    prints.debug(&soon("a snapshot", timeline.next()).await.unwrap());
    prints.debug(&timeline);
    let mut outbox = device.client.observe_outbox();
    prints.debug(&soon("a snapshot", outbox.next()).await.unwrap());
    prints.debug(&device.events());
}

/// A token that is refused, and a store that cannot be opened.
async fn be_refused(backend: &Backend, prints: &mut Prints) {
    let device = device(backend, STALE).await;
    let id = ConversationId::parse("c1").unwrap();
    let _chat = device.open(&id, ConnectionState::SignInRequired).await;
    prints.error(&device.client.refresh_conversations().await.unwrap_err());
    prints.debug(&device.events());
    device.stop().await;
    let nowhere = tidings::adapters::sqlite::SqliteOptions::new("/proc/none/chat.db");
    prints.debug(&nowhere);
    prints.error(&tidings::adapters::sqlite::SqliteRepository::open(nowhere).unwrap_err());
}

/// What one eventful life left in the log, and what it printed.
fn traces() -> &'static (String, Vec<String>) {
    static TRACES: OnceLock<(String, Vec<String>)> = OnceLock::new();
    TRACES.get_or_init(live)
}

fn live() -> (String, Vec<String>) {
    let book = Book::default();
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(book.clone());
    let only = Targets::new().with_target("tidings", tracing::Level::TRACE);
    let subscriber = tracing_subscriber::registry().with(only).with(layer);
    // For every thread of this process: the writer of the store has one of its own.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut prints = Prints::default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let backend = guarded();
        live_through(&backend, &mut prints).await;
        be_refused(&backend, &mut prints).await;
        // The clients did talk, with their tokens in the query and the header.
        let requests = backend.requests();
        let upgraded = |seen: &RequestRecord| seen.upgrade && seen.status == Some(101);
        assert!(requests.iter().any(upgraded));
    });
    let logged = String::from_utf8(book.0.lock().unwrap().clone()).unwrap();
    (logged, prints.0)
}

#[test]
fn l99_log_holds_no_token_key_or_text() {
    let (logged, _) = traces();
    // The names that are promised.
    for event in [
        "ws.connecting",
        "ws.connected",
        "ws.failed",
        "polling.started",
        "polling.stopped",
        "message.received",
    ] {
        assert!(
            logged.contains(event),
            "{event} was never logged:\n{logged}"
        );
    }
    assert_clean("the log", logged);
    // Not even a word that the server made up is repeated there.
    assert!(!logged.contains("rolemarker"));
}

#[test]
fn inv20_errors_and_debug_prints_hold_no_token_key_or_text() {
    let (_, prints) = traces();
    assert!(prints.len() > 50, "{}", prints.len());
    for print in prints {
        assert_clean("a print", print);
    }
}
