//! The app's own code, when it throws, panics, hangs, drops the call or calls back: only the call
//! that asked for it suffers, and nothing is called after the end.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test asks from several tasks, and stops where it is wrong; the bans are on the SDK"
)]

mod app;

use std::sync::{
    Arc, Condvar, Mutex, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use app::{anything, created};
use tidings_ffi::{
    ChatClient, ChatError, ErrorKind, ServicePort, ServiceReply,
    calls::{CallOutcome, FailureKind, ServiceAnswer, ServiceCall, ServiceFailure},
    records::delivery::SendMode,
};

/// What the app does with a call.
type Behaviour = dyn Fn(usize, Arc<ServiceReply>) -> Result<(), ChatError> + Send + Sync;

struct App {
    calls: AtomicUsize,
    behave: Box<Behaviour>,
}

impl ServicePort for App {
    fn perform(&self, _: ServiceCall, reply: Arc<ServiceReply>) -> Result<(), ChatError> {
        (self.behave)(self.calls.fetch_add(1, Ordering::SeqCst), reply)
    }
}

fn app(
    behave: impl Fn(usize, Arc<ServiceReply>) -> Result<(), ChatError> + Send + Sync + 'static,
) -> Arc<App> {
    Arc::new(App {
        calls: AtomicUsize::new(0),
        behave: Box::new(behave),
    })
}

async fn client(app: Arc<App>) -> Arc<ChatClient> {
    app::client(app, app::least()).await
}

#[tokio::test]
async fn f51_app_that_throws_panics_or_drops_the_call_spoils_that_call_only() {
    let app = app(|number, reply| match number {
        0 => Err(uniffi_error()),
        1 => panic!("a bug of the glue"),
        2 => {
            drop(reply);
            Ok(())
        }
        3 => {
            reply.resolve(ServiceAnswer::Done);
            Ok(())
        }
        _ => {
            reply.resolve(created());
            reply.resolve(ServiceAnswer::Done);
            Ok(())
        }
    });
    let client = client(Arc::clone(&app)).await;
    for attempt in 0..4 {
        let failed = client.create_conversation(anything(), None).await;
        let error = failed
            .err()
            .unwrap_or_else(|| panic!("{attempt} succeeded"));
        assert!(error.problem().retryable, "{attempt}: {error:?}");
    }
    let made = client.create_conversation(anything(), None).await.unwrap();
    assert_eq!(made.conversation.id, "c1");
    client.shutdown().await.unwrap();
}

fn uniffi_error() -> ChatError {
    uniffi::UnexpectedUniFFICallbackError::new("secret words of the app").into()
}

#[tokio::test]
async fn f51_app_that_hangs_does_not_hold_the_end_and_nothing_is_called_after_it() {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let (entered, inside) = tokio::sync::mpsc::unbounded_channel();
    let held = Arc::clone(&gate);
    let app = app(move |_, _reply| {
        let _ = entered.send(());
        let (open, changed) = &*held;
        let mut is_open = open.lock().unwrap();
        while !*is_open {
            is_open = changed.wait(is_open).unwrap();
        }
        Ok(())
    });
    let client = client(Arc::clone(&app)).await;
    let waiting = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.create_conversation(anything(), None).await }
    });
    let mut inside = inside;
    inside.recv().await.unwrap();
    client.shutdown().await.unwrap();
    let calls = app.calls.load(Ordering::SeqCst);
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    assert!(waiting.await.unwrap().is_err());
    let late = client.create_conversation(anything(), None).await;
    assert_eq!(late.unwrap_err().problem().kind, ErrorKind::Closed);
    assert_eq!(app.calls.load(Ordering::SeqCst), calls);
}

#[tokio::test]
async fn f51_app_that_calls_back_is_answered() {
    let known: Arc<OnceLock<Arc<ChatClient>>> = Arc::new(OnceLock::new());
    let inner = Arc::clone(&known);
    let app = app(move |_, reply| {
        let client = Arc::clone(inner.get().unwrap());
        client.foreground()?;
        assert!(client.info()?.owner);
        assert!(!client.mint_message_id()?.is_empty());
        reply.resolve(created());
        Ok(())
    });
    let client = client(app).await;
    known.set(Arc::clone(&client)).unwrap();
    client.create_conversation(anything(), None).await.unwrap();
    client.shutdown().await.unwrap();
}

fn refused() -> ServiceFailure {
    ServiceFailure {
        kind: FailureKind::NotAllowed,
        outcome: CallOutcome::NotApplied,
        retryable: false,
        retry_after_ms: None,
    }
}

#[tokio::test]
async fn refusal_of_an_own_backend_is_typed_and_gives_the_text_back() {
    let app = app(|number, reply| {
        match number {
            0 => reply.resolve(created()),
            _ => reply.reject(refused()),
        }
        Ok(())
    });
    let client = client(app).await;
    let room = client.create_conversation(anything(), None).await.unwrap();
    let sent = client.send(
        room.conversation.id,
        "Hello".to_owned(),
        SendMode::Direct,
        None,
        None,
    );
    let error = sent.await.unwrap_err();
    assert_eq!(error.problem().kind, ErrorKind::NotAllowed);
    assert_eq!(error.problem().draft.as_deref(), Some("Hello"));
    client.shutdown().await.unwrap();
}
