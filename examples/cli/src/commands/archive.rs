//! `archive`: hides a conversation from the ordinary list, on this device.

use crate::{
    context::{Context, conversation_id},
    failure::Failure,
    output::records::Record,
    setup::Access,
};

/// Archives, or shows again.
pub(crate) async fn run(context: &Context, id: &str, archived: bool) -> Result<(), Failure> {
    let client = context.client(Access::Store).await?;
    let row = client.archive(conversation_id(id)?, archived).await?;
    context.out.print(&Record::Conversation((&row).into()));
    Ok(())
}
