//! `delete-message`: deletes a sent message where the backend can, and an unsent one anywhere.

use super::shared;
use crate::{
    context::{Context, message_id},
    failure::Failure,
    output::records::{MessageRecord, Record},
    setup::Access,
};

/// Deletes, and prints what is left of it.
pub(crate) async fn run(context: &Context, id: &str) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let row = client.delete_message(message_id(id)?).await?;
    let position = shared::position(client, &row).await?;
    context
        .out
        .print(&Record::Message(MessageRecord::new(position, &row)));
    Ok(())
}
