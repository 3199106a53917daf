//! `delete`: deletes a conversation on the server, then here.

use crate::{
    context::{Context, conversation_id},
    failure::Failure,
    output::records::{Record, ResultRecord},
    setup::Access,
};

/// Deletes.
pub(crate) async fn run(context: &Context, id: &str) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    client.delete_conversation(conversation_id(id)?).await?;
    context.out.print(&Record::Result(ResultRecord {
        cmd: "delete".to_owned(),
        ok: true,
        conversation: Some(id.to_owned()),
        id: None,
        code: None,
    }));
    Ok(())
}
