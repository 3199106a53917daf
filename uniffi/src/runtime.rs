//! The SDK's own threads, and the ways an export runs on them.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
};

use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinError, JoinHandle},
};

use crate::{cancel::CancelHandle, error::ChatError};

/// Two: one to wait for the network while the other serves the app.
const WORKERS: usize = 2;

/// Calls into the app, and the opening of a store, block; an app that hangs must not take more.
const BLOCKING: usize = 32;

fn runtime() -> Result<&'static Runtime, ChatError> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let build = || {
        Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(BLOCKING)
            .thread_name("tidings")
            .enable_all()
            .build()
            .ok()
    };
    let started = RUNTIME.get_or_init(build);
    started
        .as_ref()
        .ok_or_else(|| ChatError::internal("no_threads"))
}

/// A task that ends with whoever waits for it.
struct Attached<T>(JoinHandle<T>);

impl<T> Drop for Attached<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs a read: it ends when the caller goes away or cancels.
pub(crate) async fn read<T: Send + 'static>(
    cancel: Option<Arc<CancelHandle>>,
    work: impl Future<Output = Result<T, ChatError>> + Send + 'static,
) -> Result<T, ChatError> {
    let mut task = Attached(runtime()?.spawn(work));
    wait(cancel, &mut task.0).await
}

/// Runs a change: once begun it goes to its end, whether the caller still waits or not.
pub(crate) async fn change<T: Send + 'static>(
    cancel: Option<Arc<CancelHandle>>,
    work: impl Future<Output = Result<T, ChatError>> + Send + 'static,
) -> Result<T, ChatError> {
    let mut task = runtime()?.spawn(work);
    wait(cancel, &mut task).await
}

async fn wait<T>(
    cancel: Option<Arc<CancelHandle>>,
    task: &mut JoinHandle<Result<T, ChatError>>,
) -> Result<T, ChatError> {
    let Some(cancel) = cancel else {
        return task.await.unwrap_or_else(|fallen| Err(fell(&fallen)));
    };
    tokio::select! {
        biased;
        done = task => done.unwrap_or_else(|fallen| Err(fell(&fallen))),
        () = cancel.pulled() => Err(ChatError::cancelled()),
    }
}

/// What a panic said may hold what must not be told, so only that it happened is.
fn fell(fallen: &JoinError) -> ChatError {
    if fallen.is_cancelled() {
        return ChatError::cancelled();
    }
    ChatError::internal("panic")
}

/// Runs something short on the caller's thread, inside the runtime; a panic is an error.
pub(crate) fn here<T>(work: impl FnOnce() -> Result<T, ChatError>) -> Result<T, ChatError> {
    let _entered = runtime()?.enter();
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(ChatError::internal("panic")))
}

/// Runs something that may block where that harms nobody.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ChatError> + Send + 'static,
) -> Result<T, ChatError> {
    let task = runtime()?.spawn_blocking(work);
    task.await.unwrap_or_else(|fallen| Err(fell(&fallen)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        runtime().expect("threads").block_on(future)
    }

    #[test]
    fn panics_become_errors_that_say_nothing_of_their_text() {
        let fallen = run(change::<()>(None, async { panic!("secret") }));
        let error = fallen.expect_err("a panic");
        assert_eq!(error.problem().code, "internal");
        assert!(!format!("{error:?}").contains("secret"));
        assert!(here::<()>(|| panic!("secret")).is_err());
        assert!(run(blocking::<()>(|| panic!("secret"))).is_err());
    }

    #[test]
    fn change_goes_on_when_its_caller_cancels_and_a_read_ends() {
        let (go, gate) = tokio::sync::oneshot::channel::<()>();
        let (done, ended) = tokio::sync::oneshot::channel::<()>();
        let cancel = CancelHandle::new();
        cancel.cancel();
        let work = async move {
            let _ = gate.await;
            let _ = done.send(());
            Ok(())
        };
        let error = run(change(Some(cancel.clone()), work)).expect_err("cancelled");
        assert_eq!(error.problem().code, "cancelled");
        go.send(()).expect("the change still waits");
        run(ended).expect("the change went to its end");

        let (held, dropped) = tokio::sync::oneshot::channel::<()>();
        let work = async move {
            std::future::pending::<()>().await;
            drop(held);
            Ok(())
        };
        run(read(Some(cancel), work)).expect_err("cancelled");
        run(dropped).expect_err("the read was dropped");
    }
}
