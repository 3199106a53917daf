//! `complete`: tells the server that a conversation is done.

use crate::{
    context::{Context, conversation_id},
    failure::Failure,
    output::records::Record,
    setup::Access,
};

/// Completes.
pub(crate) async fn run(context: &Context, id: &str) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let row = client.complete(conversation_id(id)?).await?;
    context.out.print(&Record::Conversation((&row).into()));
    Ok(())
}
