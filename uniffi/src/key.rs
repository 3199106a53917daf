//! The app's source of an encrypted store's key: asked by a plain call, at each opening.

use std::{fmt, sync::Arc};

use secrecy::zeroize::Zeroize;
use tidings::domain::ports::{KeyError, KeyProvider, StoreKey};

use crate::{error::ChatError, gate::Gate};

/// The app's source of the store's key: the device's key store.
///
/// Asked when the store is opened first and again after a suspension, on a thread that opens the
/// store and may block for as long as the key store takes. Throwing is the same as answering that
/// the device is locked: nothing is touched, and the opening may be tried again.
#[uniffi::export(foreign)]
pub trait KeySource: Send + Sync {
    /// Asks for the key, or, with `previous`, for the one before it: while a key is being changed
    /// both are given, and the next opening encrypts the store anew.
    fn key(&self, previous: bool) -> Result<KeyAnswer, ChatError>;
}

/// What the app says when asked for a key.
#[derive(uniffi::Enum)]
pub enum KeyAnswer {
    /// This one: 32 bytes from a true random source, never a passphrase. Another number of bytes is
    /// no key.
    Key {
        /// The bytes; the copy on this side is wiped.
        bytes: Vec<u8>,
    },
    /// There is none.
    Missing,
    /// The device is locked, and its key store with it.
    Locked,
}

/// Prints no key.
impl fmt::Debug for KeyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyAnswer")
    }
}

impl KeyAnswer {
    fn key(self) -> Result<Option<StoreKey>, KeyError> {
        match self {
            Self::Key { mut bytes } => {
                let key = StoreKey::from_slice(&bytes);
                bytes.zeroize();
                Ok(key)
            }
            Self::Missing => Ok(None),
            Self::Locked => Err(KeyError::Locked),
        }
    }
}

/// The port that the core knows, with the app behind it.
pub(crate) struct AppKeys {
    pub(crate) source: Arc<dyn KeySource>,
    pub(crate) gate: Arc<Gate>,
}

impl fmt::Debug for AppKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKeys")
    }
}

impl AppKeys {
    fn ask(&self, previous: bool) -> Result<Option<StoreKey>, KeyError> {
        let _inside = self.gate.enter().ok_or(KeyError::Locked)?;
        let answer = self.source.key(previous).map_err(|_| KeyError::Locked)?;
        answer.key()
    }
}

impl KeyProvider for AppKeys {
    fn key(&self) -> Result<StoreKey, KeyError> {
        self.ask(false)?.ok_or(KeyError::Missing)
    }

    fn previous(&self) -> Result<Option<StoreKey>, KeyError> {
        self.ask(true)
    }
}
