//! The count of a store's changes, and who waits for the next one.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::domain::ports::Revision;

/// Grows with every change; its waiters wake in the order in which they began to wait.
///
/// That order is why this is no `tokio::sync::watch`: it deals its waiters to several lists by
/// chance, so that who wakes first differs from run to run, and no seed would be a whole story.
#[derive(Debug, Default)]
pub(crate) struct Revisions {
    count: AtomicU64,
    news: Notify,
}

impl Revisions {
    /// The store has changed.
    pub(crate) fn advance(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.news.notify_waiters();
    }

    /// Where it stands.
    pub(crate) fn now(&self) -> Revision {
        Revision(self.count.load(Ordering::SeqCst))
    }

    /// Waits until it stands beyond `seen`.
    ///
    /// # Cancel safety
    /// Safe: nothing is taken by waiting.
    pub(crate) async fn beyond(&self, seen: Revision) -> Revision {
        loop {
            // A waiter counts from here on: a change between the look and the wait is not missed.
            let news = self.news.notified();
            let now = self.now();
            if now > seen {
                return now;
            }
            news.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::task::{JoinSet, yield_now};

    use super::*;

    #[tokio::test]
    async fn inv25_waiters_wake_in_the_order_in_which_they_began_to_wait() {
        let (revisions, woken) = (Arc::new(Revisions::default()), Arc::new(Mutex::new(vec![])));
        let mut waiting = JoinSet::new();
        for number in 0..16 {
            let (revisions, woken) = (revisions.clone(), woken.clone());
            waiting.spawn(async move {
                revisions.beyond(Revision(0)).await;
                woken.lock().expect("a lock").push(number);
            });
            yield_now().await;
        }
        revisions.advance();
        waiting.join_all().await;
        let woken = woken.lock().expect("a lock").clone();
        assert_eq!(woken, (0..16).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_change_before_the_wait_is_not_waited_for() {
        let revisions = Revisions::default();
        revisions.advance();
        assert_eq!(revisions.beyond(Revision(0)).await, Revision(1));
    }
}
