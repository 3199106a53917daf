//! Beginning, commands, background and foreground, sign-out, the end.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{Driver, Happened, answer, lane::Purpose};
use crate::{
    domain::{
        delivery::DeliveryState,
        event::ClientEvent,
        ids::ConversationId,
        outbox::{OutboxEntry, SendMode},
        plant::planted,
        ports::{Durability, RealtimeSession, Rows, chat_repository::RowResult},
        retry::{FailureKind, ServiceError},
        rules::attempt,
    },
    engine::{
        connection::Input as ConnectionInput,
        outbox::Input as OutboxInput,
        sync::{Sync, Wanted},
        turn::Input as TurnInput,
    },
    error::ChatError,
    runtime::command::{Command, NetworkChange, Reply},
};

/// At the end an attempt on the wire may finish within this; it is Uncertain at the next start
/// otherwise.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A socket that does not close politely within this is dropped.
const POLITE_CLOSE: Duration = Duration::from_millis(150);

/// After a failed store call the outbox is looked at again after this long.
pub(super) const STORE_RETRY: Duration = Duration::from_secs(5);

impl Driver {
    pub(super) async fn begin(&mut self) {
        if self.repository.is_owner() {
            self.own().await;
        } else {
            self.await_ownership();
        }
    }

    fn await_ownership(&mut self) {
        let (repository, inbox) = (self.repository.clone(), self.inbox.clone());
        let wait = async move {
            repository.became_owner().await;
            inbox.report(Happened::BecameOwner).await;
        };
        self.supervisor.run(wait);
    }

    /// This process sends and synchronises from now on.
    pub(super) async fn own(&mut self) {
        self.owner = true;
        self.recover().await;
        self.load_orphans().await;
        self.watch_store();
        self.plan_retention();
        self.enable();
        self.load_heads().await;
        self.follow_attention().await;
        let open: Vec<_> = self.lanes.keys().cloned().collect();
        for id in open {
            self.attend(&id);
        }
    }

    /// What an earlier owner had on the wire is uncertain.
    async fn recover(&mut self) {
        let now = self.platform.wall();
        let recovered = self
            .repository
            .transact(Durability::Normal, move |rows| attempt::recover(rows, now))
            .await;
        match recovered {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "outbox.recovered"),
            Err(error) => self.store_troubled(&error),
        }
    }

    fn watch_store(&mut self) {
        if std::mem::replace(&mut self.watching, true) {
            return;
        }
        let (repository, inbox) = (self.repository.clone(), self.inbox.clone());
        let watch = async move {
            let mut seen = repository.revision();
            loop {
                seen = repository.changed(seen).await;
                inbox.report(Happened::StoreChanged).await;
            }
        };
        self.supervisor.run(watch);
    }

    pub(super) fn enable(&mut self) {
        let enabled = self.owner && !self.suspended && self.closing.is_none();
        self.tell_outbox(OutboxInput::Enabled(enabled));
    }

    /// Looks what each conversation sends next.
    pub(super) async fn load_heads(&mut self) {
        self.renew_heads(None).await;
    }

    /// Hands on what each conversation sends next: as a transaction just read it, or read now.
    pub(super) async fn renew_heads(&mut self, read: Option<Vec<OutboxEntry>>) {
        self.heads_due = None;
        if self.store_rests() {
            return;
        }
        if self.asleep {
            // The app is back, and the store was not: once more.
            return Box::pin(self.foreground()).await;
        }
        if !self.owner {
            return;
        }
        self.follow_bindings().await;
        let heads = match read {
            Some(read) => Ok(read),
            None => self.repository.view(heads).await,
        };
        match heads {
            Ok(heads) => self.tell_outbox(OutboxInput::Heads(heads)),
            Err(error) => self.store_troubled(&error),
        }
    }

    async fn load_orphans(&mut self) {
        let found = self
            .repository
            .view(|rows| rows.outbox(None))
            .await
            .unwrap_or_default();
        let orphans = found.into_iter().filter(|entry| {
            entry.parked
                && entry.mode == SendMode::Direct
                && entry.state == DeliveryState::Uncertain
        });
        let orphans: Vec<_> = orphans.collect();
        self.tell_outbox(OutboxInput::Orphans(orphans));
    }

    /// Not while the store rests: what comes in then is learned again once the app is back.
    pub(super) fn store_troubled(&mut self, error: &crate::domain::ports::RepositoryError) {
        if self.store_rests() {
            return;
        }
        tracing::error!(code = error.code(), "storage.troubled");
        self.events
            .emit(ClientEvent::StoreTroubled { code: error.code() });
        self.heads_due = Some(self.platform.tick() + STORE_RETRY);
    }

    // one match
    pub(super) async fn command(&mut self, command: Command) {
        let Some(command) = self.named(command).await else {
            return;
        };
        match command {
            Command::Wake => self.load_heads().await,
            Command::Open(id) => {
                let lane = self.lane(&id).await;
                lane.handles += 1;
                let attended = lane.attended;
                self.attend(&id);
                if attended {
                    // Whoever opens learns how things stand, even if nothing changes by it.
                    let status = self.status(&id);
                    let conversation = id;
                    self.events.emit(ClientEvent::Connection {
                        conversation,
                        status,
                    });
                } else if !self.owner {
                    self.keep_attention().await;
                }
            }
            Command::Close(id) => {
                if let Some(lane) = self.lanes.get_mut(&id) {
                    lane.handles = lane.handles.saturating_sub(1);
                }
                self.attend(&id);
                self.release_lease(&id).await;
            }
            Command::Synchronise {
                conversation,
                whole,
                reply,
            } => {
                let wanted = if whole {
                    Wanted::Whole
                } else {
                    Wanted::Complete
                };
                self.lane(&conversation).await;
                self.read(&conversation, wanted, false, Purpose::App(reply));
            }
            Command::LoadOlder {
                conversation,
                reply,
            } => {
                self.lane(&conversation).await;
                self.read(
                    &conversation,
                    Wanted::OlderPage,
                    true,
                    Purpose::Older(reply),
                );
            }
            Command::Subscribed => self.tell_salvage().await,
            Command::Status {
                conversation,
                reply,
            } => {
                answer(reply, Ok(self.status(&conversation)));
            }
            Command::SetTyping {
                conversation,
                active,
                reply,
            } => {
                self.set_typing(&conversation, active, reply);
            }
            Command::Background { deadline, reply } => self.background(deadline, reply),
            Command::Foreground => self.foreground().await,
            Command::Network(change) => self.network(change),
            Command::Shutdown { reply } => {
                self.closing = Some(reply);
                self.enable();
            }
        }
    }

    /// The command about the conversation's name of now. One that no server knows yet has no
    /// history to read: that is answered here.
    async fn named(&mut self, mut command: Command) -> Option<Command> {
        let about = command.conversation().cloned();
        let Some(id) = about.filter(ConversationId::is_local) else {
            return Some(command);
        };
        let name = self.canonical(&id).await;
        command.about(name.clone());
        match command {
            Command::Synchronise { reply, .. } if name.is_local() => answer(reply, Ok(0)),
            Command::LoadOlder { reply, .. } if name.is_local() => answer(reply, Ok(false)),
            command => return Some(command),
        }
        None
    }

    /// Whether nothing may be asked of the server: suspended, or signed out.
    pub(super) const fn is_at_rest(&self) -> bool {
        self.suspended || self.signed_out
    }

    /// Connects a conversation that is wanted and lets go of one that is not.
    pub(super) fn attend(&mut self, id: &ConversationId) {
        // A message that waits for the answer before it needs somebody to see that answer.
        let waits = self.outbox.waits_for_turn(id);
        let (now, at_rest, may) = (self.platform.tick(), self.is_at_rest(), self.owner);
        let Some(lane) = self.lanes.get(id) else {
            return;
        };
        // One that no server knows yet has nothing to connect to.
        let wanted = (lane.handles > 0 || lane.remote || waits) && may && !id.is_local();
        // At rest nothing new is connected, and what is open keeps its state.
        if wanted == lane.attended || (wanted && at_rest) {
            return;
        }
        // Asked for every conversation at every turn of the loop: the count comes only here.
        let live = self
            .lanes
            .values()
            .filter(|lane| lane.connection.wants_socket())
            .count();
        let room = live < usize::try_from(self.config.max_live).unwrap_or(usize::MAX);
        let Some(lane) = self.lanes.get_mut(id) else {
            return;
        };
        lane.attended = wanted;
        if !wanted {
            lane.turns.handle(now, TurnInput::Left);
        }
        let input = if wanted {
            ConnectionInput::Open { socket: room }
        } else {
            ConnectionInput::Close
        };
        self.tell_connection(id, input);
        if !wanted {
            self.give_place_to_next();
        }
    }

    /// A socket became free: the next open conversation that only polls may dial.
    fn give_place_to_next(&mut self) {
        if self.is_at_rest() {
            return;
        }
        let next = self
            .lanes
            .iter()
            .find(|(_, lane)| {
                lane.attended && lane.connection.is_open() && !lane.connection.wants_socket()
            })
            .map(|(id, _)| id.clone());
        if let Some(id) = next.filter(|_| self.config.websocket) {
            self.tell_connection(&id, ConnectionInput::Open { socket: true });
        }
    }

    fn background(&mut self, deadline: Duration, reply: Reply<()>) {
        if let Some(before) = self.suspending.replace(reply) {
            answer(before, Ok(()));
        }
        self.suspend_at = Some(self.platform.tick() + deadline);
        self.tell_all_connections(&ConnectionInput::Background);
    }

    pub(super) async fn suspend(&mut self) {
        self.suspend_at = None;
        self.suspended = true;
        self.enable();
        self.tell_all_connections(&ConnectionInput::Suspend);
        let now = self.platform.tick();
        for lane in self.lanes.values_mut() {
            lane.turns.handle(now, TurnInput::Left);
        }
        for lane in self.lanes.values_mut() {
            // A page that still comes finds no store.
            lane.sync.abandon();
            lane.fetches += 1;
        }
        self.give_up_attempts().await;
        self.settle_outputs().await;
        // Of a goodbye nothing is stored: neither waits for the other.
        let repository = self.repository.clone();
        let store = repository.suspend();
        let (asleep, ()) = futures_util::future::join(store, self.close_sessions()).await;
        self.asleep = asleep;
        if let Some(reply) = self.suspending.take() {
            answer(reply, Ok(()));
        }
    }

    /// What is on the wire is not waited for: whether it arrived is learned later.
    async fn give_up_attempts(&mut self) {
        let ids: Vec<_> = self.lanes.keys().cloned().collect();
        for conversation in ids {
            if let Some(id) = self.outbox.in_flight(&conversation) {
                let error =
                    ServiceError::unknown(FailureKind::Interrupted, "suspended on the wire");
                self.attempt_ended(&conversation, id, Err(error)).await;
            }
        }
        for id in self.outbox.actions_in_flight() {
            let error = ServiceError::unknown(FailureKind::Interrupted, "suspended on the wire");
            self.tell_outbox(OutboxInput::Failed(id, error));
        }
    }

    async fn close_sessions(&mut self) {
        let lanes = self.lanes.values_mut();
        let open: Vec<_> = lanes.filter_map(|lane| lane.session.take()).collect();
        for session in open {
            self.see_off(session.handle);
        }
        let _ = tokio::time::timeout(POLITE_CLOSE, self.farewells.finish()).await;
        self.farewells.abort_all();
        self.farewells.finish().await;
    }

    /// Closes a session politely, in a task of its own.
    pub(super) fn see_off(&mut self, session: Arc<dyn RealtimeSession>) {
        self.farewells.run(async move { session.close().await });
    }

    async fn foreground(&mut self) {
        self.suspend_at = None;
        if let Some(reply) = self.suspending.take() {
            answer(reply, Ok(()));
        }
        self.suspended = false;
        if !self.wake_store().await {
            return;
        }
        self.enable();
        self.signed_in();
        self.tell_all_connections(&ConnectionInput::Foreground);
        self.tell_outbox(OutboxInput::Encouraged);
        self.load_heads().await;
        self.keep_attention().await;
        let ids: Vec<_> = self.lanes.keys().cloned().collect();
        for id in ids {
            self.attend(&id);
        }
    }

    /// Opens the store again; `false` where that did not work yet.
    async fn wake_store(&mut self) -> bool {
        if !self.asleep {
            return true;
        }
        if let Err(error) = self.repository.resume().await {
            self.store_troubled(&error);
            return false;
        }
        self.asleep = false;
        self.tell_salvage().await;
        self.reload_lanes().await;
        if self.owner && self.repository.is_owner() {
            self.recover().await;
        } else if self.owner {
            // Another process took over: it connects, this one only looks until it ends.
            self.owner = false;
            self.await_ownership();
        }
        true
    }

    /// Whether the store is not to be asked: its files are released until the app is back.
    pub(super) const fn store_rests(&self) -> bool {
        self.asleep && self.suspended
    }

    /// Others may have read on while this process was away.
    async fn reload_lanes(&mut self) {
        let ids: Vec<_> = self.lanes.keys().cloned().collect();
        for id in ids {
            let (position, gap) = self.stored_position(&id).await;
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.sync = Sync::new(position.clone(), gap.clone());
                (lane.position, lane.gap) = (position, gap);
            }
        }
    }

    fn network(&mut self, change: NetworkChange) {
        let input = match change {
            NetworkChange::Up => ConnectionInput::NetworkUp,
            NetworkChange::Down => ConnectionInput::NetworkDown,
            NetworkChange::Changed => ConnectionInput::NetworkChanged,
        };
        self.tell_all_connections(&input);
        if change != NetworkChange::Down {
            self.tell_outbox(OutboxInput::Encouraged);
        }
    }

    pub(super) fn tell_all_connections(&mut self, input: &ConnectionInput) {
        let now = self.platform.tick();
        for lane in self.lanes.values_mut() {
            lane.connection.handle(now, input.clone());
        }
    }

    /// The token is refused: all traffic stops, nothing fails, the app is told once.
    pub(super) fn sign_out(&mut self) {
        if std::mem::replace(&mut self.signed_out, true) {
            return;
        }
        tracing::info!("auth.sign_in_required");
        self.events.emit(ClientEvent::SignInRequired);
        self.tell_outbox(OutboxInput::SignedOut(true));
        self.tell_all_connections(&ConnectionInput::SignInRequired);
    }

    fn signed_in(&mut self) {
        self.signed_out = false;
        self.tell_outbox(OutboxInput::SignedOut(false));
    }

    fn set_typing(&mut self, id: &ConversationId, active: bool, reply: Reply<()>) {
        let session = self.lanes.get(id).and_then(|lane| lane.session.as_ref());
        let Some(session) = session.map(|session| session.handle.clone()) else {
            let text = "nobody can be told while the conversation is not connected".to_owned();
            let code = "network.unreachable";
            return answer(reply, Err(ChatError::Offline { code, text }));
        };
        let task = async move {
            let told = session.set_typing(active).await;
            answer(reply, told.map_err(ChatError::from));
        };
        self.supervisor.run(task);
    }

    /// Lets an attempt on the wire finish for a moment, then closes everything.
    pub(super) async fn end(&mut self, reports: &mut mpsc::Receiver<Happened>) {
        if self.outbox.is_transmitting() {
            let _ = tokio::time::timeout(LAST_WORDS, self.last_words(reports)).await;
        }
        for lane in self.lanes.values_mut() {
            lane.sync.abandon();
        }
        self.settle_outputs().await;
        self.close_sessions().await;
        self.supervisor.abort_all();
        self.close_late_sessions(reports);
        let _ = tokio::time::timeout(POLITE_CLOSE, self.farewells.finish()).await;
        self.farewells.abort_all();
        if let Some(reply) = self.closing.take() {
            answer(reply, Ok(()));
        }
    }

    /// A dial that ended in these moments has a socket that nobody will ask for.
    fn close_late_sessions(&mut self, reports: &mut mpsc::Receiver<Happened>) {
        while let Ok(happened) = reports.try_recv() {
            if let Happened::Dialled {
                result: Ok(session),
                ..
            } = happened
            {
                self.see_off(session);
            }
        }
    }

    async fn last_words(&mut self, reports: &mut mpsc::Receiver<Happened>) {
        while self.outbox.is_transmitting() {
            let Some(happened) = reports.recv().await else {
                return;
            };
            self.happened(happened, reports).await;
            self.settle_outputs().await;
        }
    }
}

/// What each conversation sends next: its first message that is not settled.
pub(super) fn heads(rows: &mut dyn Rows) -> RowResult<Vec<OutboxEntry>> {
    if !planted("overtake-uncertain") {
        return rows.outbox_heads();
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut entries = rows.outbox(None)?;
    entries.retain(|entry| entry.blocks() && entry.state != DeliveryState::Uncertain);
    entries.retain(|entry| seen.insert((entry.conversation.clone(), entry.kind().track())));
    Ok(entries)
}
