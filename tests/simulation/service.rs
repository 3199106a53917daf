//! The backend as the client's port sees it: every call may end in any way a network can think of.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tidings::domain::{
    capabilities::Capabilities,
    conversation::ServerConversation,
    cursor::{HistoryRange, SyncCursor},
    event::{SendReceipt, SessionEvent},
    ids::{ConversationId, MessageId},
    message::ServerMessage,
    ports::{
        ChatService, ConversationPage, CreateOutcome, HistoryPage, ListScope, NewConversation,
        Outgoing, RealtimeSession,
    },
    retry::{FailureKind, Outcome, RetryClass, ServiceError},
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    acts::{Asked, Said, refused},
    disk::Life,
    faults::Fault,
    ledger::{CompleteRead, Told},
    plans::{REQUEST, lost},
    reached::{Marker, reached},
    session::FakeSession,
    world::{World, spawn},
};

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
    pub(crate) async fn back(&self, at: Instant) -> Result<(), ServiceError> {
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
        new: &NewConversation,
    ) -> Result<CreateOutcome, ServiceError> {
        let asked = Asked::Create(Box::new(new.clone()));
        self.ask_for_room(new.key, asked).await
    }

    async fn list_conversations(
        &self,
        _: &ListScope,
        _: Option<&SyncCursor>,
    ) -> Result<ConversationPage, ServiceError> {
        let back = self.served("the list").await?;
        let (conversations, served) = {
            let state = self.world.lock();
            let rooms = state.server.rooms.values();
            let said = rooms.map(crate::server::Room::said).collect();
            (said, Instant::now())
        };
        self.back(back).await?;
        let mut state = self.world.lock();
        state.devices[self.device].book.lists.push(served);
        Ok(ConversationPage {
            conversations,
            next: None,
            skipped: 0,
        })
    }

    async fn conversation(&self, id: &ConversationId) -> Result<ServerConversation, ServiceError> {
        let back = self.served("the conversation").await?;
        self.back(back).await?;
        let state = self.world.lock();
        let known = state.server.rooms.get(id).map(crate::server::Room::said);
        Ok(known.unwrap_or_else(|| ServerConversation::bare(id.clone())))
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
        let mut taken = true;
        if let Some(there) = plan.there {
            let (world, outgoing, device) = (self.world.clone(), outgoing.clone(), self.device);
            world.lock().held += 1;
            let arrives = spawn(async move {
                sleep_until(started + there).await;
                let mut state = world.lock();
                state.held -= 1;
                let applied = state.apply(device, &outgoing, tx);
                if let Some((place, true)) = applied {
                    state.after_apply(&world, &outgoing.conversation, place);
                }
                applied.is_some()
            });
            if plan.error.is_none() {
                taken = arrives.await.unwrap_or(true);
            }
        }
        let result = match plan.error {
            Some(error) => {
                sleep(plan.back).await;
                Err(error)
            }
            None => match self.back(Instant::now() + plan.back).await {
                Ok(()) if !taken => Err(refused(FailureKind::NotActive, 409)),
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
        self.ask(id, Asked::MarkRead(up_to.clone())).await.map(drop)
    }

    async fn delete_message(
        &self,
        id: &ConversationId,
        message: &MessageId,
    ) -> Result<(), ServiceError> {
        self.ask(id, Asked::Delete(message.clone())).await.map(drop)
    }

    async fn edit_message(
        &self,
        id: &ConversationId,
        message: &MessageId,
        text: &str,
    ) -> Result<ServerMessage, ServiceError> {
        let asked = Asked::Edit(message.clone(), text.to_owned());
        match self.ask(id, asked).await? {
            Said::Row(room, place) => Ok(self.world.lock().server.tell(&room, place)),
            _ => Err(lost()),
        }
    }

    async fn stop_answer(&self, id: &ConversationId) -> Result<(), ServiceError> {
        self.ask(id, Asked::Stop).await.map(drop)
    }

    async fn archive(&self, id: &ConversationId, archived: bool) -> Result<(), ServiceError> {
        self.ask(id, Asked::Archive(archived)).await.map(drop)
    }

    async fn complete(&self, id: &ConversationId) -> Result<ServerConversation, ServiceError> {
        self.ask(id, Asked::Complete).await?;
        Ok(self.world.lock().server.room(id).said())
    }
}
