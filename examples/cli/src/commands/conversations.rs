//! `conversations`: the list, newest activity first, archived ones included and marked.

use super::shared::EVERYTHING;
use crate::{context::Context, failure::Failure, output::records::Record, setup::Access};

/// Lists what is stored, after asking the server where told to.
pub(crate) async fn run(context: &Context, refresh: bool) -> Result<(), Failure> {
    let access = match refresh {
        true => Access::Network,
        false => Access::Store,
    };
    let client = context.client(access).await?;
    if refresh {
        client.refresh_conversations().await?;
    }
    for row in client.conversations(EVERYTHING).await? {
        context.out.print(&Record::Conversation((&row).into()));
    }
    Ok(())
}
