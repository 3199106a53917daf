//! `draft`: keeps unsent input with its conversation.

use crate::{
    context::{Context, conversation_id},
    failure::Failure,
    output::records::Record,
    setup::Access,
};

/// Keeps the text, or forgets what was kept.
pub(crate) async fn run(context: &Context, id: &str, text: Option<String>) -> Result<(), Failure> {
    let client = context.client(Access::Store).await?;
    let row = client.save_draft(conversation_id(id)?, text).await?;
    context.out.print(&Record::Conversation((&row).into()));
    Ok(())
}
