//! The supervisor: the only place that spawns. It owns every task and outlives none of them.

use std::{future::Future, panic::AssertUnwindSafe, pin::Pin};

use futures_util::FutureExt;
use tokio::task::JoinSet;

use crate::domain::retry::{FailureKind, Outcome, RetryClass, ServiceError};

/// What a task does: of one type, so that the runtime's part is compiled once and not for each.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A set of tasks that end with it.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    tasks: JoinSet<()>,
}

impl Supervisor {
    /// Runs a task.
    pub(crate) fn run(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn(Box::pin(task), None);
    }

    /// Runs a task; should it panic, `fallen` runs in its stead.
    pub(crate) fn run_or(
        &mut self,
        task: impl Future<Output = ()> + Send + 'static,
        fallen: impl Future<Output = ()> + Send + 'static,
    ) {
        self.spawn(Box::pin(task), Some(Box::pin(fallen)));
    }

    fn spawn(&mut self, task: Task, fallen: Option<Task>) {
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!("task.panicked");
                if let Some(fallen) = fallen {
                    fallen.await;
                }
            }
        });
    }

    /// Waits for every task to end by itself.
    pub(crate) async fn finish(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// Ends every task at its next await.
    pub(crate) fn abort_all(&mut self) {
        self.tasks.abort_all();
    }
}

/// What a question is answered; should it panic, that is the answer, so that nobody waits for ever.
pub(crate) async fn answered<T>(
    question: impl Future<Output = Result<T, ServiceError>>,
) -> Result<T, ServiceError> {
    let asked = AssertUnwindSafe(question).catch_unwind().await;
    asked.unwrap_or_else(|_| {
        tracing::error!("task.panicked");
        Err(broken())
    })
}

/// What a task's panic is told as.
pub(crate) fn broken() -> ServiceError {
    ServiceError::new(
        FailureKind::Protocol,
        RetryClass::Backoff,
        Outcome::Unknown,
        "a task of the client's own broke",
    )
}

/// Starts the one task that nothing in the core waits for: the driver.
#[expect(clippy::disallowed_methods, reason = "this is the place that spawns")]
pub(crate) fn start(driver: impl Future<Output = ()> + Send + 'static) {
    tokio::task::spawn(async move {
        if AssertUnwindSafe(driver).catch_unwind().await.is_err() {
            tracing::error!("driver.panicked");
        }
    });
}
