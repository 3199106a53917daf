//! Where tokens come from: the app, never the SDK.

use std::fmt;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

/// A bearer token; prints as nothing.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// Wraps a token.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(SecretString::from(token.into()))
    }

    /// The token, for the one place that writes it on the wire.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Why there is no fresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The session was revoked or there is none: the user must sign in.
    #[error("the session has ended: sign in again")]
    SignInRequired,
    /// The token could not be fetched now; the session may still be good.
    #[error("no fresh token could be fetched: try again later")]
    Unavailable,
}

/// The app's source of tokens.
#[async_trait]
pub trait TokenProvider: Send + Sync + fmt::Debug {
    /// The token to use now; `None` where the backend needs none.
    ///
    /// # Errors
    /// [`TokenError`] where there should be one and is not.
    async fn current(&self) -> Result<Option<Token>, TokenError>;

    /// A token newer than the one the server refused.
    ///
    /// Called at most once at a time, with a deadline; the SDK shares the result.
    ///
    /// # Errors
    /// [`TokenError::SignInRequired`] ends all traffic until the app signs in again;
    /// [`TokenError::Unavailable`] is tried again later.
    async fn refresh(&self) -> Result<Token, TokenError>;
}
