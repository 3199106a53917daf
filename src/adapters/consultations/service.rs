//! The service: one struct that the port's calls meet in.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use http::Method;
use url::Url;

use crate::{
    adapters::{
        consultations::{
            ConfigError, ConsultationsConfig,
            dialect::Learned,
            envelope::{Complaint, Envelope},
            wire,
        },
        http::{
            Authenticator, AuthorizedClient, Effect, HttpClient, HttpReply, HttpRequest, origin,
            status,
        },
        net::{Connector, tls},
        websocket::Dialer,
    },
    domain::{
        capabilities::Capabilities,
        conversation::ServerConversation,
        cursor::{HistoryRange, SyncCursor},
        event::SendReceipt,
        ids::{ConversationId, MessageId},
        message::ServerMessage,
        ports::{
            ChatService, ConversationPage, CreateOutcome, HistoryPage, ListScope, NewConversation,
            Outgoing, Platform, RealtimeSession, TokenProvider,
        },
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

/// The path that everything lies below.
const COLLECTION: [&str; 3] = ["api", "v1", "consultations"];

/// The consultations backend behind the [`ChatService`] port.
pub struct ConsultationsService {
    pub(super) config: ConsultationsConfig,
    pub(super) api: AuthorizedClient,
    pub(super) dialer: Dialer,
    pub(super) learned: Learned,
    pub(super) ws_origin: Url,
    rest_origin: Url,
    platform: Arc<dyn Platform>,
}

/// Prints no address.
impl fmt::Debug for ConsultationsService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsultationsService")
            .field("config", &self.config)
            .field("learned", &self.learned)
            .finish_non_exhaustive()
    }
}

impl ConsultationsService {
    /// Prepares the service; nothing is contacted.
    ///
    /// # Errors
    /// [`ConfigError`] for a configuration that cannot work.
    pub fn new(
        config: ConsultationsConfig,
        tokens: Arc<dyn TokenProvider>,
        platform: Arc<dyn Platform>,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        let (rest_origin, ws_origin) = config.origins()?;
        let tls = tls::client_config(&config.trust_for(&rest_origin, &ws_origin))?;
        let connector = Connector::new(tls);
        let http = HttpClient::new(connector.clone(), config.limits(), Arc::clone(&platform));
        let auth = Arc::new(Authenticator::new(tokens, Arc::clone(&platform)));
        Ok(Self {
            api: AuthorizedClient::new(http, auth, config.api_key.clone()),
            dialer: Dialer::new(connector, config.dial_timeout, config.socket),
            learned: Learned::new(config.dialect),
            config,
            ws_origin,
            rest_origin,
            platform,
        })
    }

    /// The address of the collection.
    pub(super) fn collection(&self) -> Result<Url, ServiceError> {
        origin::resource(&self.rest_origin, &COLLECTION, &[]).ok_or_else(no_such_id)
    }

    /// The REST address of something that belongs to a conversation.
    pub(super) fn rest(&self, id: &ConversationId, rest: &[&str]) -> Result<Url, ServiceError> {
        self.resource(&self.rest_origin, id, rest)
    }

    pub(super) fn resource(
        &self,
        origin: &Url,
        id: &ConversationId,
        rest: &[&str],
    ) -> Result<Url, ServiceError> {
        let id = lower_if_uuid(id.as_str());
        let segments: Vec<&str> = std::iter::once(id.as_str())
            .chain(rest.iter().copied())
            .collect();
        origin::resource(origin, &COLLECTION, &segments).ok_or_else(no_such_id)
    }

    /// Makes a call and insists on success.
    pub(super) async fn succeed(&self, request: HttpRequest) -> Result<HttpReply, ServiceError> {
        let effect = request.effect;
        let reply = self.call(request).await?;
        if reply.is_success() && !reply.is_page() {
            return Ok(reply);
        }
        Err(self.refusal(&reply, &Complaint::read(&reply.body), effect))
    }

    /// Makes a call; any reply is fine. Learns the dialect from it.
    pub(super) async fn call(&self, request: HttpRequest) -> Result<HttpReply, ServiceError> {
        let reply = self.api.call(request).await?;
        if let Some(envelope) = Envelope::open(&reply.body) {
            self.learned.observe(envelope.success);
        }
        Ok(reply)
    }

    /// The failure that a reply stands for.
    pub(super) fn refusal(
        &self,
        reply: &HttpReply,
        complaint: &Complaint,
        effect: Effect,
    ) -> ServiceError {
        let code = complaint.code.clone();
        let mut error = status::refusal(reply, code, effect, self.platform.wall());
        if let FailureKind::Conflict { existing } = &mut error.kind {
            existing.clone_from(&complaint.existing);
        }
        if complaint.is_not_active() && matches!(reply.status, 400..=499) {
            finished(&mut error);
        }
        error
    }

    /// The server's word on one conversation.
    pub(super) async fn fetch(&self, id: &ConversationId) -> Result<Fetched, ServiceError> {
        let reply = self.succeed(HttpRequest::get(self.rest(id, &[])?)).await?;
        Fetched::read(&reply).ok_or_else(|| status::unreadable(&reply, Effect::Read))
    }

    /// A conversation's end is refused where it has ended already: then its status tells.
    async fn completed_already(
        &self,
        id: &ConversationId,
        error: ServiceError,
    ) -> Result<ServerConversation, ServiceError> {
        if !matches!(error.status, Some(400 | 403 | 409)) {
            return Err(error);
        }
        let fetched = self.fetch(id).await?.conversation;
        let done = |word: &str| matches!(word, "completed" | "archived");
        match fetched.status.as_ref().is_some_and(|s| done(s.as_str())) {
            true => Ok(fetched),
            false => Err(error),
        }
    }
}

/// A conversation with the messages that came along.
pub(super) struct Fetched {
    pub(super) conversation: ServerConversation,
    pub(super) messages: Vec<ServerMessage>,
}

impl Fetched {
    /// Reads a conversation, wrapped or bare.
    pub(super) fn read(reply: &HttpReply) -> Option<Self> {
        let envelope = Envelope::open(&reply.body)?;
        let nested = envelope.under_or_self(&["consultation", "conversation"]);
        let object = nested.as_ref().unwrap_or(&envelope.data);
        Some(Self {
            conversation: wire::conversation(object)?,
            messages: wire::messages(object, &["messages"]).0,
        })
    }
}

#[async_trait]
impl ChatService for ConsultationsService {
    fn capabilities(&self) -> Capabilities {
        self.learned.capabilities(self.config.extensions)
    }

    async fn create_conversation(
        &self,
        new: &NewConversation,
    ) -> Result<CreateOutcome, ServiceError> {
        self.create(new).await
    }

    async fn list_conversations(
        &self,
        scope: &ListScope,
        cursor: Option<&SyncCursor>,
    ) -> Result<ConversationPage, ServiceError> {
        self.list_page(scope, cursor).await
    }

    async fn conversation(&self, id: &ConversationId) -> Result<ServerConversation, ServiceError> {
        Ok(self.fetch(id).await?.conversation)
    }

    async fn history(
        &self,
        id: &ConversationId,
        range: &HistoryRange,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        self.history_page(id, range, limit).await
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<SendReceipt, ServiceError> {
        self.post_message(outgoing).await
    }

    async fn connect(&self, id: &ConversationId) -> Result<Arc<dyn RealtimeSession>, ServiceError> {
        Ok(Arc::new(self.open_session(id).await?))
    }

    async fn mark_read(&self, id: &ConversationId, up_to: &MessageId) -> Result<(), ServiceError> {
        self.put_read_marker(id, up_to).await
    }

    async fn delete_message(
        &self,
        id: &ConversationId,
        message: &MessageId,
    ) -> Result<(), ServiceError> {
        self.remove_message(id, message).await
    }

    async fn edit_message(
        &self,
        id: &ConversationId,
        message: &MessageId,
        text: &str,
    ) -> Result<ServerMessage, ServiceError> {
        self.patch_message(id, message, text).await
    }

    async fn stop_answer(&self, id: &ConversationId) -> Result<(), ServiceError> {
        self.post_stop(id).await
    }

    async fn complete(&self, id: &ConversationId) -> Result<ServerConversation, ServiceError> {
        let request = HttpRequest::post(self.rest(id, &["complete"])?, None);
        let reply = match self.succeed(request).await {
            Ok(reply) => reply,
            Err(error) => return self.completed_already(id, error).await,
        };
        match Fetched::read(&reply) {
            Some(fetched) => Ok(fetched.conversation),
            // It is done; what it looks like now is asked for.
            None => self.conversation(id).await,
        }
    }

    async fn delete_conversation(&self, id: &ConversationId) -> Result<(), ServiceError> {
        let request = HttpRequest::write(Method::DELETE, self.rest(id, &[])?, None);
        match self.succeed(request).await {
            Err(error) if error.kind != FailureKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Turns a refusal into the one that says: this conversation takes no more messages.
pub(super) fn finished(error: &mut ServiceError) {
    error.kind = FailureKind::NotActive;
    error.retry = RetryClass::Never;
    error.detail = "this conversation takes no more messages".into();
}

/// UUIDs are written in lower case, which the server insists on; other ids go as they came.
pub(super) fn lower_if_uuid(id: &str) -> String {
    match uuid::Uuid::try_parse(id) {
        Ok(_) if id.len() == 36 => id.to_ascii_lowercase(),
        _ => id.to_owned(),
    }
}

fn no_such_id() -> ServiceError {
    ServiceError::new(
        FailureKind::NotFound,
        RetryClass::Never,
        Outcome::NotApplied,
        "no conversation can have this id",
    )
}
