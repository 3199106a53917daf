//! A key store as a test wants it: locked, emptied, with a key that changes.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::domain::ports::{KeyError, KeyProvider, StoreKey};

/// A key store under a test's control. Clones share it.
#[derive(Clone)]
pub struct ScriptedKeys(Arc<Mutex<State>>);

struct State {
    key: StoreKey,
    previous: Option<StoreKey>,
    refusal: Option<KeyError>,
    asked: usize,
}

impl fmt::Debug for ScriptedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptedKeys")
    }
}

impl ScriptedKeys {
    /// Gives that key.
    #[must_use]
    pub fn new(key: StoreKey) -> Self {
        Self(Arc::new(Mutex::new(State {
            key,
            previous: None,
            refusal: None,
            asked: 0,
        })))
    }

    /// From now on gives another key, and the one so far as the one before it.
    pub fn change(&self, key: StoreKey) {
        let mut state = self.state();
        let old = std::mem::replace(&mut state.key, key);
        state.previous = Some(old);
    }

    /// Throws the key before the current one away.
    pub fn forget_previous(&self) {
        self.state().previous = None;
    }

    /// From now on gives no key, for that reason; `None`: gives it again.
    pub fn refuse(&self, why: Option<KeyError>) {
        self.state().refusal = why;
    }

    /// How often it was asked for the key.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.state().asked
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyProvider for ScriptedKeys {
    fn key(&self) -> Result<StoreKey, KeyError> {
        let mut state = self.state();
        state.asked += 1;
        state.refusal.map_or_else(|| Ok(state.key.clone()), Err)
    }

    fn previous(&self) -> Result<Option<StoreKey>, KeyError> {
        let state = self.state();
        state
            .refusal
            .map_or_else(|| Ok(state.previous.clone()), Err)
    }
}
