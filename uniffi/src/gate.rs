//! The door between the core and the app's own code: counted, closable, and never a lock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

/// How long a closing waits for calls that are inside; an app that hangs must not hang the close.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lets calls into the app until it is closed.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    closed: AtomicBool,
    inside: AtomicUsize,
    left: Notify,
}

/// One call that is inside the app.
pub(crate) struct Visit(Arc<Gate>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
        self.0.left.notify_waiters();
    }
}

impl Gate {
    /// Enters the app; `None` once the gate is closed.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Visit> {
        // Counted first, looked at second: a closing that saw nobody inside has been seen here.
        self.inside.fetch_add(1, Ordering::SeqCst);
        let visit = Visit(Arc::clone(self));
        (!self.closed.load(Ordering::SeqCst)).then_some(visit)
    }

    /// Lets nobody in any more, and waits a while for those inside to leave.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let empty = async {
            loop {
                let left = self.left.notified();
                tokio::pin!(left);
                left.as_mut().enable();
                if self.inside.load(Ordering::SeqCst) == 0 {
                    return;
                }
                left.await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, empty).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn nobody_enters_a_closed_gate_and_closing_waits_for_those_inside() {
        let gate = Arc::new(Gate::default());
        let visit = gate.enter().expect("open");
        let closing = gate.close();
        tokio::pin!(closing);
        assert!(closing.as_mut().now_or_never().is_none());
        assert!(gate.enter().is_none());
        drop(visit);
        closing.await;
        assert_eq!(gate.inside.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn app_that_hangs_does_not_hang_the_close() {
        let gate = Arc::new(Gate::default());
        let _visit = gate.enter().expect("open");
        gate.close().await;
        assert!(gate.enter().is_none());
    }
}
