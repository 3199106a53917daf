//! `--token-command`: the app's source of tokens, as the SDK asks for it.

use std::{fmt, process::Stdio, sync::Arc};

use async_trait::async_trait;
use tidings::{
    adapters::http::{NoToken, StaticToken},
    domain::ports::{Token, TokenError, TokenProvider},
};
use tokio::{process::Command, sync::Mutex};

use crate::args::{Global, Secret};

/// The source of tokens that the options name.
pub(crate) fn provider(global: &Global) -> Arc<dyn TokenProvider> {
    match (&global.token_command, &global.token) {
        (Some(command), _) => Arc::new(CommandTokens {
            command: command.clone(),
            printed: Mutex::new(None),
        }),
        (None, Some(token)) => Arc::new(StaticToken::new(token.reveal())),
        (None, None) => Arc::new(NoToken),
    }
}

/// Tokens that a command prints. What it prints is never logged.
struct CommandTokens {
    command: Secret,
    printed: Mutex<Option<Token>>,
}

impl fmt::Debug for CommandTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommandTokens")
    }
}

impl CommandTokens {
    /// Runs the command. The SDK sets the deadline: dropping the future ends the command.
    async fn run(&self) -> Result<Token, TokenError> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(self.command.reveal());
        shell.stdin(Stdio::null()).stderr(Stdio::null());
        shell.kill_on_drop(true);
        let ran = shell.output().await.map_err(|_| TokenError::Unavailable)?;
        if ran.status.code().is_none() {
            return Err(TokenError::Unavailable);
        }
        let printed = String::from_utf8_lossy(&ran.stdout);
        match printed.trim() {
            token if ran.status.success() && !token.is_empty() => Ok(Token::new(token)),
            _ => Err(TokenError::SignInRequired),
        }
    }
}

#[async_trait]
impl TokenProvider for CommandTokens {
    async fn current(&self) -> Result<Option<Token>, TokenError> {
        let mut printed = self.printed.lock().await;
        if printed.is_none() {
            *printed = Some(self.run().await?);
        }
        Ok(printed.clone())
    }

    async fn refresh(&self) -> Result<Token, TokenError> {
        let mut printed = self.printed.lock().await;
        let fresh = self.run().await?;
        *printed = Some(fresh.clone());
        Ok(fresh)
    }
}
