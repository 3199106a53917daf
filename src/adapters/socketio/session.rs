//! Looking at one channel over the shared connection.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::{Either, select};
use serde_json::json;

use super::{
    config::Profile,
    directory::Directory,
    link::{Link, Seat},
};
use crate::{
    adapters::websocket::session::FAREWELL,
    domain::{
        event::SessionEvent,
        ids::{ConversationId, UserId},
        ports::{Outgoing, Platform, RealtimeSession},
        retry::{Outcome, ServiceError},
        time::Tick,
    },
};

/// That the user goes on typing is said no more often than this.
const TYPING_EVERY: Duration = Duration::from_secs(3);

/// How long a question asked as a sign of life may take.
const PROBE_WITHIN: Duration = Duration::from_secs(4);

/// What sessions share with the service.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) profile: Arc<Profile>,
    pub(super) directory: Arc<Directory>,
    pub(super) platform: Arc<dyn Platform>,
    /// Who types and says no more has stopped by then, even if the word that they did was lost.
    pub(super) typing_lasts: Duration,
}

/// Looking at one channel.
pub struct SocketIoSession {
    link: Arc<Link>,
    seat: Seat,
    conversation: ConversationId,
    shared: Shared,
    typing: Mutex<Typing>,
}

#[derive(Default)]
struct Typing {
    others: BTreeMap<UserId, Tick>,
    told: Option<Tick>,
}

impl fmt::Debug for SocketIoSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SocketIoSession({})", self.conversation)
    }
}

impl Drop for SocketIoSession {
    fn drop(&mut self) {
        self.link.stand(self.seat);
    }
}

impl SocketIoSession {
    pub(super) fn new(
        link: Arc<Link>,
        seat: Seat,
        conversation: ConversationId,
        shared: Shared,
    ) -> Self {
        Self {
            link,
            seat,
            conversation,
            shared,
            typing: Mutex::default(),
        }
    }

    fn typing(&self) -> MutexGuard<'_, Typing> {
        self.typing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn address(&self) -> Option<serde_json::Value> {
        let channel = self.shared.directory.channel(&self.conversation)?;
        Some(json!({ "channelId": channel }))
    }

    /// Notes who types; who stopped before is not told to have stopped again.
    fn note(&self, event: &SessionEvent) {
        if let SessionEvent::Typing { user, active } = event {
            let until = self.shared.platform.tick() + self.shared.typing_lasts;
            let others = &mut self.typing().others;
            match active {
                true => others.insert(user.clone(), until),
                false => others.remove(user),
            };
        }
    }

    /// How long until somebody is taken to have stopped typing.
    fn until_silence(&self) -> Option<Duration> {
        let now = self.shared.platform.tick();
        let typing = self.typing();
        typing.others.values().map(|until| until.since(now)).min()
    }

    fn stopped_typing(&self) -> Option<SessionEvent> {
        let now = self.shared.platform.tick();
        let others = &mut self.typing().others;
        let over = others.iter().find(|(_, until)| **until <= now);
        let user = over.map(|(user, _)| user.clone())?;
        others.remove(&user);
        Some(SessionEvent::Typing {
            user,
            active: false,
        })
    }

    /// Whether it is worth saying that the user types, or stopped.
    fn is_news(&self, active: bool) -> bool {
        let now = self.shared.platform.tick();
        let mut typing = self.typing();
        let lately = typing
            .told
            .is_some_and(|told| now.since(told) < TYPING_EVERY);
        let news = if active {
            !lately
        } else {
            typing.told.is_some()
        };
        if news {
            typing.told = active.then_some(now);
        }
        news
    }
}

#[async_trait]
impl RealtimeSession for SocketIoSession {
    async fn next_event(&self) -> SessionEvent {
        loop {
            if let Some(event) = self.stopped_typing() {
                return event;
            }
            let next = Box::pin(self.link.next(self.seat));
            let event = match self.until_silence() {
                None => next.await,
                Some(silence) => match select(next, Box::pin(tokio::time::sleep(silence))).await {
                    Either::Left((event, _)) => event,
                    Either::Right(_) => continue,
                },
            };
            self.note(&event);
            return event;
        }
    }

    /// Messages are requests with an answer here: the service asks them over the same connection.
    async fn send(&self, _outgoing: &Outgoing) -> Result<(), ServiceError> {
        Err(ServiceError::unsupported("send without an answer"))
    }

    /// The WebSocket's own ping where there is one; else any question that is always answered. The
    /// protocol's ping is the server's alone: it hangs up on a client that sends one.
    async fn probe(&self) -> Result<(), ServiceError> {
        if self.link.ping().await? {
            return Ok(());
        }
        let Some(address) = self.address() else {
            return Ok(());
        };
        let event = &self.shared.profile.events.join;
        match self.link.ask(event, address, PROBE_WITHIN).await {
            Err(error) if self.link.is_over() => Err(error),
            _ => Ok(()),
        }
    }

    async fn set_typing(&self, active: bool) -> Result<(), ServiceError> {
        let Some(mut told) = self.address().filter(|_| self.is_news(active)) else {
            return Ok(());
        };
        told["isTyping"] = active.into();
        let said = self
            .link
            .whisper(&self.shared.profile.events.typing, told)
            .await;
        match said {
            // What matters only now is not worth an error once it cannot leave any more.
            Err(error) if error.outcome == Outcome::NotApplied => Ok(()),
            other => other,
        }
    }

    async fn close(&self) {
        let leave = self.address();
        if self.link.stand(self.seat) == 0 {
            return self.link.close(FAREWELL).await;
        }
        if let Some(address) = leave {
            let event = &self.shared.profile.events.leave;
            let _ = tokio::time::timeout(FAREWELL, self.link.whisper(event, address)).await;
        }
    }
}
