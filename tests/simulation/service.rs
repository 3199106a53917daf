//! The backend as the client's port sees it: every call may end in any way a network can think of.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tidings::domain::{
    capabilities::Capabilities,
    conversation::ServerConversation,
    cursor::{HistoryRange, SyncCursor},
    event::{SendReceipt, SessionEvent},
    ids::{ConversationId, MessageId},
    ports::{
        ChatService, ConversationPage, CreateOutcome, HistoryPage, ListScope, NewConversation,
        Outgoing, RealtimeSession,
    },
    retry::{FailureKind, Outcome, RetryClass, ServiceError},
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    disk::Life,
    faults::Fault,
    ledger::{CompleteRead, Told},
    reached::{Marker, reached},
    server::{Profile, Socket},
    session::FakeSession,
    world::{State, World, spawn},
};

/// The deadline of a request, as an adapter would set it.
const REQUEST: Duration = Duration::from_secs(30);

/// One device's way to the backend.
pub(crate) struct FakeService {
    pub(crate) world: World,
    pub(crate) life: Arc<Life>,
    pub(crate) device: usize,
    pub(crate) capabilities: Capabilities,
}

impl fmt::Debug for FakeService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FakeService({})", self.device)
    }
}

/// What becomes of a request.
struct Plan {
    /// When it is at the server; `None` where it never is.
    there: Option<Duration>,
    /// How long after that, or from the start, the client knows.
    back: Duration,
    /// What the client is told in place of an answer.
    error: Option<ServiceError>,
}

impl Plan {
    const fn refused(after: Duration, error: ServiceError) -> Self {
        Self {
            there: None,
            back: after,
            error: Some(error),
        }
    }
}

fn status(kind: FailureKind, retry: RetryClass, outcome: Outcome, code: u16) -> ServiceError {
    ServiceError {
        status: Some(code),
        ..ServiceError::new(kind, retry, outcome, "the server said no")
    }
}

fn lost() -> ServiceError {
    ServiceError::unknown(FailureKind::TimedOut, "no answer came")
}

impl State {
    /// "F-28": after the client's deadline; within the grace period, seldom beyond it.
    pub(crate) fn late(&mut self) -> Duration {
        let beyond = self.net.per_mille(120);
        let more = if beyond {
            self.net.millis(11_000, 40_000)
        } else {
            self.net.millis(100, 8_000)
        };
        REQUEST + more
    }

    fn plan_common(&mut self, device: usize) -> Option<Plan> {
        let soon = self.net.millis(3, 60);
        if !self.devices[device].online || self.occurs(Fault::Refused) {
            return Some(Plan::refused(soon, ServiceError::unreachable("refused")));
        }
        if self.occurs(Fault::RateLimit) {
            let wait = self.net.millis(1_000, 40_000);
            let retry = if self.net.per_mille(500) {
                RetryClass::After(wait)
            } else {
                RetryClass::Backoff
            };
            reached(Marker::rate_limited);
            let error = status(FailureKind::RateLimited, retry, Outcome::NotApplied, 429);
            return Some(Plan::refused(soon, error));
        }
        if self.occurs(Fault::Unauthorized) {
            let error = status(
                FailureKind::SignInRequired,
                RetryClass::AfterReauth,
                Outcome::NotApplied,
                401,
            );
            return Some(Plan::refused(soon, error));
        }
        None
    }

    fn plan_send(&mut self, device: usize) -> Plan {
        if let Some(plan) = self.plan_common(device) {
            return plan;
        }
        let (there, back) = (self.net.millis(5, 120), self.net.millis(5, 120));
        if self.occurs(Fault::Rejected) {
            let error = status(
                FailureKind::Invalid,
                RetryClass::Never,
                Outcome::NotApplied,
                422,
            );
            return Plan::refused(there + back, error);
        }
        if self.occurs(Fault::DropRequest) {
            let back = self.net.millis(500, 30_000);
            return Plan {
                there: None,
                back,
                error: Some(lost()),
            };
        }
        if self.occurs(Fault::DropAnswer) {
            let back = self.net.millis(500, 29_000);
            return Plan {
                there: Some(there),
                back,
                error: Some(lost()),
            };
        }
        if self.occurs(Fault::LateApply) {
            let there = self.late();
            self.note(format_args!("the request is late by {there:?}"));
            return Plan {
                there: Some(there),
                back: REQUEST,
                error: Some(lost()),
            };
        }
        if self.occurs(Fault::ServerError) {
            let error = ServiceError::unknown(FailureKind::Unavailable, "502");
            let applied = self.net.per_mille(500);
            return Plan {
                there: applied.then_some(there),
                back: there + back,
                error: Some(error),
            };
        }
        let slow = if self.occurs(Fault::Delay) {
            self.net.millis(500, 20_000)
        } else {
            Duration::ZERO
        };
        Plan {
            there: Some(there + slow),
            back,
            error: None,
        }
    }

    /// When a read is served, when it is back; or the error and when.
    fn plan_read(&mut self, device: usize) -> Plan {
        if let Some(plan) = self.plan_common(device) {
            return plan;
        }
        let (there, back) = (self.net.millis(5, 100), self.net.millis(5, 100));
        if self.occurs(Fault::ReadFails) {
            let (kind, after) = if self.net.per_mille(500) {
                (FailureKind::Unavailable, there + back)
            } else {
                (FailureKind::TimedOut, self.net.millis(2_000, 30_000))
            };
            let error =
                ServiceError::new(kind, RetryClass::Backoff, Outcome::NotApplied, "no page");
            return Plan::refused(after, error);
        }
        let slow = if self.occurs(Fault::Delay) {
            self.net.millis(500, 8_000)
        } else {
            Duration::ZERO
        };
        Plan {
            there: Some(there + slow),
            back,
            error: None,
        }
    }

    fn plan_dial(&mut self, device: usize) -> Plan {
        let soon = self.net.millis(3, 60);
        if let Some(plan) = self.plan_common(device) {
            return plan;
        }
        if self.occurs(Fault::DialRefused) {
            let code = if self.net.per_mille(500) {
                (FailureKind::NotAllowed, 403)
            } else {
                (FailureKind::NotFound, 404)
            };
            return Plan::refused(
                soon,
                status(code.0, RetryClass::Never, Outcome::NotApplied, code.1),
            );
        }
        if self.occurs(Fault::DialFails) {
            return match self.net.below(3) {
                0 => Plan::refused(soon, ServiceError::unreachable("refused")),
                1 => {
                    let error = status(
                        FailureKind::Unavailable,
                        RetryClass::Backoff,
                        Outcome::NotApplied,
                        503,
                    );
                    Plan::refused(soon, error)
                }
                _ => Plan::refused(Duration::from_secs(3600), lost()),
            };
        }
        Plan {
            there: Some(self.net.millis(10, 400)),
            back: Duration::ZERO,
            error: None,
        }
    }
}

impl FakeService {
    async fn served(&self, what: &str) -> Result<Instant, ServiceError> {
        self.life.gate().await;
        let plan = {
            let mut state = self.world.lock();
            let plan = state.plan_read(self.device);
            let verdict = plan.error.as_ref().map_or("ok", ServiceError::code);
            state.note(format_args!(
                "device {} asks for {what}: {verdict}",
                self.device
            ));
            plan
        };
        if let Some(error) = plan.error {
            sleep(plan.back).await;
            self.life.gate().await;
            return Err(error);
        }
        let there = plan.there.unwrap_or_default();
        sleep(there).await;
        Ok(Instant::now() + plan.back)
    }

    /// Waits for the way back; a network that went down meanwhile keeps the answer.
    async fn back(&self, at: Instant) -> Result<(), ServiceError> {
        sleep_until(at).await;
        self.life.gate().await;
        if self.world.lock().devices[self.device].online {
            return Ok(());
        }
        sleep(REQUEST).await;
        self.life.gate().await;
        let (retry, outcome) = (RetryClass::Backoff, Outcome::NotApplied);
        Err(ServiceError::new(
            FailureKind::TimedOut,
            retry,
            outcome,
            "no answer came",
        ))
    }
}

#[async_trait]
impl ChatService for FakeService {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    async fn create_conversation(
        &self,
        _: &NewConversation,
    ) -> Result<CreateOutcome, ServiceError> {
        Err(ServiceError::unsupported("create a conversation"))
    }

    async fn list_conversations(
        &self,
        _: &ListScope,
        _: Option<&SyncCursor>,
    ) -> Result<ConversationPage, ServiceError> {
        let back = self.served("the list").await?;
        let conversations = {
            let state = self.world.lock();
            state
                .server
                .rooms
                .values()
                .map(crate::server::Room::said)
                .collect()
        };
        self.back(back).await?;
        Ok(ConversationPage {
            conversations,
            next: None,
            skipped: 0,
        })
    }

    async fn conversation(&self, id: &ConversationId) -> Result<ServerConversation, ServiceError> {
        let back = self.served("the conversation").await?;
        self.back(back).await?;
        Ok(ServerConversation::bare(id.clone()))
    }

    async fn history(
        &self,
        id: &ConversationId,
        range: &HistoryRange,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        let back = self.served(&format!("{id} {range:?}")).await?;
        let (page, served) = {
            let state = self.world.lock();
            (state.server.history(id, range, limit), Instant::now())
        };
        self.back(back).await?;
        let mut state = self.world.lock();
        let (count, more) = (page.messages.len(), page.more);
        state.note(format_args!(
            "device {} gets {count} rows of {id}, more: {more}",
            self.device
        ));
        match range {
            HistoryRange::Before(_) => {}
            _ if more => reached(Marker::cursor_paged_forward),
            _ => {
                let room = id.clone();
                state.devices[self.device]
                    .reads
                    .push(CompleteRead { room, served });
            }
        }
        Ok(page)
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<SendReceipt, ServiceError> {
        self.life.gate().await;
        let (plan, tx) = {
            let mut state = self.world.lock();
            let tx = state.transmit(self.device, outgoing, "request");
            (state.plan_send(self.device), tx)
        };
        let started = Instant::now();
        if let Some(there) = plan.there {
            let (world, outgoing, device) = (self.world.clone(), outgoing.clone(), self.device);
            world.lock().held += 1;
            let arrives = spawn(async move {
                sleep_until(started + there).await;
                let mut state = world.lock();
                state.held -= 1;
                let (place, fresh) = state.apply(device, &outgoing, tx);
                if fresh {
                    state.after_apply(&world, &outgoing.conversation, place);
                }
            });
            if plan.error.is_none() {
                let _ = arrives.await;
            }
        }
        let result = match plan.error {
            Some(error) => {
                sleep(plan.back).await;
                Err(error)
            }
            None => match self.back(Instant::now() + plan.back).await {
                Ok(()) => Ok(()),
                Err(_) => Err(lost()),
            },
        };
        self.life.gate().await;
        let mut state = self.world.lock();
        let told = match &result {
            Ok(()) => Told::Applied,
            Err(error) if error.outcome == Outcome::NotApplied => Told::NotApplied,
            Err(_) => Told::Unknown,
        };
        state.told(self.device, outgoing.id, tx, told);
        result.map(|()| {
            reached(Marker::sent_over_http);
            let room = state.server.room(&outgoing.conversation);
            // The answer to a request names the row that this request made.
            let place = room
                .rows
                .iter()
                .rposition(|row| row.key == Some(outgoing.id));
            let message = place.map(|place| state.server.tell(&outgoing.conversation, place));
            SendReceipt {
                message,
                answer: None,
            }
        })
    }

    async fn connect(&self, id: &ConversationId) -> Result<Arc<dyn RealtimeSession>, ServiceError> {
        self.life.gate().await;
        let plan = self.world.lock().plan_dial(self.device);
        sleep(plan.there.unwrap_or(plan.back)).await;
        self.life.gate().await;
        let mut state = self.world.lock();
        if let Some(error) = plan.error {
            state.note(format_args!(
                "device {} cannot dial: {}",
                self.device,
                error.code()
            ));
            return Err(error);
        }
        let number = state.open_socket(self.device, self.life.number(), id);
        if self.capabilities.ready_frame && !state.occurs(Fault::NoReady) {
            let delay = state.net.millis(1, 300);
            state.push(number, SessionEvent::Ready.into(), delay);
        }
        state.threaten(&self.world, number);
        Ok(Arc::new(FakeSession {
            world: self.world.clone(),
            life: self.life.clone(),
            number,
            device: self.device,
            room: id.clone(),
        }))
    }

    async fn mark_read(&self, id: &ConversationId, up_to: &MessageId) -> Result<(), ServiceError> {
        if self.world.lock().server.profile == Profile::Nameless {
            return Err(ServiceError::unsupported("mark as read"));
        }
        let back = self.served("read marker").await?;
        {
            let mut state = self.world.lock();
            let room = state.server.room_mut(id);
            let place = room.place(up_to);
            if place > room.read_to.as_ref().and_then(|known| room.place(known)) {
                room.read_to = Some(up_to.clone());
                for number in state.server.listeners(id) {
                    let up_to = up_to.clone();
                    state.push(
                        number,
                        SessionEvent::ReadMarker { up_to }.into(),
                        Duration::from_millis(20),
                    );
                }
            }
        }
        self.back(back).await
    }
}

impl State {
    fn open_socket(&mut self, device: usize, life: u64, room: &ConversationId) -> u64 {
        self.server.next_socket += 1;
        let number = self.server.next_socket;
        let now = Instant::now();
        self.server.sockets.insert(
            number,
            Socket {
                device,
                life,
                room: room.clone(),
                deaf: false,
                mute: false,
                closed: false,
                frozen: false,
                inbound: std::collections::VecDeque::new(),
                arrival: Arc::default(),
                heard: now,
                last_in: now,
                last_out: now,
            },
        );
        self.note(format_args!(
            "device {device} opened socket {number} on {room}"
        ));
        number
    }

    /// Decides at once what will happen to a socket, so that its life is one draw.
    fn threaten(&mut self, world: &World, number: u64) {
        use tidings::domain::event::CloseReason;
        let at = self.net.millis(200, 25_000);
        let threat = [Fault::Close, Fault::Freeze, Fault::HalfOpen]
            .into_iter()
            .find(|fault| {
                let rate = self.faults.rate(*fault) * 10;
                self.net.per_mille(rate)
            });
        let Some(threat) = threat else { return };
        let code = self.net.pick(&[1000, 1001, 1006, 1011, 1012, 1013, 4000]);
        let outward = self.net.per_mille(500);
        let world = world.clone();
        spawn(async move {
            sleep(at).await;
            let mut state = world.lock();
            if state.healed || state.server.sockets[&number].closed {
                return;
            }
            if threat == Fault::Close {
                let reason = if code == 1006 {
                    CloseReason::Broken
                } else {
                    CloseReason::Code(code)
                };
                return state.cut(number, reason);
            }
            state.silence(
                &world,
                number,
                threat == Fault::Freeze || !outward,
                threat == Fault::Freeze || outward,
            );
        });
    }
}
