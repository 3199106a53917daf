//! `send`: one or more messages, in order, and what becomes of them.

mod replies;
mod texts;
mod waiting;

use std::{future::Future, pin::Pin, time::Duration};

use tidings::{
    ChatClient, SendMessageError,
    domain::{
        conversation::{Context as Entity, Conversation},
        ids::{ClientMessageId, ConversationId},
        message::Message,
        outbox::SendMode,
    },
};

pub(crate) use self::texts::Texts;
use self::{texts::Next, waiting::Waiting};
use super::{create, shared};
use crate::{
    args::{Mode, SendArgs, Wait},
    context::{Context, conversation_id},
    failure::{Exit, Failure},
    feed::{Feed, Told},
    output::records::{MessageRecord, Record},
    setup::Access,
};

/// How to send, and until when to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    /// What is promised.
    pub(crate) mode: Mode,
    /// Until when to wait.
    pub(crate) wait: Wait,
    /// How long to wait.
    pub(crate) timeout: Duration,
}

/// Sends.
pub(crate) async fn run(context: &Context, args: SendArgs) -> Result<(), Failure> {
    let mut words = args.words;
    let job = Job {
        mode: args.mode,
        wait: args.wait,
        timeout: args.timeout,
    };
    let Some(kind) = args.context_type else {
        let id = conversation_id(&words.remove(0))?;
        let texts = Texts::checked(words)?;
        let client = context.client(Access::Network).await?;
        return deliver(context, client, &id, texts, job).await;
    };
    let texts = Texts::checked(words)?;
    let client = context.client(Access::Network).await?;
    let entity = Entity {
        kind,
        id: args.context_id,
    };
    let find = find_or_create(client, entity, args.persona);
    let found = tokio::time::timeout(job.timeout, find).await;
    let id = found.map_err(|_| Failure::timed_out("no conversation was found in time"))??;
    deliver(context, client, &id, texts, job).await
}

/// The conversation bound to an entity: the stored one, the server's, or a new one.
async fn find_or_create(
    client: &ChatClient,
    entity: Entity,
    persona: Option<String>,
) -> Result<ConversationId, Failure> {
    if let Some(id) = stored(client, &entity).await? {
        return Ok(id);
    }
    client.refresh_conversations().await?;
    if let Some(id) = stored(client, &entity).await? {
        return Ok(id);
    }
    let new = create::wanted(persona, Some(entity.kind), entity.id);
    Ok(client.create_conversation(new).await?.conversation.id)
}

async fn stored(client: &ChatClient, entity: &Entity) -> Result<Option<ConversationId>, Failure> {
    let rows = client.conversations(shared::EVERYTHING).await?;
    let bound = |row: &&Conversation| {
        row.server.context.as_ref() == Some(entity) && row.is_writable() && !row.archived
    };
    Ok(rows.iter().find(bound).map(|row| row.id.clone()))
}

/// Sends all texts and waits for them as the job says.
pub(crate) async fn deliver(
    context: &Context,
    client: &ChatClient,
    id: &ConversationId,
    texts: Texts,
    job: Job,
) -> Result<(), Failure> {
    let feed = Feed::start(client).await?;
    let mut run = Run::new(context, client, id, feed, job);
    run.texts = texts;
    run.play_out().await
}

/// Waits for a message that is queued already.
pub(crate) async fn follow(
    context: &Context,
    client: &ChatClient,
    feed: Feed,
    row: Message,
    job: Job,
) -> Result<(), Failure> {
    let mut run = Run::new(context, client, &row.conversation, feed, job);
    run.waiting.expect(row.id);
    run.play_out().await
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<Message, SendMessageError>> + Send + 'a>>;

/// One run of `send`.
struct Run<'a> {
    context: &'a Context,
    client: &'a ChatClient,
    id: &'a ConversationId,
    job: Job,
    texts: Texts,
    feed: Feed,
    waiting: Waiting,
    /// A direct send under way.
    direct: Option<(ClientMessageId, Sending<'a>)>,
    /// Keeps the conversation connected while a reply is awaited.
    _open: Option<tidings::ConversationHandle>,
}

impl<'a> Run<'a> {
    fn new(
        context: &'a Context,
        client: &'a ChatClient,
        id: &'a ConversationId,
        mut feed: Feed,
        job: Job,
    ) -> Self {
        let open = (job.wait == Wait::Reply).then(|| {
            feed.show(client, id);
            client.open(id.clone())
        });
        Self {
            context,
            client,
            id,
            job,
            texts: Texts::none(),
            feed,
            waiting: Waiting::new(id.clone(), job.wait, job.mode),
            direct: None,
            _open: open,
        }
    }

    async fn play_out(&mut self) -> Result<(), Failure> {
        let deadline = tokio::time::sleep(self.job.timeout);
        tokio::pin!(deadline);
        loop {
            let nothing_to_send = self.texts.ended() && self.direct.is_none();
            if nothing_to_send && self.waiting.is_over(self.feed.rows(self.id)) {
                return self.finish().await;
            }
            tokio::select! {
                biased;
                told = self.feed.next() => self.hear(told)?,
                (id, sent) = ended(&mut self.direct) => self.direct_ended(id, sent).await,
                next = self.texts.next(), if self.direct.is_none() => match next {
                    Next::Text(text) => self.send(text).await?,
                    Next::Unusable(failure) => self.refuse(&failure),
                    Next::Ended => {}
                },
                () = &mut deadline => return Err(self.out_of_time()),
            }
        }
    }

    /// Puts one text on its way. A durable one is on disk when its line is printed.
    async fn send(&mut self, text: String) -> Result<(), Failure> {
        let key = self.client.mint_message_id();
        let mode = match self.job.mode {
            Mode::Durable => SendMode::Durable,
            Mode::Direct => SendMode::Direct,
        };
        let sending = self.client.send_with_id(key, self.id.clone(), text, mode);
        if mode == SendMode::Direct {
            self.waiting.expect(key);
            self.direct = Some((key, Box::pin(sending)));
            return Ok(());
        }
        match sending.await {
            Ok(row) => {
                self.context.out.print(&Record::Accepted((&row).into()));
                self.waiting.expect(row.id);
            }
            Err(error) => {
                let failure = Failure::from(error);
                if failure.exit != Exit::Rejected {
                    return Err(failure);
                }
                self.refuse(&failure);
            }
        }
        Ok(())
    }

    /// Says how a direct send ended. What the journal says of it is still printed to its end.
    async fn direct_ended(&mut self, id: ClientMessageId, sent: Result<Message, SendMessageError>) {
        let Err(error) = sent else { return };
        let story = self.client.explain(id).await;
        let last = story.ok().and_then(|story| story.journal.last().cloned());
        if last.is_none_or(|entry| entry.state.is_pending()) {
            self.waiting.forget(id);
        }
        self.refuse(&Failure::from(error));
    }

    /// Prints why a text was not taken; the others go on.
    fn refuse(&mut self, failure: &Failure) {
        self.context.out.fail(failure, None);
        self.waiting.fail(Failure::silent(failure.exit));
    }

    fn hear(&mut self, told: Told) -> Result<(), Failure> {
        for record in self.waiting.hear(told, self.context.now())? {
            self.context.out.print(&record);
        }
        Ok(())
    }

    fn out_of_time(&self) -> Failure {
        let text = match (self.job.mode, self.job.wait) {
            (Mode::Direct, _) => "the time is up: the history will tell whether it was sent",
            (_, Wait::Reply) => "the time is up before the reply was here; nothing is lost",
            _ => "the time is up: what was not sent stays queued",
        };
        Failure::timed_out(text)
    }

    /// Prints the stored answers, then says how it went.
    async fn finish(&mut self) -> Result<(), Failure> {
        if self.job.wait == Wait::Reply {
            let answers = self.waiting.answers(self.feed.rows(self.id));
            let places = shared::positions(self.client, &answers).await?;
            for row in &answers {
                let record = MessageRecord::new(places.get(&row.id).copied(), row);
                self.context.out.print(&Record::Message(record));
            }
        }
        self.waiting.verdict()
    }
}

/// The end of the direct send under way; waits for ever where there is none.
async fn ended(
    slot: &mut Option<(ClientMessageId, Sending<'_>)>,
) -> (ClientMessageId, Result<Message, SendMessageError>) {
    let Some((id, sending)) = slot else {
        return std::future::pending().await;
    };
    let (id, sent) = (*id, sending.await);
    *slot = None;
    (id, sent)
}
