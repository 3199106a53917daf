//! Single flight: a call repeated while the same one is under way joins it.
//!
//! Repeated taps must not become repeated requests. The work is shared, not owned by its first
//! caller: should that one be dropped, the others carry it on.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};

use crate::domain::sorted_map::SortedMap;

/// Weak: the work belongs to those who wait for it, and ends with the last of them. What it holds
/// may be what holds this.
type Flight<T> = WeakShared<BoxFuture<'static, T>>;

/// Calls under way, by what they do.
#[derive(Clone)]
pub struct SingleFlight<T: Clone> {
    flights: Arc<Mutex<SortedMap<String, Flight<T>>>>,
}

impl<T: Clone> Default for SingleFlight<T> {
    fn default() -> Self {
        Self {
            flights: Arc::default(),
        }
    }
}

impl<T: Clone> fmt::Debug for SingleFlight<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight").finish_non_exhaustive()
    }
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// Does the work, or joins the same work that is under way.
    ///
    /// # Cancel safety
    /// Dropping the future lets go of this caller's share; whoever joined goes on.
    pub async fn join(&self, key: String, work: impl Future<Output = T> + Send + 'static) -> T {
        let flight = self.board(key, work);
        let mine = flight.clone();
        let result = flight.await;
        let others = |flight: &Flight<T>| flight.upgrade().filter(|flight| !flight.ptr_eq(&mine));
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| others(flight).is_some());
        result
    }

    fn board(
        &self,
        key: String,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Shared<BoxFuture<'static, T>> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = flights.get(&key).and_then(WeakShared::upgrade) {
            return under_way;
        }
        let flight = work.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(key, weak);
        }
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;

    use super::*;

    async fn count(counter: Arc<AtomicU32>, gate: Arc<tokio::sync::Notify>) -> u32 {
        gate.notified().await;
        counter.fetch_add(1, Ordering::Relaxed) + 1
    }

    #[tokio::test]
    async fn l34_repeated_call_joins_the_one_under_way() {
        let (flights, counter) = (SingleFlight::default(), Arc::new(AtomicU32::new(0)));
        let gate = Arc::new(tokio::sync::Notify::new());
        let call = |key: &str| flights.join(key.to_owned(), count(counter.clone(), gate.clone()));
        let mut taps = Box::pin(join_all((0..5).map(|_| call("create"))));
        assert_eq!(taps.as_mut().now_or_never(), None);
        gate.notify_one();
        assert_eq!(taps.await, [1; 5]);
        gate.notify_one();
        assert_eq!(call("create").await, 2, "the next call is one of its own");
    }

    // covers: INV-21, INV-24
    #[tokio::test]
    async fn work_that_nobody_waits_for_is_let_go_with_all_it_holds() {
        let (flights, counter) = (SingleFlight::default(), Arc::new(AtomicU32::new(0)));
        let gate = Arc::new(tokio::sync::Notify::new());
        let call = || flights.join("k".to_owned(), count(counter.clone(), gate.clone()));
        let mut only = Box::pin(call());
        assert_eq!(only.as_mut().now_or_never(), None);
        drop(only);
        assert_eq!(Arc::strong_count(&counter), 1);
        gate.notify_one();
        assert_eq!(call().await, 1, "and the next call does its own");
    }

    #[tokio::test]
    async fn dropped_first_caller_does_not_stop_those_who_joined() {
        let (flights, counter) = (SingleFlight::default(), Arc::new(AtomicU32::new(0)));
        let gate = Arc::new(tokio::sync::Notify::new());
        let call = || flights.join("k".to_owned(), count(counter.clone(), gate.clone()));
        let (mut first, mut second) = (Box::pin(call()), Box::pin(call()));
        assert_eq!(first.as_mut().now_or_never(), None);
        assert_eq!(second.as_mut().now_or_never(), None);
        drop(first);
        gate.notify_one();
        assert_eq!(second.await, 1);
    }
}
