//! Where the key of an encrypted store comes from: the device's key store, never the SDK.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};

/// The raw key of an encrypted store: 256 bits from a true random source, never a passphrase. It is
/// wiped when dropped and prints as nothing.
pub struct StoreKey(SecretBox<[u8; Self::LENGTH]>);

impl StoreKey {
    /// How many bytes it has.
    pub const LENGTH: usize = 32;

    /// Takes a copy; who lent the bytes wipes them. `None` where their number is another one.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let fill = |key: &mut [u8; Self::LENGTH]| key.copy_from_slice(bytes);
        (bytes.len() == Self::LENGTH).then(|| Self(SecretBox::init_with_mut(fill)))
    }

    /// The key, for the one place that hands it to the cipher.
    #[must_use]
    pub fn expose(&self) -> &[u8; Self::LENGTH] {
        self.0.expose_secret()
    }
}

impl Clone for StoreKey {
    fn clone(&self) -> Self {
        Self(SecretBox::init_with_mut(|key: &mut [u8; Self::LENGTH]| {
            key.copy_from_slice(self.expose());
        }))
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey(..)")
    }
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The device is locked, and its key store with it.
    #[error("the device is locked: try again when it is unlocked")]
    Locked,
    /// The device has no key for this store, and will have none later.
    #[error("there is no key for this store")]
    Missing,
}

/// The app's source of the store's key.
///
/// It is asked at each opening: when the store is opened first, and when it is opened again after
/// a suspension. It is called on the thread that opens the store and may block for as long as the
/// device's key store takes.
///
/// A key is changed by keeping both for a while: [`Self::key`] gives the new one and
/// [`Self::previous`] the old one. The next opening encrypts the store anew; from then on it opens
/// with the new key alone, and the old one may go.
pub trait KeyProvider: Send + Sync + fmt::Debug {
    /// The key.
    ///
    /// # Errors
    /// [`KeyError::Locked`] while the device keeps it back: the opening fails as such and may be
    /// tried again; nothing was touched.
    fn key(&self) -> Result<StoreKey, KeyError>;

    /// The key before this one; asked for only where [`Self::key`] does not fit.
    ///
    /// # Errors
    /// As [`Self::key`].
    fn previous(&self) -> Result<Option<StoreKey>, KeyError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_length_and_prints_as_nothing() {
        assert!(StoreKey::from_slice(&[7; 31]).is_none());
        assert!(StoreKey::from_slice(&[7; 33]).is_none());
        let key = StoreKey::from_slice(&[7; 32]).expect("a key");
        assert_eq!(key.clone().expose(), &[7; 32]);
        assert_eq!(format!("{key:?}"), "StoreKey(..)");
    }
}
