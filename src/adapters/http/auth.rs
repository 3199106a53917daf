//! The account's token, shared by HTTP and WebSocket: one refresh at a time, for all of them.
//!
//! The app owns the tokens; this module only decides when to ask for a fresh one:
//! - a token that says it expires within [`EARLY`] is renewed before use, once for each token, so
//!   that a wrong device clock costs one refresh and not a storm; it is never refused locally;
//! - a token the server refused is renewed by the first caller, and the others wait for the same
//!   refresh, or take the result where it came meanwhile;
//! - a sign-out sticks until the app yields a different token; no network trouble ever signs out.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use crate::{
    adapters::http::jwt,
    domain::{
        ports::{Platform, Token, TokenError, TokenProvider},
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

/// How long before its expiry a token is renewed.
pub const EARLY: Duration = Duration::from_secs(300);

/// How long the app may take to answer for a token.
pub const CALLBACK_DEADLINE: Duration = Duration::from_secs(15);

type Refresh = Shared<BoxFuture<'static, Result<Token, TokenError>>>;

#[derive(Default)]
struct State {
    /// The last token that was replaced, and by which: the app may go on yielding the old one.
    replaced: Option<(Option<Token>, Token)>,
    /// The token with which the session ended.
    ended: Option<Option<Token>>,
    /// The token for which an early refresh was tried.
    tried_early: Option<Token>,
    /// The refresh under way, and which token it is to replace.
    refresh: Option<(Option<Token>, Refresh)>,
}

/// What a caller in need of a fresh token finds.
enum Join {
    /// Another caller's refresh has brought it already, or ended the session.
    Known(Result<Token, TokenError>),
    /// The refresh to wait for.
    Wait(Refresh),
}

/// Answers for the current token.
pub struct Authenticator {
    provider: Arc<dyn TokenProvider>,
    platform: Arc<dyn Platform>,
    state: Mutex<State>,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator")
    }
}

impl Authenticator {
    /// Wraps the app's source of tokens.
    #[must_use]
    pub fn new(provider: Arc<dyn TokenProvider>, platform: Arc<dyn Platform>) -> Self {
        Self {
            provider,
            platform,
            state: Mutex::new(State::default()),
        }
    }

    /// The device, for those who share this store.
    #[must_use]
    pub fn platform(&self) -> &Arc<dyn Platform> {
        &self.platform
    }

    /// The token to use now.
    ///
    /// # Errors
    /// `SignInRequired` once the session ended; `Unavailable` where the app cannot answer now.
    ///
    /// # Cancel safety
    /// A refresh that was begun is taken up again by the next caller.
    pub async fn token(&self) -> Result<Option<Token>, ServiceError> {
        let current = self.current().await.map_err(failure)?;
        if self.with(|state| state.ended.as_ref() == Some(&current)) {
            return Err(failure(TokenError::SignInRequired));
        }
        if !self.wants_early_refresh(current.as_ref()) {
            return Ok(current);
        }
        match self.refresh(current.clone()).await {
            Ok(fresh) => Ok(Some(fresh)),
            // It may well be good for some minutes more; the server decides.
            Err(TokenError::Unavailable) => Ok(current),
            Err(ended) => Err(failure(ended)),
        }
    }

    /// A token newer than the one the server refused.
    ///
    /// # Errors
    /// As [`Self::token`].
    ///
    /// # Cancel safety
    /// As [`Self::token`].
    pub async fn replace(&self, refused: Option<Token>) -> Result<Token, ServiceError> {
        match self.current().await.map_err(failure)? {
            Some(newer) if refused.as_ref() != Some(&newer) => Ok(newer),
            _ => self.refresh(refused).await.map_err(failure),
        }
    }

    /// Notes that even a fresh token was refused: no traffic until the app yields another one.
    pub fn end(&self, token: Token) {
        self.with(|state| state.ended = Some(Some(token)));
    }

    /// The app's current token, or the one that replaced it.
    async fn current(&self) -> Result<Option<Token>, TokenError> {
        let answer = tokio::time::timeout(CALLBACK_DEADLINE, self.provider.current()).await;
        let token = answer.unwrap_or(Err(TokenError::Unavailable))?;
        Ok(self.with(|state| match &state.replaced {
            Some((old, new)) if *old == token => Some(new.clone()),
            _ => token,
        }))
    }

    async fn refresh(&self, refused: Option<Token>) -> Result<Token, TokenError> {
        let running = match self.with(|state| state.join(&refused, || self.begin())) {
            Join::Known(answer) => return answer,
            Join::Wait(running) => running,
        };
        let result = running.await;
        self.with(State::settle);
        let fresh = result?;
        if refused.as_ref() == Some(&fresh) {
            return Err(TokenError::SignInRequired);
        }
        self.believe(&fresh);
        Ok(fresh)
    }

    /// A token that looks stale the moment it was issued only shows that this clock is wrong.
    fn believe(&self, fresh: &Token) {
        if self.expires_soon(fresh) {
            self.with(|state| state.tried_early = Some(fresh.clone()));
        }
    }

    fn begin(&self) -> Refresh {
        let provider = Arc::clone(&self.provider);
        let ask = async move {
            let answer = tokio::time::timeout(CALLBACK_DEADLINE, provider.refresh()).await;
            answer.unwrap_or(Err(TokenError::Unavailable))
        };
        ask.boxed().shared()
    }

    fn wants_early_refresh(&self, token: Option<&Token>) -> bool {
        let Some(token) = token else { return false };
        if !self.expires_soon(token) {
            return false;
        }
        self.with(|state| {
            let first = state.tried_early.as_ref() != Some(token);
            state.tried_early = Some(token.clone());
            first
        })
    }

    fn expires_soon(&self, token: &Token) -> bool {
        let soon = self.platform.wall() + EARLY;
        jwt::expiry(token).is_some_and(|expiry| expiry <= soon)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // Nothing in here panics half-way, so a poisoned state is still whole.
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn join(&mut self, refused: &Option<Token>, begin: impl FnOnce() -> Refresh) -> Join {
        self.settle();
        if self.ended.as_ref() == Some(refused) {
            return Join::Known(Err(TokenError::SignInRequired));
        }
        if let Some((old, new)) = &self.replaced
            && old == refused
        {
            return Join::Known(Ok(new.clone()));
        }
        let ask = || (refused.clone(), begin());
        let (_, running) = self.refresh.get_or_insert_with(ask);
        Join::Wait(running.clone())
    }

    /// Takes in the result of a finished refresh, whoever waited for it and was dropped.
    fn settle(&mut self) {
        let done = self.refresh.as_ref().and_then(|(_, r)| r.peek().cloned());
        let Some(result) = done else { return };
        let Some((refused, _)) = self.refresh.take() else {
            return;
        };
        match result {
            Ok(fresh) if refused.as_ref() != Some(&fresh) => {
                self.ended = None;
                self.replaced = Some((refused, fresh));
            }
            Ok(_) | Err(TokenError::SignInRequired) => self.ended = Some(refused),
            Err(TokenError::Unavailable) => {}
        }
    }
}

/// A missing token as a failed call: nothing left.
fn failure(error: TokenError) -> ServiceError {
    let (kind, retry) = match error {
        TokenError::SignInRequired => (FailureKind::SignInRequired, RetryClass::AfterReauth),
        TokenError::Unavailable => (FailureKind::Unavailable, RetryClass::Backoff),
    };
    ServiceError::new(kind, retry, Outcome::NotApplied, &error.to_string())
}

#[cfg(test)]
mod tests;
