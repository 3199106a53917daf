//! Tokens that end: in the middle, for good, or while they cannot be renewed.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use tidings::domain::{
    connection::ConnectionState,
    delivery::DeliveryState,
    event::ClientEvent,
    ports::{Token, TokenError, TokenProvider},
};
use tokio::sync::watch;

use crate::{
    device::{Device, Setup, soon},
    raw::{Reply, Seen, Socket},
    server::{Rows, Stub, chat, converse},
};

/// The app's session: a token, and what a refresh answers.
#[derive(Debug)]
struct Session {
    token: Mutex<String>,
    fresh: Mutex<Result<String, TokenError>>,
    asked: AtomicUsize,
    refreshed: watch::Sender<usize>,
}

impl Session {
    fn new(fresh: Result<&str, TokenError>) -> Arc<Self> {
        Arc::new(Self {
            token: Mutex::new("one".to_owned()),
            fresh: Mutex::new(fresh.map(str::to_owned)),
            asked: AtomicUsize::new(0),
            refreshed: watch::Sender::new(0),
        })
    }

    fn refreshes(&self) -> usize {
        *self.refreshed.borrow()
    }
}

#[async_trait]
impl TokenProvider for Session {
    async fn current(&self) -> Result<Option<Token>, TokenError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(Some(Token::new(self.token.lock().unwrap().clone())))
    }

    async fn refresh(&self) -> Result<Token, TokenError> {
        let fresh = self.fresh.lock().unwrap().clone();
        // Whoever else meets a 401 meanwhile has to wait for this refresh, not start another.
        tokio::task::yield_now().await;
        self.refreshed.send_modify(|count| *count += 1);
        let fresh = fresh?;
        self.token.lock().unwrap().clone_from(&fresh);
        Ok(Token::new(fresh))
    }
}

/// A server that takes one token, and can change its mind.
#[derive(Clone)]
struct Gate {
    token: Arc<Mutex<String>>,
    cut: watch::Sender<usize>,
}

impl Gate {
    fn new() -> Self {
        Self {
            token: Arc::new(Mutex::new("one".to_owned())),
            cut: watch::Sender::new(0),
        }
    }

    /// From now on only this token is good, and every open socket is cut.
    fn only(&self, token: &str) {
        token.clone_into(&mut self.token.lock().unwrap());
        self.cut.send_modify(|count| *count += 1);
    }

    fn lets_in(&self, seen: &Seen) -> bool {
        let wanted = format!("Bearer {}", self.token.lock().unwrap());
        seen.header("authorization") == Some(wanted.as_str())
    }

    async fn server(&self) -> Stub {
        let gate = self.clone();
        Stub::start(move |seen, rows| {
            if !gate.lets_in(seen) {
                return Some(Reply::Http(401, Vec::new(), "unauthorized".to_owned()));
            }
            let (rows, cut) = (rows.clone(), gate.cut.subscribe());
            let talk = move |socket| until_cut(socket, rows, cut);
            seen.wants_socket().then(|| Reply::socket(talk))
        })
        .await
    }
}

async fn until_cut(socket: Socket, rows: Rows, mut cut: watch::Receiver<usize>) {
    cut.borrow_and_update();
    let talk = std::pin::pin!(converse(socket, rows));
    let cut = std::pin::pin!(cut.changed());
    futures_util::future::select(talk, cut).await;
}

fn sign_outs(device: &Device) -> usize {
    let events = device.events();
    let asks = |event: &&ClientEvent| matches!(event, ClientEvent::SignInRequired);
    events.iter().filter(asks).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_token_that_ends_mid_session_is_renewed_once_for_socket_and_requests() {
    let (gate, session) = (Gate::new(), Session::new(Ok("two")));
    let stub = gate.server().await;
    let device = Setup::at(&stub.url()).tokens(session.clone()).start().await;
    let chat_handle = device.open(&chat(), ConnectionState::Live).await;
    chat_handle.send("before").await.unwrap();
    device.answered(&chat(), "before").await;
    device.forget();
    gate.only("two");
    let sent = chat_handle.send("after").await.unwrap();
    let (listed, read) = tokio::join!(
        device.client.refresh_conversations(),
        device.client.catch_up(chat()),
    );
    assert!(listed.is_ok() || listed.unwrap_err().code() == "not_found");
    read.unwrap();
    device.answered(&chat(), "after").await;
    device.state(&chat(), ConnectionState::Live).await;
    assert_eq!(session.refreshes(), 1);
    assert_eq!(stub.rows.asked(), ["before", "after"]);
    assert_eq!(sign_outs(&device), 0);
    let story = device.story(sent.id).await;
    assert!(!story.contains(&DeliveryState::Failed), "{story:?}");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f19_refresh_without_a_network_keeps_the_session_and_is_tried_again() {
    let gate = Gate::new();
    let session = Session::new(Err(TokenError::Unavailable));
    let stub = gate.server().await;
    let device = Setup::at(&stub.url()).tokens(session.clone()).start().await;
    let handle = device.open(&chat(), ConnectionState::Live).await;
    gate.only("two");
    let sent = handle.send("kept").await.unwrap();
    let mut tries = session.refreshed.subscribe();
    soon("three tries", tries.wait_for(|count| *count >= 3))
        .await
        .unwrap();
    assert_eq!(sign_outs(&device), 0);
    *session.fresh.lock().unwrap() = Ok("two".to_owned());
    device.answered(&chat(), "kept").await;
    assert_eq!(stub.rows.asked(), ["kept"]);
    let story = device.story(sent.id).await;
    assert!(!story.contains(&DeliveryState::Failed), "{story:?}");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l54_refused_refresh_asks_to_sign_in_once_and_stops() {
    let (gate, session) = (Gate::new(), Session::new(Err(TokenError::SignInRequired)));
    let stub = gate.server().await;
    let device = Setup::at(&stub.url()).tokens(session.clone()).start().await;
    let handle = device.open(&chat(), ConnectionState::Live).await;
    handle.send("before").await.unwrap();
    device.answered(&chat(), "before").await;
    gate.only("two");
    device.state(&chat(), ConnectionState::SignInRequired).await;
    handle.send("after").await.unwrap();
    device.unsent("kept", |entry| entry.text() == "after").await;
    let asked = stub.seen().len();
    for _ in 0..3 {
        let refused = device.client.catch_up(chat()).await.unwrap_err();
        assert_eq!(refused.code(), "sign_in_required");
    }
    assert_eq!(stub.seen().len(), asked, "traffic goes on");
    assert_eq!(session.refreshes(), 1);
    assert_eq!(sign_outs(&device), 1);
    let rows = device
        .until(&chat(), "the history", |rows| rows.len() == 3)
        .await;
    assert_eq!(rows[0].text, "before", "history stays");
    // The user signs in; the app comes back with the new token.
    "two".clone_into(&mut session.token.lock().unwrap());
    device.forget();
    device.client.foreground();
    device.state(&chat(), ConnectionState::Live).await;
    device.answered(&chat(), "after").await;
    assert_eq!(stub.rows.asked(), ["before", "after"]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f19_direct_send_without_a_session_returns_the_draft() {
    let (gate, session) = (Gate::new(), Session::new(Err(TokenError::SignInRequired)));
    gate.only("two");
    let stub = gate.server().await;
    let setup = Setup::at(&stub.url()).without_socket();
    let device = setup.tokens(session).start().await;
    let mode = tidings::domain::outbox::SendMode::Direct;
    for _ in 0..2 {
        let refused = soon("the refusal", device.client.send(chat(), "draft", mode)).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.error.code(), "sign_in_required");
        assert_eq!(refused.draft.as_deref(), Some("draft"));
    }
    assert!(device.client.outbox().await.unwrap().is_empty());
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l65_each_dial_takes_the_current_token() {
    let (gate, session) = (Gate::new(), Session::new(Err(TokenError::SignInRequired)));
    let stub = gate.server().await;
    let device = Setup::at(&stub.url()).tokens(session.clone()).start().await;
    let _handle = device.open(&chat(), ConnectionState::Live).await;
    for token in ["two", "three"] {
        device.forget();
        token.clone_into(&mut session.token.lock().unwrap());
        gate.only(token);
        device.state(&chat(), ConnectionState::Live).await;
    }
    let dials = stub.seen();
    let dials = dials.iter().filter(|seen| seen.wants_socket());
    let tokens: Vec<_> = dials
        .filter_map(|seen| seen.header("authorization"))
        .collect();
    assert_eq!(tokens, ["Bearer one", "Bearer two", "Bearer three"]);
    assert_eq!(session.refreshes(), 0);
    device.stop().await;
}

/// A source whose refresh uses the session up, and ends with the process before it could keep the
/// new token.
#[derive(Debug)]
struct Killed {
    gate: Arc<Mutex<String>>,
    rotated: watch::Sender<bool>,
}

#[async_trait]
impl TokenProvider for Killed {
    async fn current(&self) -> Result<Option<Token>, TokenError> {
        Ok(Some(Token::new("one")))
    }

    async fn refresh(&self) -> Result<Token, TokenError> {
        "two".clone_into(&mut self.gate.lock().unwrap());
        self.rotated.send_replace(true);
        std::future::pending().await
    }
}

/// What was kept of the session is worth nothing: one clean sign-in, and what waited goes out.
// covers: F-20
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f20_killed_between_rotating_a_token_and_keeping_it_asks_to_sign_in_and_loses_nothing() {
    let gate = Gate::new();
    let stub = gate.server().await;
    let killed = Arc::new(Killed {
        gate: gate.token.clone(),
        rotated: watch::Sender::new(false),
    });
    let mut rotated = killed.rotated.subscribe();
    let device = Setup::at(&stub.url()).tokens(killed).start().await;
    let handle = device.open(&chat(), ConnectionState::Live).await;
    gate.only("ended");
    let sent = handle.send("typed before the end").await.unwrap();
    soon("the refresh", rotated.wait_for(|done| *done))
        .await
        .unwrap();
    drop(handle);
    let home = device.kill();
    let refused = stub.count(|seen| seen.header("authorization") == Some("Bearer two"));
    assert_eq!(refused, 0, "a token left before its source had it");

    // The old token is refused, and so is the refresh that it stands for.
    let session = Session::new(Err(TokenError::SignInRequired));
    let device = Setup::at(&stub.url()).tokens(session.clone());
    let device = device.start_on(home).await;
    let handle = device.client.open(chat());
    device.state(&chat(), ConnectionState::SignInRequired).await;
    let waits = |entry: &tidings::domain::outbox::OutboxEntry| entry.id == sent.id;
    device.unsent("kept", waits).await;
    assert_eq!((session.refreshes(), sign_outs(&device)), (1, 1));
    let signed_in = gate.token.lock().unwrap().clone();
    session.token.lock().unwrap().clone_from(&signed_in);
    device.client.foreground();
    device.answered(&chat(), "typed before the end").await;
    assert_eq!(stub.rows.asked(), ["typed before the end"]);
    let story = device.story(sent.id).await;
    assert!(!story.contains(&DeliveryState::Failed), "{story:?}");
    drop(handle);
    device.stop().await;
}
