//! The service: one struct that the port's calls meet in.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::{
    config::{ConfigError, Profile, Reach, SocketIoConfig},
    connect::Slot,
    directory::Directory,
    link::Link,
    refusal,
    rest::{payload, unborn},
    rows::{self, Row},
    session::Shared,
};
use crate::{
    adapters::{
        http::{
            Authenticator, AuthorizedClient, Effect, HttpClient, HttpRequest, parse_origin, status,
        },
        json::Object,
        net::{Connector, tls},
    },
    domain::{
        capabilities::{Capabilities, ServerOrder, SessionScope},
        conversation::{NewConversation, ServerConversation},
        cursor::{HistoryRange, SyncCursor},
        event::SendReceipt,
        ids::{ConversationId, MessageId},
        ports::{
            ChatService, ConversationPage, CreateOutcome, HistoryPage, ListScope, Outgoing,
            Platform, RealtimeSession, TokenProvider,
        },
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

/// The Socket.IO backend behind the [`ChatService`] port.
pub struct SocketIoService {
    pub(super) config: SocketIoConfig,
    pub(super) profile: Arc<Profile>,
    pub(super) api: AuthorizedClient,
    pub(super) reach: Reach,
    pub(super) origin: Url,
    pub(super) directory: Arc<Directory>,
    pub(super) slot: tokio::sync::Mutex<Slot>,
    pub(super) platform: Arc<dyn Platform>,
}

/// Prints no address.
impl fmt::Debug for SocketIoService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketIoService")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl SocketIoService {
    /// Prepares the service; nothing is contacted.
    ///
    /// # Errors
    /// [`ConfigError`] for a configuration that cannot work.
    pub fn new(
        config: SocketIoConfig,
        tokens: Arc<dyn TokenProvider>,
        platform: Arc<dyn Platform>,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        let origin = parse_origin(&config.origin)?;
        let tls = tls::client_config(&config.trust_for(&origin))?;
        let connector = Connector::new(tls);
        let http = HttpClient::new(
            connector.clone(),
            config.rest_limits(),
            Arc::clone(&platform),
        );
        let auth = Arc::new(Authenticator::new(tokens, Arc::clone(&platform)));
        let api = AuthorizedClient::new(http, auth, config.api_key.clone())
            .refused_by(refusal::refuses_token);
        Ok(Self {
            profile: Arc::new(config.profile()?),
            reach: config.reach(&origin, connector, &platform)?,
            api,
            origin,
            directory: Arc::default(),
            slot: tokio::sync::Mutex::default(),
            platform,
            config,
        })
    }

    pub(super) fn shared(&self) -> Shared {
        Shared {
            profile: Arc::clone(&self.profile),
            directory: Arc::clone(&self.directory),
            platform: Arc::clone(&self.platform),
            typing_lasts: self.config.typing_lasts,
        }
    }

    /// Asks over the connection where one is up. `None` where there is none, or nothing left: then
    /// REST may be asked without doing anything twice.
    async fn ask(
        &self,
        event: &str,
        data: &Value,
    ) -> Option<Result<super::packet::Arguments, ServiceError>> {
        let link: Arc<Link> = self.live().await?;
        let answer = link
            .ask(event, data.clone(), self.config.answer_timeout)
            .await;
        match answer {
            Err(error) if never_left(&error) => None,
            other => Some(other),
        }
    }

    async fn send_message(&self, outgoing: &Outgoing) -> Result<SendReceipt, ServiceError> {
        let id = &outgoing.conversation;
        let mut data = self.address(id)?;
        data.insert("content".to_owned(), outgoing.text.as_str().into());
        let key = outgoing.id.to_string();
        data.insert("clientMessageId".to_owned(), key.into());
        let data = Value::Object(data);
        let row = match self.ask(&self.profile.events.send, &data).await {
            Some(answer) => self.sent(&answer?),
            None => match self.dispute(id) {
                Some(dispute) => self.post_to_dispute(&dispute, &outgoing.text).await?,
                None => self.post_message(id, data).await?,
            },
        };
        Ok(self.receipt(id, row))
    }

    fn sent(&self, answer: &super::packet::Arguments) -> Option<Row> {
        let said = answer.json(0).and_then(Object::parse)?;
        let message = said.object(&["message"]).unwrap_or(said);
        rows::row(&message, self.directory.me().as_ref())
    }

    async fn post_message(
        &self,
        id: &ConversationId,
        data: Value,
    ) -> Result<Option<Row>, ServiceError> {
        let channel = self.directory.channel(id);
        let reply = match &channel {
            Some(channel) => self.post(&["channels", channel, "messages"], data).await?,
            None => self.post(&["channels", "messages"], data).await?,
        };
        let row = payload(&reply).and_then(|said| rows::row(&said, None));
        row.map(Some)
            .ok_or_else(|| status::unreadable(&reply, Effect::Write))
    }

    /// What was sent is ours, whatever the server calls us. Its echo names the channel that the
    /// first message made.
    fn receipt(&self, id: &ConversationId, row: Option<Row>) -> SendReceipt {
        let Some(mut row) = row else {
            return SendReceipt::default();
        };
        row.message.own = true;
        if let Some(channel) = &row.channel {
            self.directory.note(channel, id);
        }
        self.directory.see(id, &row);
        SendReceipt {
            message: Some(row.message),
            answer: None,
        }
    }

    async fn put_read_marker(
        &self,
        id: &ConversationId,
        up_to: &MessageId,
    ) -> Result<(), ServiceError> {
        let moment = self.moment_of(id, up_to).await?;
        let channel = self.channel_id(id).await?;
        let channel = channel.ok_or_else(super::rest::no_such_id)?;
        let data = json!({ "channelId": channel, "lastReadAt": moment });
        match self.ask(&self.profile.events.read, &data).await {
            Some(answer) => answer.map(drop),
            None => self
                .post(&["channels", &channel, "read"], data)
                .await
                .map(drop),
        }
    }

    async fn remove_message(&self, message: &MessageId) -> Result<(), ServiceError> {
        let data = json!({ "messageId": message.as_str() });
        let removed = match self.ask(&self.profile.events.delete, &data).await {
            Some(answer) => answer.map(drop),
            None => {
                let url = self.rest(&["messages", message.as_str()])?;
                let request = HttpRequest::write(Method::DELETE, url, None);
                self.succeed(request).await.map(drop)
            }
        };
        match removed {
            Err(error) if error.kind != FailureKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The connection failed before anything was said over it.
fn never_left(error: &ServiceError) -> bool {
    error.kind == FailureKind::Interrupted && error.outcome == Outcome::NotApplied
}

#[async_trait]
impl ChatService for SocketIoService {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            idempotent_send: self.config.dedupes && !self.config.dispute_calls,
            // Nothing is made before the first message: a repeated creation creates nothing.
            idempotent_create: true,
            auto_resend: true,
            // A message is a request with an answer; over which of the two it goes is decided here.
            send_over_socket: false,
            ready_frame: false,
            server_order: ServerOrder::HistoryPosition,
            resume: false,
            scope: SessionScope::Account,
            streaming: false,
            stop: false,
            one_turn_at_a_time: false,
            receipts: true,
            read_marker: true,
            typing: true,
            presence: true,
            contexts: true,
            edit: false,
            delete: true,
            audit: self.config.audit,
            archive: false,
            complete: false,
            delete_conversation: false,
            history_paging: true,
            max_text: self.config.max_text,
            poll_floor: Duration::from_secs(1),
            probe_floor: Duration::ZERO,
        }
    }

    async fn create_conversation(
        &self,
        new: &NewConversation,
    ) -> Result<CreateOutcome, ServiceError> {
        let named = new.context.as_ref().and_then(rows::named);
        let id = named.ok_or_else(|| {
            ServiceError::new(
                FailureKind::Invalid,
                RetryClass::Never,
                Outcome::NotApplied,
                "a channel belongs to a context: name its type and id",
            )
        })?;
        if self.directory.channel(&id).is_none() && !self.fetch(&id).await?.1 {
            return Ok(CreateOutcome::Created(unborn(&id)?, Vec::new()));
        }
        let (there, _) = self.fetch(&id).await?;
        Ok(CreateOutcome::Existing(there, Vec::new()))
    }

    async fn list_conversations(
        &self,
        _scope: &ListScope,
        cursor: Option<&SyncCursor>,
    ) -> Result<ConversationPage, ServiceError> {
        self.list_page(cursor).await
    }

    async fn conversation(&self, id: &ConversationId) -> Result<ServerConversation, ServiceError> {
        Ok(self.fetch(id).await?.0)
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
        self.send_message(outgoing).await
    }

    async fn connect(&self, id: &ConversationId) -> Result<Arc<dyn RealtimeSession>, ServiceError> {
        Ok(Arc::new(self.open(id).await?))
    }

    async fn mark_read(&self, id: &ConversationId, up_to: &MessageId) -> Result<(), ServiceError> {
        self.put_read_marker(id, up_to).await
    }

    async fn delete_message(
        &self,
        _id: &ConversationId,
        message: &MessageId,
    ) -> Result<(), ServiceError> {
        self.remove_message(message).await
    }
}
