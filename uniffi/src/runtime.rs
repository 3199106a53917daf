//! The SDK's own threads, and the ways an export runs on them.

use std::{
    any::Any,
    future::Future,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use futures_util::FutureExt;
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

/// What any call came to: its value's type is told by whoever waits for it.
///
/// What runs a piece of work, waits for it and hands it on is then the same code for all of them,
/// which an app's download feels.
type Answer = Result<Box<dyn Any + Send>, ChatError>;

type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

type BlockingWork = Box<dyn FnOnce() -> Answer + Send>;

fn untold<T: Send + 'static>(result: Result<T, ChatError>) -> Answer {
    Ok(Box::new(result?))
}

fn told<T: 'static>(answer: Answer) -> Result<T, ChatError> {
    match answer?.downcast() {
        Ok(value) => Ok(*value),
        Err(_) => Err(ChatError::internal("answer")),
    }
}

/// A piece of work that runs, as its caller sees it.
pub(crate) struct Call<T> {
    answer: Work,
    value: PhantomData<fn() -> T>,
}

impl<T> Call<T> {
    const fn to(answer: Work) -> Self {
        Self {
            answer,
            value: PhantomData,
        }
    }
}

impl<T: 'static> Future for Call<T> {
    type Output = Result<T, ChatError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.answer.as_mut().poll(context).map(told)
    }
}

struct Started {
    task: JoinHandle<Answer>,
    /// Whether the work is of no use to anybody but who waits for it.
    ends_with_caller: bool,
}

impl Started {
    async fn end(&mut self) -> Answer {
        (&mut self.task)
            .await
            .unwrap_or_else(|fallen| Err(fell(&fallen)))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if self.ends_with_caller {
            self.task.abort();
        }
    }
}

/// Runs a read: it ends when the caller goes away or cancels.
pub(crate) fn read<T: Send + 'static>(
    cancel: Option<Arc<CancelHandle>>,
    work: impl Future<Output = Result<T, ChatError>> + Send + 'static,
) -> Call<T> {
    Call::to(begin(cancel, Box::pin(work.map(untold)), true))
}

/// Runs a change: once begun it goes to its end, whether the caller still waits or not.
pub(crate) fn change<T: Send + 'static>(
    cancel: Option<Arc<CancelHandle>>,
    work: impl Future<Output = Result<T, ChatError>> + Send + 'static,
) -> Call<T> {
    Call::to(begin(cancel, Box::pin(work.map(untold)), false))
}

/// Runs something that may block where that harms nobody.
pub(crate) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ChatError> + Send + 'static,
) -> Call<T> {
    Call::to(begin_blocking(Box::new(|| untold(work()))))
}

fn begin(cancel: Option<Arc<CancelHandle>>, work: Work, ends_with_caller: bool) -> Work {
    let started = runtime().map(|threads| Started {
        task: threads.spawn(work),
        ends_with_caller,
    });
    Box::pin(wait(cancel, started))
}

fn begin_blocking(work: BlockingWork) -> Work {
    let started = runtime().map(|threads| Started {
        task: threads.spawn_blocking(work),
        ends_with_caller: false,
    });
    Box::pin(wait(None, started))
}

async fn wait(cancel: Option<Arc<CancelHandle>>, started: Result<Started, ChatError>) -> Answer {
    let mut started = started?;
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
fn fell(fallen: &JoinError) -> ChatError {
    if fallen.is_cancelled() {
        return ChatError::cancelled();
    }
    ChatError::internal("panic")
}

/// Runs something short on the caller's thread, inside the runtime; a panic is an error.
pub(crate) fn here<T>(work: impl FnOnce() -> Result<T, ChatError>) -> Result<T, ChatError> {
    let (mut work, mut done) = (Some(work), None);
    caught(&mut || done = work.take().map(|work| work()))?;
    done.unwrap_or_else(|| Err(ChatError::internal("panic")))
}

fn caught(work: &mut dyn FnMut()) -> Result<(), ChatError> {
    let _entered = runtime()?.enter();
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| ChatError::internal("panic"))
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

    #[test]
    fn read_ends_with_a_caller_that_goes_away_and_a_change_does_not() {
        let (held, dropped) = tokio::sync::oneshot::channel::<()>();
        drop(read::<()>(None, async move {
            std::future::pending::<()>().await;
            drop(held);
            Ok(())
        }));
        run(dropped).expect_err("the read was dropped");

        let (go, gate) = tokio::sync::oneshot::channel::<()>();
        let (done, ended) = tokio::sync::oneshot::channel::<()>();
        drop(change::<()>(None, async move {
            let _ = gate.await;
            let _ = done.send(());
            Ok(())
        }));
        go.send(()).expect("the change still waits");
        run(ended).expect("the change went to its end");
    }
}
