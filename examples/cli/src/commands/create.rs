//! `create`: creates a conversation, or returns the one that exists.

use tidings::domain::{conversation::Context as Entity, ports::NewConversation};

use super::send;
use crate::{
    args::{CreateArgs, Mode, Wait},
    context::Context,
    failure::Failure,
    output::records::{ConversationRecord, Record},
    setup::Access,
};

/// How long the first message may take.
const FIRST: std::time::Duration = std::time::Duration::from_secs(60);

/// Creates, prints it, and sends the first message where one is given.
pub(crate) async fn run(context: &Context, args: CreateArgs) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let new = wanted(Some(args.persona), args.context_type, args.context_id);
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
