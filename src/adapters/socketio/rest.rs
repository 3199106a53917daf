//! The REST side: channels, one by one and listed, and what is asked of it while no socket is up.

use serde_json::Value;
use url::Url;

use super::{
    refusal,
    rows::{self, Channel},
    service::SocketIoService,
};
use crate::{
    adapters::{
        http::{Effect, HttpReply, HttpRequest, jwt, origin, status},
        json::Object,
    },
    domain::{
        conversation::{Context, ServerConversation},
        cursor::SyncCursor,
        ids::{ConversationId, UserId},
        ports::ConversationPage,
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

/// How many pages of the listing are looked through for one channel.
const MOST_PAGES: usize = 50;

/// One page of the listing.
struct Listing {
    channels: Vec<Channel>,
    more: bool,
    skipped: usize,
}

impl SocketIoService {
    /// Makes a call and insists on success.
    pub(super) async fn succeed(&self, request: HttpRequest) -> Result<HttpReply, ServiceError> {
        let effect = request.effect;
        self.learn_account().await?;
        let reply = self.api.call(request).await?;
        if reply.is_success() && !reply.is_page() {
            return Ok(reply);
        }
        Err(refusal::of_reply(&reply, effect, self.platform.wall()))
    }

    /// The address of something below `/api`.
    pub(super) fn rest(&self, segments: &[&str]) -> Result<Url, ServiceError> {
        origin::resource(&self.origin, &["api"], segments).ok_or_else(no_such_id)
    }

    /// Whose token it is: messages of ours are told from others' by it.
    pub(super) async fn learn_account(&self) -> Result<(), ServiceError> {
        if self.directory.me().is_none() {
            let token = self.api.auth().token().await?;
            let said = token.and_then(|token| jwt::claim(&token, &self.config.account_claim));
            let known = self.config.account.clone().or(said);
            self.directory.i_am(known.and_then(|id| UserId::parse(&id)));
        }
        Ok(())
    }

    pub(super) async fn post(&self, path: &[&str], body: Value) -> Result<HttpReply, ServiceError> {
        let request = HttpRequest::post(self.rest(path)?, Some(body.to_string()));
        self.succeed(request).await
    }

    pub(super) async fn list_page(
        &self,
        cursor: Option<&SyncCursor>,
    ) -> Result<ConversationPage, ServiceError> {
        let page = cursor.map_or(Ok(1), |cursor| cursor.as_str().parse());
        let page: usize = page.map_err(|_| no_such_page())?;
        let listing = self.listing(page, None).await?;
        let next = listing
            .more
            .then(|| SyncCursor::new((page + 1).to_string()));
        let channels = listing.channels.into_iter();
        Ok(ConversationPage {
            conversations: channels.map(|channel| channel.conversation).collect(),
            next,
            skipped: listing.skipped,
        })
    }

    /// A page of all channels, or of those of one context: there is one at most.
    async fn listing(
        &self,
        page: usize,
        context: Option<&Context>,
    ) -> Result<Listing, ServiceError> {
        let mut url = self.rest(&["channels"])?;
        url.query_pairs_mut()
            .append_pair("page", &page.to_string())
            .append_pair("pageSize", &self.config.page.to_string());
        if let Some(Context { kind, id: Some(id) }) = context {
            url.query_pairs_mut()
                .append_pair("contextType", kind)
                .append_pair("contextId", id);
        }
        let reply = self.succeed(HttpRequest::get(url)).await?;
        let listing = listed(&reply).ok_or_else(|| status::unreadable(&reply, Effect::Read))?;
        for channel in &listing.channels {
            self.directory.note_channel(channel);
        }
        Ok(listing)
    }

    /// The server's name for a conversation; `None` where it has no channel yet.
    pub(super) async fn channel_id(
        &self,
        id: &ConversationId,
    ) -> Result<Option<String>, ServiceError> {
        if let Some(known) = self.directory.channel(id) {
            return Ok(Some(known));
        }
        Ok(self.find(id).await?.map(|channel| channel.id))
    }

    /// Looks a conversation up in the listing of its context: one request, and a short answer. A
    /// server that lists everything all the same is read on.
    async fn find(&self, id: &ConversationId) -> Result<Option<Channel>, ServiceError> {
        let context = rows::context_of(id);
        for page in 1..=MOST_PAGES {
            let listing = self.listing(page, context.as_ref()).await?;
            let mut channels = listing.channels.into_iter();
            if let Some(found) = channels.find(|channel| channel.conversation.id == *id) {
                return Ok(Some(found));
            }
            if !listing.more {
                break;
            }
        }
        Ok(None)
    }

    /// The server's word on one conversation; one whose context has no channel yet is empty, not
    /// absent: its first message makes it.
    pub(super) async fn fetch(
        &self,
        id: &ConversationId,
    ) -> Result<(ServerConversation, bool), ServiceError> {
        let Some(known) = self.directory.channel(id) else {
            return match self.find(id).await? {
                Some(channel) => Ok((channel.conversation, true)),
                None => Ok((unborn(id)?, false)),
            };
        };
        let url = self.rest(&["channels", &known])?;
        let reply = self.succeed(HttpRequest::get(url)).await?;
        let channel = payload(&reply).and_then(|data| rows::channel(&data));
        let channel = channel.ok_or_else(|| status::unreadable(&reply, Effect::Read))?;
        Ok((channel.conversation, true))
    }
}

/// What a body carries: under `data`, or bare.
pub(super) fn payload(reply: &HttpReply) -> Option<Object<'_>> {
    let whole = Object::parse(&reply.body)?;
    whole.object(&["data"]).or(Some(whole))
}

fn listed(reply: &HttpReply) -> Option<Listing> {
    let whole = Object::parse(&reply.body)?;
    let list = whole.list(&["data"])?;
    let read = |raw: &&str| rows::channel(&Object::parse(raw)?);
    let channels: Vec<_> = list.items.iter().filter_map(read).collect();
    let meta = whole.object(&["meta"]).unwrap_or_default();
    let pagination = meta.object(&["pagination"]).unwrap_or_default();
    Some(Listing {
        skipped: list.items.len() - channels.len() + list.beyond,
        more: pagination.flag(&["hasNext"]).unwrap_or(false) && !list.items.is_empty(),
        channels,
    })
}

/// A conversation that begins with its first message.
pub(super) fn unborn(id: &ConversationId) -> Result<ServerConversation, ServiceError> {
    let context = rows::context_of(id).ok_or_else(no_such_id)?;
    let mut conversation = ServerConversation::bare(id.clone());
    conversation.context = Some(context);
    Ok(conversation)
}

pub(super) fn no_such_id() -> ServiceError {
    ServiceError::new(
        FailureKind::NotFound,
        RetryClass::Never,
        Outcome::NotApplied,
        "no channel can have this id",
    )
}

fn no_such_page() -> ServiceError {
    ServiceError::new(
        FailureKind::CursorRefused,
        RetryClass::Never,
        Outcome::NotApplied,
        "no listing has this page",
    )
}
