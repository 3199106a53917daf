//! Token sources for apps without a sign-in flow: a fixed token, or none.

use async_trait::async_trait;

use crate::domain::ports::{Token, TokenError, TokenProvider};

/// One token that is never renewed; once refused, the user must sign in.
#[derive(Clone, Debug)]
pub struct StaticToken(Token);

impl StaticToken {
    /// Uses this token for as long as the server takes it.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(Token::new(token))
    }
}

#[async_trait]
impl TokenProvider for StaticToken {
    async fn current(&self) -> Result<Option<Token>, TokenError> {
        Ok(Some(self.0.clone()))
    }

    async fn refresh(&self) -> Result<Token, TokenError> {
        Err(TokenError::SignInRequired)
    }
}

/// No token at all, for servers that want none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoToken;

#[async_trait]
impl TokenProvider for NoToken {
    async fn current(&self) -> Result<Option<Token>, TokenError> {
        Ok(None)
    }

    async fn refresh(&self) -> Result<Token, TokenError> {
        Err(TokenError::SignInRequired)
    }
}
