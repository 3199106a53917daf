//! What several commands need.

use std::collections::BTreeMap;

use tidings::{
    ChatClient,
    domain::{
        ids::{ClientMessageId, ConversationId},
        message::Message,
        ports::chat_repository::ConversationFilter,
    },
};

use crate::{context::Context, failure::Failure, output::records::Record};

/// Every stored conversation.
pub(crate) const EVERYTHING: ConversationFilter = ConversationFilter {
    include_archived: true,
    limit: 0,
};

/// Messages in a look for places.
const PAGE: usize = 500;

/// Prints the newest thing that happened to a message.
pub(crate) async fn print_last_delivery(
    context: &Context,
    client: &ChatClient,
    id: ClientMessageId,
) -> Result<(), Failure> {
    if let Some(entry) = client.explain(id).await?.journal.last() {
        context.out.print(&Record::Delivery(entry.into()));
    }
    Ok(())
}

/// A message's 0-based place in its conversation as stored.
pub(crate) async fn position(client: &ChatClient, row: &Message) -> Result<Option<u64>, Failure> {
    let places = positions(client, std::slice::from_ref(row)).await?;
    Ok(places.get(&row.id).copied())
}

/// The places of several messages: each conversation is walked once, newest page first, until all
/// of its messages are found.
pub(crate) async fn positions(
    client: &ChatClient,
    rows: &[Message],
) -> Result<BTreeMap<ClientMessageId, u64>, Failure> {
    let mut wanted: BTreeMap<&ConversationId, Vec<ClientMessageId>> = BTreeMap::new();
    for row in rows {
        wanted.entry(&row.conversation).or_default().push(row.id);
    }
    let mut found = BTreeMap::new();
    for (conversation, mut missing) in wanted {
        let mut before = None;
        while !missing.is_empty() {
            let page = client
                .history(conversation.clone(), before, PAGE, true)
                .await?;
            for (position, row) in &page.messages {
                if missing.contains(&row.id) {
                    found.insert(row.id, *position);
                }
            }
            missing.retain(|id| !found.contains_key(id));
            before = page.older;
            if before.is_none() {
                break;
            }
        }
    }
    Ok(found)
}
