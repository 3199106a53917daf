//! A client of the scripted server.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tidings::{
    adapters::{
        consultations::{ConsultationsConfig, ConsultationsService},
        http::StaticToken,
        system::SystemPlatform,
    },
    domain::{
        ids::{ClientMessageId, ConversationId},
        ports::{
            ChatService, Outgoing, Platform, RealtimeSession, Token, TokenError, TokenProvider,
        },
    },
};

use super::Server;

/// Waits for an event, far longer than any of them takes.
pub async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .expect("the event came in time")
}

pub fn config(server: &Server) -> ConsultationsConfig {
    ConsultationsConfig::new(server.origin())
}

pub fn service(server: &Server) -> ConsultationsService {
    service_with(config(server), Arc::new(StaticToken::new("secret-token")))
}

pub fn service_with(
    config: ConsultationsConfig,
    tokens: Arc<dyn TokenProvider>,
) -> ConsultationsService {
    ConsultationsService::new(config, tokens, Arc::new(SystemPlatform::new())).expect("service")
}

pub async fn connect(server: &Server) -> Arc<dyn RealtimeSession> {
    within(service(server).connect(&id("c1")))
        .await
        .expect("session")
}

pub fn id(text: &str) -> ConversationId {
    ConversationId::parse(text).expect("id")
}

pub fn outgoing(text: &str) -> Outgoing {
    Outgoing {
        id: mint(),
        conversation: id("c1"),
        text: text.into(),
        wire_id: None,
    }
}

fn mint() -> ClientMessageId {
    SystemPlatform::new().mint()
}

/// Yields `t0`, then what refreshing produces: `t1`, `t2`, …; counts and can refuse.
#[derive(Debug)]
pub struct Tokens {
    pub current: Mutex<String>,
    pub refreshes: Mutex<u32>,
    pub answer: Mutex<Option<TokenError>>,
    /// Whether the app keeps yielding the old token after a refresh.
    pub forgetful: bool,
}

impl Tokens {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::starting_with("t0"))
    }

    pub fn starting_with(token: &str) -> Self {
        Self {
            current: Mutex::new(token.into()),
            refreshes: Mutex::new(0),
            answer: Mutex::new(None),
            forgetful: false,
        }
    }

    pub fn refreshes(&self) -> u32 {
        *self.refreshes.lock().expect("count")
    }

    pub fn answer_with(&self, error: Option<TokenError>) {
        *self.answer.lock().expect("answer") = error;
    }
}

#[async_trait]
impl TokenProvider for Tokens {
    async fn current(&self) -> Result<Option<Token>, TokenError> {
        Ok(Some(Token::new(
            self.current.lock().expect("token").clone(),
        )))
    }

    async fn refresh(&self) -> Result<Token, TokenError> {
        let count = {
            let mut refreshes = self.refreshes.lock().expect("count");
            *refreshes += 1;
            *refreshes
        };
        // Gives every other caller the chance to ask as well.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        if let Some(error) = *self.answer.lock().expect("answer") {
            return Err(error);
        }
        let fresh = format!("t{count}");
        if !self.forgetful {
            self.current.lock().expect("token").clone_from(&fresh);
        }
        Ok(Token::new(fresh))
    }
}
