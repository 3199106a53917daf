//! `create`: creates a conversation, or returns the one that exists.

use std::time::Duration;

use tidings::domain::{conversation::Context as Entity, outbox::SendMode, ports::NewConversation};

use super::{actions, send};
use crate::{
    args::{CreateArgs, Mode, Wait},
    context::Context,
    failure::Failure,
    feed::Feed,
    output::records::{ConversationRecord, Record},
    setup::Access,
};

/// How long the first message may take.
const FIRST: Duration = Duration::from_secs(60);

/// Creates, prints it, and sends the first message where one is given.
pub(crate) async fn run(context: &Context, args: CreateArgs) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let new = wanted(args.persona, args.context_type, args.context_id);
    if args.queue {
        return queued(context, new, args.first, args.timeout).await;
    }
    let created = client.create_conversation(new).await?;
    let record = ConversationRecord {
        existed: Some(created.existed),
        ..(&created.conversation).into()
    };
    context.out.print(&Record::Conversation(record));
    match args.first {
        None => Ok(()),
        Some(text) => {
            let job = send::Job {
                mode: Mode::Durable,
                wait: Wait::Sent,
                timeout: FIRST,
            };
            let texts = send::Texts::given(vec![text]);
            send::deliver(context, client, &created.conversation.id, texts, job).await
        }
    }
}

/// Accepts the conversation, and its first message, and waits for the server.
async fn queued(
    context: &Context,
    new: NewConversation,
    first: Option<String>,
    timeout: Duration,
) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let feed = Feed::start(client).await?;
    let begun = client.begin_conversation(new).await?;
    context.out.print(&Record::Conversation((&begun).into()));
    let mut awaited = None;
    if let Some(text) = first {
        let sent = client
            .send(begun.id.clone(), text, SendMode::Durable)
            .await?;
        context.out.print(&Record::Accepted((&sent).into()));
        awaited = Some(sent.id);
    }
    let waiting = client.outbox().await?;
    let ours = waiting.iter().find(|entry| entry.conversation == begun.id);
    let Some(last) = awaited.or_else(|| ours.map(|entry| entry.id)) else {
        return Ok(());
    };
    actions::follow(context, client, feed, last, timeout).await?;
    if let Some(row) = client.conversation(&begun.id).await? {
        context.out.print(&Record::Conversation((&row).into()));
    }
    Ok(())
}

/// What the options ask for.
pub(crate) fn wanted(
    persona: Option<String>,
    kind: Option<String>,
    id: Option<String>,
) -> NewConversation {
    NewConversation {
        persona,
        context: kind.map(|kind| Entity { kind, id }),
        ..NewConversation::default()
    }
}
