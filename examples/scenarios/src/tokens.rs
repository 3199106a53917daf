//! The app's tokens: one after the other, and then the session is over.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use tidings::prelude::{Token, TokenError, TokenProvider};

/// Gives the next token whenever a newer one is asked for.
#[derive(Debug)]
pub(crate) struct Tokens {
    all: Vec<String>,
    refreshes: Arc<AtomicUsize>,
}

impl Tokens {
    pub(crate) fn new(all: &[String], refreshes: &Arc<AtomicUsize>) -> Self {
        Self {
            all: all.to_vec(),
            refreshes: Arc::clone(refreshes),
        }
    }

    fn now(&self) -> Option<Token> {
        let at = self.refreshes.load(Ordering::SeqCst);
        self.all.get(at).map(|token| Token::new(token.clone()))
    }
}

#[async_trait]
impl TokenProvider for Tokens {
    async fn current(&self) -> Result<Option<Token>, TokenError> {
        if self.all.is_empty() {
            return Ok(None);
        }
        self.now().map(Some).ok_or(TokenError::SignInRequired)
    }

    async fn refresh(&self) -> Result<Token, TokenError> {
        self.refreshes.fetch_add(1, Ordering::SeqCst);
        self.now().ok_or(TokenError::SignInRequired)
    }
}
