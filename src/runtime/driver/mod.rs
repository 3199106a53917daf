//! The driver: the only loop. It feeds what happened to the engines and performs their outputs.
//!
//! One task owns every engine, so there is no lock and no order but this one's. The store is
//! asked in between, one named transaction at a time; whatever waits for a network runs in a task
//! of its own and reports back.

mod attention;
mod inbox;
mod intake;
mod lane;
mod lifecycle;
mod perform;
mod performing;
mod reads;
mod retention;
mod salvage;
mod sending;
mod unconfirmed;

use std::{pin::Pin, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use crate::{
    config::Config,
    domain::{
        connection::{ConnectionState, ConnectionStatus},
        cursor::{SyncCursor, SyncPosition},
        ids::ConversationId,
        ports::{ChatRepository, ChatService, Platform},
        retry::{BackoffPolicy, ServiceError},
        rules::{answer, gaps},
        sorted_map::SortedMap,
        time::Tick,
    },
    engine::{
        connection::Input as ConnectionInput,
        outbox::{Input as OutboxInput, Outbox, OutboxPolicy},
        sooner,
        sync::Ticket,
        turn::{Answer, Input as TurnInput, Turns},
    },
    error::ChatError,
    runtime::{
        ChatClientParts,
        command::{Command, Commands, Reply},
        events::Events,
        supervisor::{self, Supervisor},
    },
};
use inbox::{Happened, Inbox};
use lane::Lane;

/// Reports handled before the engines' deadlines are looked at again.
const BURST: usize = 128;

/// A change of the store is looked at after this long, so that a burst is looked at once.
const STORE_SETTLES: Duration = Duration::from_millis(20);

/// Starts the driver and returns the way in.
pub(crate) fn start(parts: &ChatClientParts, events: Events) -> Commands {
    let (sender, commands) = mpsc::unbounded_channel();
    let driver = Driver::new(parts, events);
    supervisor::start(driver.run(commands));
    Commands(Arc::new(sender))
}

struct Driver {
    service: Arc<dyn ChatService>,
    repository: Arc<dyn ChatRepository>,
    platform: Arc<dyn Platform>,
    config: Config,
    events: Events,
    supervisor: Supervisor,
    /// Sockets being closed politely; the end waits for them, for a moment.
    farewells: Supervisor,
    inbox: Inbox,
    reports: Option<mpsc::Receiver<Happened>>,
    outbox: Outbox,
    lanes: SortedMap<ConversationId, Lane>,
    /// Turns of conversations that nobody looks at, whose streams may go on.
    left_turns: SortedMap<ConversationId, Turns>,
    owner: bool,
    suspended: bool,
    /// The store's files are released.
    asleep: bool,
    /// Whether the store's changes are followed.
    watching: bool,
    signed_out: bool,
    suspend_at: Option<Tick>,
    suspending: Option<Reply<()>>,
    heads_due: Option<Tick>,
    attention_due: Option<Tick>,
    retention_due: Option<Tick>,
    closing: Option<Reply<()>>,
    /// Replacements of a damaged store that were seen.
    salvages: u64,
    next_ticket: Ticket,
    next_seed: u64,
}

impl Driver {
    /// Asks in a task of its own; what is answered comes back as a report.
    fn ask<T: Send + 'static>(
        &mut self,
        question: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
        report: impl FnOnce(Result<T, ServiceError>) -> Happened + Send + 'static,
    ) {
        self.report_on(Box::pin(async move {
            report(supervisor::answered(question).await)
        }));
    }

    fn report_on(&mut self, task: Pin<Box<dyn Future<Output = Happened> + Send>>) {
        let inbox = self.inbox.clone();
        self.supervisor
            .run(async move { inbox.report(task.await).await });
    }

    fn new(parts: &ChatClientParts, events: Events) -> Self {
        let (inbox, reports) = Inbox::new();
        let mut seed = [0; 8];
        parts.platform.fill_entropy(&mut seed);
        let seed = u64::from_le_bytes(seed) >> 24;
        Self {
            outbox: Outbox::new(outbox_policy(&parts.config, parts.service.as_ref()), seed),
            service: parts.service.clone(),
            repository: parts.repository.clone(),
            platform: parts.platform.clone(),
            config: parts.config.clone(),
            events,
            supervisor: Supervisor::default(),
            farewells: Supervisor::default(),
            inbox,
            reports: Some(reports),
            lanes: SortedMap::new(),
            left_turns: SortedMap::new(),
            owner: false,
            suspended: false,
            asleep: false,
            watching: false,
            signed_out: false,
            suspend_at: None,
            suspending: None,
            heads_due: None,
            attention_due: None,
            retention_due: None,
            closing: None,
            salvages: 0,
            next_ticket: 0,
            next_seed: seed,
        }
    }

    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let Some(mut reports) = self.reports.take() else {
            return;
        };
        self.begin().await;
        while self.closing.is_none() {
            self.settle_outputs().await;
            if !self.next(&mut commands, &mut reports).await {
                break;
            }
        }
        self.end(&mut reports).await;
    }

    /// Waits for the next thing and feeds it in; `false` where nobody holds the client any more.
    async fn next(
        &mut self,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        reports: &mut mpsc::Receiver<Happened>,
    ) -> bool {
        let wait = self.timeout().map(|due| due.since(self.platform.tick()));
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                Some(command) => self.command(command).await,
                None => return false,
            },
            Some(happened) = reports.recv() => {
                self.happened(happened, reports).await;
            }
            () = sleep(wait) => self.tick().await,
        }
        true
    }

    fn timeout(&self) -> Option<Tick> {
        let lanes = self
            .lanes
            .values()
            .fold(None, |soonest, lane| sooner(soonest, lane.timeout()));
        let own = sooner(sooner(self.suspend_at, self.heads_due), self.attention_due);
        let own = sooner(own, self.retention_due);
        sooner(sooner(lanes, own), self.outbox.poll_timeout())
    }

    async fn tick(&mut self) {
        let now = self.platform.tick();
        if self.suspend_at.is_some_and(|due| now >= due) {
            self.suspend().await;
        }
        if self.heads_due.is_some_and(|due| now >= due) {
            self.load_heads().await;
            self.follow_attention().await;
        }
        if self.attention_due.is_some_and(|due| now >= due) {
            self.keep_attention().await;
        }
        if self.retention_due.is_some_and(|due| now >= due) {
            self.keep_retention().await;
        }
        self.tell_outbox(OutboxInput::Tick);
        let ids: Vec<_> = self.lanes.keys().cloned().collect();
        for id in ids {
            self.tick_lane(&id, now).await;
        }
    }

    async fn tick_lane(&mut self, id: &ConversationId, now: Tick) {
        let Some(lane) = self.lanes.get_mut(id) else {
            return;
        };
        if lane.timeout().is_none_or(|due| now < due) {
            return;
        }
        if !lane.overdue_told && lane.overdue_at().is_some_and(|due| now >= due) {
            lane.overdue_told = true;
            lane.connection.handle(now, ConnectionInput::Overdue);
        }
        lane.connection.handle(now, ConnectionInput::Tick);
        lane.turns.handle(now, TurnInput::Tick);
        self.release_held(id).await;
    }

    fn tell_outbox(&mut self, input: OutboxInput) {
        self.outbox
            .handle(self.platform.tick(), self.platform.wall(), input);
    }

    fn tell_connection(&mut self, id: &ConversationId, input: ConnectionInput) {
        let now = self.platform.tick();
        if let Some(lane) = self.lanes.get_mut(id) {
            lane.connection.handle(now, input);
        }
    }

    fn tell_turns(&mut self, id: &ConversationId, input: TurnInput) {
        let now = self.platform.tick();
        let Some(lane) = self.lanes.get_mut(id) else {
            return;
        };
        lane.turns.handle(now, input);
        // At once, not with the other outputs: the outbox must not wait for a turn that is over.
        let open = lane.turns.is_open();
        self.turn_changed(id, open);
    }

    /// The lane of a conversation, loaded from the store at first use.
    async fn lane(&mut self, id: &ConversationId) -> &mut Lane {
        if !self.lanes.contains_key(id) {
            let position = self.stored_position(id).await;
            self.next_seed += 1;
            let lane = Lane::new(
                &self.config,
                &self.service.capabilities(),
                position,
                self.next_seed,
            );
            self.lanes.insert(id.clone(), lane);
            self.recall_turns(id).await;
        }
        let (config, service, seed) = (&self.config, &self.service, self.next_seed);
        self.lanes.get_or_insert_with(id, || {
            Lane::new(config, &service.capabilities(), Default::default(), seed)
        })
    }

    /// An answer whose stream was left behind may go on: the pieces find its row.
    async fn recall_turns(&mut self, id: &ConversationId) {
        let now = self.platform.tick();
        let left = self.left_turns.remove(id);
        let left = left.filter(|turns| turns.may_go_on(now));
        match (left, self.lanes.get_mut(id)) {
            (Some(turns), Some(lane)) => lane.turns = turns,
            _ => self.recall_stored(id).await,
        }
    }

    /// The same from the store, where the stream was left by a process that is gone. Its clock is
    /// the wall's: should that have jumped, the pieces make a row of their own, until the answer's
    /// own row is read and takes both.
    async fn recall_stored(&mut self, id: &ConversationId) {
        let (key, wall) = (id.clone(), self.platform.wall());
        let patience = self.config.turn_inactivity * 4;
        let stored = self
            .repository
            .view(move |rows| {
                let left = answer::left_unfinished(rows, &key, wall, patience)?;
                Ok((left, answer::told_lately(rows, &key)?))
            })
            .await;
        let now = self.platform.tick();
        let (Ok((left, told)), Some(lane)) = (stored, self.lanes.get_mut(id)) else {
            return;
        };
        lane.turns.remember(told);
        if let Some(row) = left {
            let left = Answer {
                id: row.id,
                question: row.answers,
                text: row.text,
                completeness: row.completeness,
            };
            lane.turns.recall(now, left);
        }
    }

    /// Where the stored history ends, and its newest gap.
    async fn stored_position(&self, id: &ConversationId) -> (SyncPosition, Option<SyncCursor>) {
        let key = id.clone();
        let stored = self.repository.view(move |rows| {
            let row = rows.conversation(&key)?;
            Ok((
                row.map(|row| row.sync).unwrap_or_default(),
                gaps::newest(rows, &key)?,
            ))
        });
        stored.await.unwrap_or_default()
    }

    fn status(&self, id: &ConversationId) -> ConnectionStatus {
        let Some(lane) = self.lanes.get(id) else {
            return ConnectionStatus::default();
        };
        self.public_status(lane.connection.status())
    }

    fn public_status(&self, status: &crate::engine::connection::Status) -> ConnectionStatus {
        let (now, wall) = (self.platform.tick(), self.platform.wall());
        ConnectionStatus {
            state: status.state,
            transport: status.transport,
            retry_at: status.retry_at.map(|at| wall + at.since(now)),
            reason: status
                .reason
                .clone()
                .filter(|_| status.state != ConnectionState::Idle),
        }
    }
}

/// Sleeps, for ever where there is no deadline.
async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

fn outbox_policy(config: &Config, service: &dyn ChatService) -> OutboxPolicy {
    let capabilities = service.capabilities();
    OutboxPolicy {
        attempt_timeout: config.send_attempt_timeout,
        resend: BackoffPolicy {
            base: config.send_base,
            max: config.send_max,
        },
        max_attempts: config.send_max_attempts,
        grace: config.reconcile_grace,
        // Two reads and the grace between them, with room for one read that fails.
        direct_patience: config.reconcile_grace + config.send_attempt_timeout,
        idempotent: capabilities.idempotent_send,
        idempotent_create: capabilities.idempotent_create,
        auto_resend: capabilities.auto_resend,
    }
}

/// Answers a request; an asker that is gone does not matter.
fn answer<T>(reply: Reply<T>, result: Result<T, ChatError>) {
    let _ = reply.send(result);
}
