//! Opening the one connection, and looking at a channel over it.

use std::sync::Arc;

use http::header::HeaderMap;
use serde_json::{Map, Value, json};

use super::{
    client::Recovery,
    link::{Admission, Link},
    router::ChatRouter,
    rows,
    service::SocketIoService,
    session::SocketIoSession,
    transport,
};
use crate::{
    adapters::{http::HttpRequest, json::Object},
    domain::{
        event::SessionEvent,
        ids::ConversationId,
        ports::Token,
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
        time::Tick,
    },
};

/// The connection in use, and what is known of the last one.
#[derive(Debug, Default)]
pub(super) struct Slot {
    link: Option<Arc<Link>>,
    recovery: Option<Recovery>,
    token: Option<Token>,
    /// Whether a channel was looked at over it: only then was the token really taken.
    proved: bool,
    away_until: Option<Tick>,
}

impl SocketIoService {
    /// Looks at a channel. Being let in is not yet being accepted: gateways that check the token
    /// only afterwards put out whom they let in, so the first answer is the proof.
    pub(super) async fn open(&self, id: &ConversationId) -> Result<SocketIoSession, ServiceError> {
        match self.look(id).await {
            Err(Doubt::Token) => {}
            Err(Doubt::Failed(error)) => return Err(error),
            Ok(session) => return Ok(session),
        }
        self.renew().await?;
        match self.look(id).await {
            Err(Doubt::Token) => Err(refused_here_only()),
            Err(Doubt::Failed(error)) => Err(error),
            Ok(session) => Ok(session),
        }
    }

    /// The connection, where one is up and driven.
    pub(super) async fn live(&self) -> Option<Arc<Link>> {
        let slot = self.slot.lock().await;
        slot.link.clone().filter(|link| link.is_live())
    }

    async fn look(&self, id: &ConversationId) -> Result<SocketIoSession, Doubt> {
        let link = self.link().await?;
        let seat = link.sit(id);
        let session = SocketIoSession::new(Arc::clone(&link), seat, id.clone(), self.shared());
        let joined = self.join(&link, id).await;
        let joined = joined.map(|said| said.into_iter().for_each(|event| link.tell(id, event)));
        if link.was_evicted() && joined.is_err() {
            return Err(Doubt::Token);
        }
        match joined {
            Ok(()) => {
                self.slot.lock().await.proved = true;
                Ok(session)
            }
            // A channel that nobody has written to is not there to be looked at: the server makes
            // it with the first message, and brings its members in.
            Err(error) if is_refusal(&error) && self.directory.channel(id).is_none() => {
                self.slot.lock().await.proved = true;
                Ok(session)
            }
            // Polls of the history make up for a room that cannot be entered.
            Err(error) => Err(Doubt::Failed(error)),
        }
    }

    /// Who is in it by now, and who of them is there, comes with the answer: what changed while
    /// nobody looked was missed.
    async fn join(
        &self,
        link: &Link,
        id: &ConversationId,
    ) -> Result<Vec<SessionEvent>, ServiceError> {
        let event = &self.profile.events.join;
        let address = self.address(id)?;
        let within = self.config.answer_timeout;
        let answer = link.ask(event, Value::Object(address), within).await?;
        let said = answer.json(0).and_then(Object::parse).unwrap_or_default();
        let said = said.object(&["channel"]).unwrap_or_default();
        let Some(channel) = rows::channel(&said) else {
            return Ok(Vec::new());
        };
        self.directory.note(&channel.id, id);
        let me = self.directory.me();
        let mut told = vec![rows::told(channel, id)];
        told.extend(rows::presences(&said, me.as_ref()));
        Ok(told)
    }

    /// How a channel is named to the server: by its id where it is known, else by its context.
    pub(super) fn address(&self, id: &ConversationId) -> Result<Map<String, Value>, ServiceError> {
        let named = match self.directory.channel(id) {
            Some(channel) => json!({ "channelId": channel }),
            None => {
                let context = rows::context_of(id).ok_or_else(super::rest::no_such_id)?;
                json!({ "contextType": context.kind, "contextId": context.id })
            }
        };
        match named {
            Value::Object(map) => Ok(map),
            _ => Ok(Map::new()),
        }
    }

    /// The connection; opened where there is none, by one caller for all.
    async fn link(&self) -> Result<Arc<Link>, Doubt> {
        let mut slot = self.slot.lock().await;
        if let Some(link) = slot.link.as_ref().filter(|link| !link.is_over()) {
            return Ok(Arc::clone(link));
        }
        if let Some(old) = slot.link.take() {
            slot.recovery = old.recovery();
            if old.was_evicted() && slot.proved {
                slot.away_until = Some(self.platform.tick() + self.config.eviction_hold);
            }
        }
        if slot
            .away_until
            .is_some_and(|until| self.platform.tick() < until)
        {
            return Err(Doubt::Failed(put_out()));
        }
        slot.away_until = None;
        slot.proved = false;
        let token = self.api.auth().token().await?;
        slot.token.clone_from(&token);
        let link = self.enter(token.as_ref(), slot.recovery.clone()).await?;
        slot.link = Some(Arc::clone(&link));
        slot.recovery = None;
        Ok(link)
    }

    async fn enter(
        &self,
        token: Option<&Token>,
        recovery: Option<Recovery>,
    ) -> Result<Arc<Link>, Doubt> {
        self.learn_account().await?;
        let opened = transport::open(&self.reach, &HeaderMap::new()).await?;
        let router = ChatRouter {
            profile: Arc::clone(&self.profile),
            directory: Arc::clone(&self.directory),
        };
        let link = Link::new(
            opened,
            Arc::clone(&self.profile),
            Arc::new(router),
            recovery,
            Arc::clone(&self.platform),
        );
        let mut auth = Map::new();
        if let Some(token) = token {
            auth.insert("token".to_owned(), token.expose().into());
        }
        match link.enter(auth, self.config.connect_timeout).await? {
            Admission::In { recovered } => {
                tracing::info!(recovered, "socket.in");
                Ok(Arc::new(link))
            }
            Admission::Refused | Admission::Evicted => Err(Doubt::Token),
        }
    }

    /// A request decides whether the token is good: it renews it, or ends the session. A socket
    /// that refuses what requests are taken with is no reason to sign anybody out.
    async fn renew(&self) -> Result<(), ServiceError> {
        let refused = self.slot.lock().await.token.clone();
        let mut url = self.rest(&["channels"])?;
        url.query_pairs_mut().append_pair("pageSize", "1");
        self.succeed(HttpRequest::get(url)).await?;
        if self.api.auth().token().await? == refused {
            return Err(refused_here_only());
        }
        Ok(())
    }
}

/// Why a channel cannot be looked at.
pub(super) enum Doubt {
    /// Perhaps because of the token.
    Token,
    /// For this reason.
    Failed(ServiceError),
}

impl From<ServiceError> for Doubt {
    fn from(error: ServiceError) -> Self {
        Self::Failed(error)
    }
}

/// The server heard the request and turned it down.
fn is_refusal(error: &ServiceError) -> bool {
    matches!(
        error.kind,
        FailureKind::Invalid | FailureKind::NotFound | FailureKind::NotAllowed
    )
}

/// Requests are taken with this token, the socket is not.
fn refused_here_only() -> ServiceError {
    ServiceError {
        status: Some(401),
        ..ServiceError::new(
            FailureKind::NotAllowed,
            RetryClass::Backoff,
            Outcome::NotApplied,
            "the socket refuses the token that requests are taken with",
        )
    }
}

fn put_out() -> ServiceError {
    ServiceError::new(
        FailureKind::NotAllowed,
        RetryClass::Backoff,
        Outcome::NotApplied,
        "the server ended the connection on purpose a moment ago",
    )
}
