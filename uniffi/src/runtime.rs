//! The SDK's own threads, and the ways an export runs on them.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, OnceLock},
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
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

/// A piece of work behind a pointer: what runs it, waits for it and crosses the boundary is then the
/// same code for all of them, which an app's download feels.
type Work<T> = Pin<Box<dyn Future<Output = Result<T, ChatError>> + Send>>;

/// A task that was started, and where its result comes.
struct Started<T> {
    task: JoinHandle<()>,
    result: oneshot::Receiver<Result<T, ChatError>>,
}

impl<T: Send + 'static> Started<T> {
    fn begin(work: Work<T>) -> Result<Self, ChatError> {
        let (told, result) = oneshot::channel();
        let task = spawn(Box::pin(async move {
            // Nobody may wait any more.
            let _ = told.send(work.await);
        }))?;
        Ok(Self { task, result })
    }

    async fn end(&mut self) -> Result<T, ChatError> {
        match (&mut self.result).await {
            Ok(result) => result,
            Err(_) => Err(fell((&mut self.task).await)),
        }
    }
}

fn spawn(work: Pin<Box<dyn Future<Output = ()> + Send>>) -> Result<JoinHandle<()>, ChatError> {
    Ok(runtime()?.spawn(work))
}

/// A task that ends with whoever waits for it.
struct Attached<T>(Started<T>);

impl<T> Drop for Attached<T> {
    fn drop(&mut self) {
        self.0.task.abort();
    }
}

/// Runs a read: it ends when the caller goes away or cancels.
pub(crate) fn read<T: Send + 'static>(
    cancel: Option<Arc<CancelHandle>>,
    work: impl Future<Output = Result<T, ChatError>> + Send + 'static,
) -> Work<T> {
    let started = Started::begin(Box::pin(work)).map(Attached);
    Box::pin(async move { wait(cancel, &mut started?.0).await })
}

/// Runs a change: once begun it goes to its end, whether the caller still waits or not.
pub(crate) fn change<T: Send + 'static>(
    cancel: Option<Arc<CancelHandle>>,
    work: impl Future<Output = Result<T, ChatError>> + Send + 'static,
) -> Work<T> {
    let started = Started::begin(Box::pin(work));
    Box::pin(async move { wait(cancel, &mut started?).await })
}

async fn wait<T: Send + 'static>(
    cancel: Option<Arc<CancelHandle>>,
    started: &mut Started<T>,
) -> Result<T, ChatError> {
    let Some(cancel) = cancel else {
        return started.end().await;
    };
    tokio::select! {
        biased;
        done = started.end() => done,
        () = cancel.pulled() => Err(ChatError::cancelled()),
    }
}

/// What a panic said may hold what must not be told, so only that it happened is.
fn fell(end: Result<(), JoinError>) -> ChatError {
    match end {
        Err(fallen) if fallen.is_cancelled() => ChatError::cancelled(),
        _ => ChatError::internal("panic"),
    }
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
    task.await.unwrap_or_else(|fallen| Err(fell(Err(fallen))))
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
