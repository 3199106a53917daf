//! The way to a thread: what waits can be taken one by one or all at once.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Looks in a row that find nothing new: a microsecond or less each.
const BARREN_LOOKS: u32 = 6;

/// Nobody waits for more than these, however many come.
const MOST_GATHERED: usize = 512;

/// Waiting tasks; after [`Queue::close`] none is added, and those waiting are still handed out.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
}

struct State<T> {
    waiting: VecDeque<T>,
    open: bool,
    /// Whether who waits shall look up though there is no task.
    nudged: bool,
}

impl<T> State<T> {
    fn is_idle(&self) -> bool {
        self.open && self.waiting.is_empty()
    }
}

impl<T> Queue<T> {
    pub(super) const fn new() -> Self {
        let state = State {
            waiting: VecDeque::new(),
            open: true,
            nudged: false,
        };
        Self {
            state: Mutex::new(state),
            arrived: Condvar::new(),
        }
    }

    /// Adds a task; gives it back after the close.
    pub(super) fn push(&self, task: T) -> Result<(), T> {
        let mut state = self.lock();
        if !state.open {
            return Err(task);
        }
        state.waiting.push_back(task);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for a task; `None` once closed and empty.
    pub(super) fn next(&self) -> Option<T> {
        self.wait(|state| state.is_idle()).waiting.pop_front()
    }

    /// Waits for tasks and takes all of them; none where a pause was given and none came in it, or
    /// after a nudge; `None` once closed and empty.
    pub(super) fn take_all(&self, pause: Option<Duration>) -> Option<VecDeque<T>> {
        let idle = |state: &mut State<T>| !state.nudged && state.is_idle();
        let mut state = match pause {
            None => self.wait(idle),
            Some(pause) => {
                let waited = self.arrived.wait_timeout_while(self.lock(), pause, idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        state.nudged = false;
        let taken = std::mem::take(&mut state.waiting);
        (state.open || !taken.is_empty()).then_some(taken)
    }

    /// Adds to what was taken as long as more keeps coming: whoever takes it serves all of it at
    /// the price of one. Who is alone is held up by a few looks at the queue.
    pub(super) fn gather(&self, taken: &mut VecDeque<T>) {
        let mut barren = 0;
        while barren < BARREN_LOOKS && taken.len() < MOST_GATHERED {
            std::thread::yield_now();
            let came = &mut self.lock().waiting;
            barren = if came.is_empty() { barren + 1 } else { 0 };
            taken.append(came);
        }
    }

    /// Makes who waits in [`Self::take_all`] look up.
    pub(super) fn nudge(&self) {
        self.lock().nudged = true;
        self.arrived.notify_all();
    }

    pub(super) fn close(&self) {
        self.lock().open = false;
        self.arrived.notify_all();
    }

    fn wait(&self, idle: impl Fn(&mut State<T>) -> bool) -> MutexGuard<'_, State<T>> {
        let waited = self.arrived.wait_while(self.lock(), idle);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("waiting", &self.lock().waiting.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Queue;

    #[test]
    fn a_closed_queue_hands_out_what_waits_and_takes_nothing() {
        let queue = Queue::new();
        for task in 1..=3 {
            assert_eq!(queue.push(task), Ok(()));
        }
        queue.close();
        assert_eq!(queue.push(4), Err(4));
        assert_eq!(queue.next(), Some(1));
        assert_eq!(queue.take_all(None), Some([2, 3].into()));
        assert_eq!(queue.take_all(None), None);
        assert_eq!(queue.next(), None);
    }

    #[test]
    fn what_keeps_coming_is_gathered_up_to_a_limit() {
        let queue = Queue::new();
        let mut taken = [0].into();
        queue.gather(&mut taken);
        assert_eq!(taken, [0]);
        let more = 1..=super::MOST_GATHERED;
        assert!(more.clone().all(|task| queue.push(task).is_ok()));
        queue.gather(&mut taken);
        assert_eq!(taken.len(), 1 + more.count(), "in their order");
        assert!(taken.iter().is_sorted());
        assert_eq!(queue.push(1_000), Ok(()));
        queue.gather(&mut taken);
        assert_eq!(queue.next(), Some(1_000), "enough is enough");
    }

    #[test]
    fn a_pause_ends_without_tasks_or_at_once_with_them() {
        let queue = Queue::new();
        assert_eq!(queue.take_all(Some(Duration::ZERO)), Some([].into()));
        queue.nudge();
        assert_eq!(queue.take_all(None), Some([].into()));
        assert_eq!(queue.push(1), Ok(()));
        assert_eq!(queue.take_all(Some(Duration::MAX)), Some([1].into()));
        queue.close();
        assert_eq!(queue.take_all(Some(Duration::MAX)), None);
    }
}
