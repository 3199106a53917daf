//! Doing what is no message: the request an action stands for, and what became of it.

use super::{Driver, Happened};
use crate::{
    domain::{
        event::ClientEvent,
        ids::{ClientMessageId, ConversationId, MessageId},
        outbox::{Action, ActionKind, OutboxEntry},
        plant::planted,
        ports::{ChatService, Durability, RealtimeSession},
        retry::{FailureKind, Outcome, ServiceError},
        rules::{
            act::{self, Errand},
            binding,
            settle::{Performed, Settlement},
        },
    },
    engine::outbox::Input as OutboxInput,
    runtime::supervisor::broken,
    usecases::list_conversations::read_list,
};

/// Why the listing is read for a creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    /// Before it leaves: what is there already is not what it creates.
    Baseline,
    /// Its outcome is unknown: it may be in there.
    Reconcile,
}

impl Driver {
    pub(super) async fn begin_action(
        &mut self,
        id: ClientMessageId,
        conversation: ConversationId,
        kind: ActionKind,
    ) {
        let keyed = self.service.capabilities().idempotent_create || planted("create-again");
        if kind == ActionKind::Create && !keyed {
            return self.list_for(id, conversation, Listing::Baseline);
        }
        let key = (kind == ActionKind::Create).then(|| id.to_string());
        self.attempt_action(id, key).await;
    }

    async fn attempt_action(&mut self, id: ClientMessageId, key: Option<String>) {
        let now = self.platform.wall();
        let recorded = self
            .repository
            .transact(Durability::Normal, move |rows| {
                act::record_attempt(rows, id, key, now)
            })
            .await;
        match recorded {
            Ok(Some(Errand::Ask { entry, message })) => self.ask_server(*entry, message),
            Ok(Some(Errand::Moot)) => self.tell_outbox(OutboxInput::Done(id, Performed::Plain)),
            Ok(None) => {
                self.tell_outbox(OutboxInput::NotAttempted(id));
                self.heads_due = Some(self.platform.tick());
            }
            Err(error) => {
                // Nothing left: it is tried again when the store is looked at again.
                self.tell_outbox(OutboxInput::NotAttempted(id));
                self.store_troubled(&error);
            }
        }
    }

    fn ask_server(&mut self, entry: OutboxEntry, message: Option<MessageId>) {
        let (id, attempt) = (entry.id, entry.attempt);
        let conversation = entry.conversation.clone();
        let lane = self.lanes.get(&conversation);
        let session = lane.and_then(|lane| lane.session.as_ref());
        let session = session.map(|session| session.handle.clone());
        let service = self.service.clone();
        let errand =
            async move { perform(service.as_ref(), session.as_deref(), &entry, message).await };
        self.ask(errand, move |result| Happened::Acted {
            conversation,
            id,
            attempt,
            result: Box::new(result),
        });
    }

    /// A request ended. The failure of an attempt that was given up says nothing of the next.
    pub(super) async fn acted(
        &mut self,
        conversation: ConversationId,
        id: ClientMessageId,
        attempt: u32,
        result: Result<Performed, ServiceError>,
    ) {
        let current = self.outbox.attempt_of(id);
        match result {
            Ok(done) if current.is_some() => self.tell_outbox(OutboxInput::Done(id, done)),
            Ok(done) => self.settle(id, conversation, Settlement::Done(done)).await,
            Err(error) if current == Some(attempt) => {
                tracing::info!(action = %id, code = error.code(), "attempt.failed");
                self.tell_outbox(OutboxInput::Failed(id, error));
            }
            Err(_) => {}
        }
    }

    /// Reads the listing into the store; a creation that turns out to be in it is bound there.
    pub(super) fn list_for(
        &mut self,
        id: ClientMessageId,
        conversation: ConversationId,
        why: Listing,
    ) {
        let (service, repository) = (self.service.clone(), self.repository.clone());
        let platform = self.platform.clone();
        let listing = async move {
            let read = read_list(service.as_ref(), repository.as_ref(), platform.as_ref()).await;
            // What could not be read may be the very one.
            match read {
                Ok(list) if list.skipped > 0 => Err(unreadable()),
                Ok(_) => Ok(()),
                Err(failure) => Err(failure.into_service_error()),
            }
        };
        self.ask(listing, move |result| Happened::Listed {
            id,
            conversation,
            why,
            result,
        });
    }

    pub(super) async fn listed(
        &mut self,
        id: ClientMessageId,
        conversation: ConversationId,
        why: Listing,
        result: Result<(), ServiceError>,
    ) {
        match (why, result) {
            (Listing::Baseline, Ok(())) => self.attempt_action(id, None).await,
            (Listing::Baseline, Err(error)) => {
                // Only a question was asked: nothing was created.
                let outcome = Outcome::NotApplied;
                self.tell_outbox(OutboxInput::Failed(id, ServiceError { outcome, ..error }));
            }
            (Listing::Reconcile, result) => {
                self.announce(&conversation).await;
                // First what is left: one that was found is not to be told "absent".
                self.load_heads().await;
                let complete = result.is_ok();
                self.tell_outbox(OutboxInput::Read {
                    conversation,
                    complete,
                });
            }
        }
    }

    /// Whoever has a conversation open that was begun here, and has the server's name by now, has
    /// that one open.
    pub(super) async fn follow_bindings(&mut self) {
        let lanes = self.lanes.keys();
        let begun: Vec<_> = lanes.filter(|id| id.is_local()).cloned().collect();
        for local in begun {
            self.announce(&local).await;
        }
    }

    /// Tells that a conversation begun here has the server's name, where it has.
    pub(super) async fn announce(&mut self, local: &ConversationId) {
        let conversation = self.canonical(local).await;
        if conversation != *local {
            let local = local.clone();
            self.events.emit(ClientEvent::ConversationBound {
                local,
                conversation,
            });
        }
    }

    /// The name a conversation goes by: a local one's server name, once there is one.
    pub(super) async fn canonical(&mut self, id: &ConversationId) -> ConversationId {
        if !id.is_local() {
            return id.clone();
        }
        let key = id.clone();
        let bound = self
            .repository
            .view(move |rows| binding::bound(rows, &key))
            .await;
        let Ok(Some(bound)) = bound else {
            return id.clone();
        };
        if let Some(before) = self.lanes.remove(id) {
            let lane = self.lane(&bound).await;
            lane.handles += before.handles;
            lane.remote |= before.remote;
            self.attend(&bound);
        }
        bound
    }
}

async fn perform(
    service: &dyn ChatService,
    session: Option<&dyn RealtimeSession>,
    entry: &OutboxEntry,
    message: Option<MessageId>,
) -> Result<Performed, ServiceError> {
    let conversation = &entry.conversation;
    let named = || message.clone().ok_or_else(nameless);
    match &entry.action {
        Action::Create(new) => {
            let outcome = service.create_conversation(new).await?;
            Ok(Performed::Created(Box::new(outcome)))
        }
        Action::Complete => {
            let said = service.complete(conversation).await?;
            Ok(Performed::Completed(Box::new(said)))
        }
        Action::Edit { text, .. } => {
            let said = service.edit_message(conversation, &named()?, text).await?;
            Ok(Performed::Edited(Box::new(said)))
        }
        Action::Delete { .. } => {
            let deleted = service.delete_message(conversation, &named()?).await;
            deleted.map(|()| Performed::Plain)
        }
        Action::MarkRead { up_to } => {
            let marked = service.mark_read(conversation, up_to).await;
            marked.map(|()| Performed::Plain)
        }
        Action::Archive { archived, .. } => {
            let shelved = service.archive(conversation, *archived).await;
            shelved.map(|()| Performed::Plain)
        }
        Action::Stop { .. } => {
            let stopped = stop(service, session, conversation).await;
            stopped.map(|()| Performed::Plain)
        }
        Action::Send { .. } => Err(broken()),
    }
}

/// By a request, whose answer says that it arrived; a frame that left says nothing, and goes only
/// where the backend has no request for it.
async fn stop(
    service: &dyn ChatService,
    session: Option<&dyn RealtimeSession>,
    conversation: &ConversationId,
) -> Result<(), ServiceError> {
    match (service.stop_answer(conversation).await, session) {
        (Err(error), Some(session)) if error.kind == FailureKind::Unsupported => {
            session.stop_answer().await
        }
        (stopped, _) => stopped,
    }
}

/// A change leaves only for a message with a name; without one there is nothing to ask for.
fn nameless() -> ServiceError {
    ServiceError::unreachable("the message has no name at the server yet")
}

fn unreadable() -> ServiceError {
    use crate::domain::retry::RetryClass;
    ServiceError::new(
        FailureKind::Protocol,
        RetryClass::Backoff,
        Outcome::NotApplied,
        "a part of the listing could not be read",
    )
}
