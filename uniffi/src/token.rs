//! The app's source of tokens: asked by a plain call, answered through an object.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tidings::domain::ports::{Token, TokenError, TokenProvider};
use tokio::sync::oneshot;

use crate::{error::ChatError, gate::Gate, runtime::blocking};

type Answer = Result<Option<String>, TokenError>;

/// The app's source of tokens.
///
/// Called on a thread that may block, at most once at a time for a refresh; answer through the
/// object, from any thread, within 15 s. Throwing is the same as answering that there is no token
/// right now.
#[uniffi::export(foreign)]
pub trait TokenSource: Send + Sync {
    /// Asks for the token to use now, or, with `refresh`, for one newer than what the server
    /// refused.
    fn request_token(&self, refresh: bool, reply: Arc<TokenReply>) -> Result<(), ChatError>;
}

/// What the app says when asked for a token.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum TokenAnswer {
    /// This one.
    Token {
        /// The token.
        token: String,
    },
    /// None: the server wants none.
    NotNeeded,
    /// None any more: the user must sign in.
    SessionEnded,
    /// None right now.
    Unavailable,
}

/// Prints no token.
impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenAnswer")
    }
}

/// Where the answer goes; the first one counts.
#[derive(uniffi::Object)]
pub struct TokenReply(Mutex<Option<oneshot::Sender<Answer>>>);

/// Prints no token.
impl std::fmt::Debug for TokenReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenReply")
    }
}

impl TokenReply {
    fn pair() -> (Arc<Self>, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        (Arc::new(Self(Mutex::new(Some(sender)))), receiver)
    }

    fn answer(&self, answer: Answer) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            let _ = sender.send(answer);
        }
    }
}

#[uniffi::export]
impl TokenReply {
    /// Gives the answer.
    pub fn resolve(&self, answer: TokenAnswer) {
        self.answer(match answer {
            TokenAnswer::Token { token } => Ok(Some(token)),
            TokenAnswer::NotNeeded => Ok(None),
            TokenAnswer::SessionEnded => Err(TokenError::SignInRequired),
            TokenAnswer::Unavailable => Err(TokenError::Unavailable),
        });
    }
}

/// The port that the core knows, with the app behind it.
pub(crate) struct AppTokens {
    pub(crate) source: Arc<dyn TokenSource>,
    pub(crate) gate: Arc<Gate>,
}

impl std::fmt::Debug for AppTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppTokens")
    }
}

impl AppTokens {
    /// The core waits with a deadline of its own.
    async fn ask(&self, refresh: bool) -> Answer {
        let (reply, answer) = TokenReply::pair();
        let (source, gate) = (Arc::clone(&self.source), Arc::clone(&self.gate));
        let asked = blocking(move || {
            let _inside = gate.enter().ok_or_else(ChatError::closed)?;
            source.request_token(refresh, reply)
        });
        // The answer may come before the call returns, or long after.
        let asked = async { asked.await.map_err(|_| TokenError::Unavailable) };
        let answer = async { answer.await.unwrap_or(Err(TokenError::Unavailable)) };
        tokio::pin!(asked, answer);
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            asked = &mut asked => match asked {
                Ok(()) => answer.await,
                Err(error) => Err(error),
            },
        }
    }
}

#[async_trait]
impl TokenProvider for AppTokens {
    async fn current(&self) -> Result<Option<Token>, TokenError> {
        Ok(self.ask(false).await?.map(Token::new))
    }

    async fn refresh(&self) -> Result<Token, TokenError> {
        let fresh = self.ask(true).await?;
        fresh.map(Token::new).ok_or(TokenError::SignInRequired)
    }
}
