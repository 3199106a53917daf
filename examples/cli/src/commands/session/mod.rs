//! `session`: one client for a whole script, JSON commands in, events out.
//!
//! Commands run one after the other; only `background` and a direct `send` go on beside the next
//! ones. Whatever happens meanwhile is printed as it happens.

mod perform;
mod request;

use std::{collections::BTreeMap, future::Future, pin::Pin};

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::Value;
use tidings::{
    ChatClient, ConversationHandle,
    domain::{
        ids::{ClientMessageId, ConversationId},
        outbox::SendMode,
    },
};

use self::request::Request;
use crate::{
    context::Context,
    failure::Failure,
    feed::{self, Feed, Told},
    input::{self, Line},
    output::records::{Record, ResultRecord},
    setup::Access,
};

/// What a command ended with.
#[derive(Default)]
struct Done {
    lines: Vec<Record>,
    conversation: Option<ConversationId>,
    message: Option<ClientMessageId>,
    /// Show this conversation now.
    show: Option<ConversationId>,
    /// Then send this to it.
    first: Option<String>,
}

type Outcome = Result<Done, Failure>;

/// A command under way.
type Job<'a> = Pin<Box<dyn Future<Output = (Request, Outcome)> + Send + 'a>>;

/// Runs the script to its end.
pub(crate) async fn run(context: &Context) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let mut session = Session {
        context,
        client,
        feed: Feed::start(client).await?,
        open: BTreeMap::new(),
        shown: None,
        current: None,
        beside: FuturesUnordered::new(),
    };
    let mut lines = input::lines();
    loop {
        let busy = session.current.is_some();
        tokio::select! {
            biased;
            told = session.feed.next() => session.hear(&told).await,
            (request, outcome) = ended(&mut session.current) => session.finish(&request, outcome).await,
            Some((request, outcome)) = session.beside.next() => session.finish(&request, outcome).await,
            line = lines.recv(), if !busy => match line {
                Some(line) => if session.read(line).await? {
                    return Ok(());
                },
                None => return Ok(()),
            },
        }
    }
}

/// The state of a session.
struct Session<'a> {
    context: &'a Context,
    client: &'a ChatClient,
    feed: Feed,
    open: BTreeMap<ConversationId, ConversationHandle>,
    shown: Option<ConversationId>,
    current: Option<Job<'a>>,
    beside: FuturesUnordered<Job<'a>>,
}

impl<'a> Session<'a> {
    /// Prints what was told.
    async fn hear(&self, told: &Told) {
        for record in feed::lines(self.context, self.client, &self.feed, told).await {
            self.context.out.print(&record);
        }
    }

    /// Starts what a line asks for; whether it asks to quit.
    async fn read(&mut self, line: Line) -> Result<bool, Failure> {
        let text = match line {
            Line::Text(text) if text.trim().is_empty() => return Ok(false),
            Line::Text(text) => text,
            Line::NotText => return Ok(self.refuse(&request::bad("the line is not UTF-8"), None)),
            Line::TooLong => return Ok(self.refuse(&request::bad("the line is too long"), None)),
        };
        match Request::parse(&text) {
            Err((failure, reference)) => Ok(self.refuse(&failure, reference.as_ref())),
            Ok(request) if request.verb == "quit" => {
                self.finish(&request, Ok(Done::default())).await;
                Ok(true)
            }
            Ok(request) => {
                self.perform(request).await;
                Ok(false)
            }
        }
    }

    fn refuse(&self, failure: &Failure, reference: Option<&Value>) -> bool {
        self.context.out.fail(failure, reference);
        false
    }

    /// Prints how a command ended.
    async fn finish(&mut self, request: &Request, outcome: Outcome) {
        let outcome = match outcome {
            Ok(done) => self.follow_up(done, request.reference.as_ref()).await,
            Err(failure) => Err(failure),
        };
        let reference = request.reference.as_ref();
        let mut result = ResultRecord {
            cmd: request.verb.clone(),
            ok: outcome.is_ok(),
            conversation: None,
            id: None,
            code: None,
        };
        match outcome {
            Ok(done) => {
                result.conversation = done.conversation.map(|id| id.to_string());
                result.id = done.message.map(|id| id.to_string());
            }
            Err(failure) => {
                self.context.out.fail(&failure, reference);
                result.code = Some(failure.code);
            }
        }
        self.context.out.answer(&Record::Result(result), reference);
    }

    /// Prints a command's lines, shows its conversation, and sends what it has to be told first.
    async fn follow_up(&mut self, mut done: Done, reference: Option<&Value>) -> Outcome {
        for record in std::mem::take(&mut done.lines) {
            self.context.out.answer(&record, reference);
        }
        let Some(id) = done.show.clone() else {
            return Ok(done);
        };
        self.show(&id, false);
        if let Some(text) = done.first.take() {
            let row = self.client.send(id, text, SendMode::Durable).await?;
            let record = Record::Accepted((&row).into());
            self.context.out.answer(&record, reference);
            done.message = Some(row.id);
        }
        Ok(done)
    }

    /// Opens a conversation and leaves the others, unless they are to be kept.
    fn show(&mut self, id: &ConversationId, keep: bool) {
        if !keep {
            let left: Vec<_> = self
                .open
                .keys()
                .filter(|other| *other != id)
                .cloned()
                .collect();
            for other in left {
                self.leave(&other);
            }
        }
        self.hold(id);
        self.shown = Some(id.clone());
    }

    /// Opens a conversation beside the others.
    fn hold(&mut self, id: &ConversationId) {
        if !self.open.contains_key(id) {
            self.feed.show(self.client, id);
            self.open.insert(id.clone(), self.client.open(id.clone()));
        }
    }

    fn leave(&mut self, id: &ConversationId) {
        self.feed.hide(id);
        self.open.remove(id);
        if self.shown.as_ref() == Some(id) {
            self.shown = None;
        }
    }
}

/// The end of the command under way; waits for ever where there is none.
async fn ended(slot: &mut Option<Job<'_>>) -> (Request, Outcome) {
    let Some(job) = slot else {
        return std::future::pending().await;
    };
    let ended = job.await;
    *slot = None;
    ended
}
