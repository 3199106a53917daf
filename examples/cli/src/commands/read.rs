//! `read`: moves the read marker to the end.

use crate::{
    context::{Context, conversation_id},
    failure::Failure,
    output::records::Record,
    setup::Access,
};

/// Marks as read, and tells the server where one is named and can be told.
pub(crate) async fn run(context: &Context, id: &str) -> Result<(), Failure> {
    let id = conversation_id(id)?;
    let client = context.client(Access::Store).await?;
    if client.conversation(&id).await?.is_none() {
        let text = "there is no such conversation here".to_owned();
        return Err(tidings::ChatError::NotFound(text).into());
    }
    let row = client.mark_read(id).await?;
    context.out.print(&Record::Conversation((&row).into()));
    Ok(())
}
