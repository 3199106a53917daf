//! `storage`, `vacuum`, `wipe`: the store's file as a whole. No server is asked.

use crate::{
    context::Context,
    failure::Failure,
    output::records::{Record, StorageRecord},
    setup,
};

/// Prints how large the store is and what is in it.
pub(crate) async fn run(context: &Context) -> Result<(), Failure> {
    let store = setup::sqlite(&context.global).await?;
    let told = store.statistics().await;
    setup::close(&store).await;
    print(context, &told?);
    Ok(())
}

/// Gives free space back, and prints what is left.
pub(crate) async fn vacuum(context: &Context) -> Result<(), Failure> {
    let store = setup::sqlite(&context.global).await?;
    let done = match store.vacuum().await {
        Ok(()) => store.statistics().await,
        Err(error) => Err(error),
    };
    setup::close(&store).await;
    print(context, &done?);
    Ok(())
}

/// Leaves nothing of the store; unsent messages go with it, so it has to be asked for twice. No key
/// is needed: it is the way out where the key is gone.
pub(crate) async fn wipe(context: &Context, sure: bool) -> Result<(), Failure> {
    if !sure {
        let text = "this removes everything stored, unsent messages too: say --yes";
        return Err(Failure::usage(text).field("yes"));
    }
    setup::erase(&context.global).await?;
    print(
        context,
        &tidings::adapters::sqlite::StorageStatistics::default(),
    );
    Ok(())
}

fn print(context: &Context, told: &tidings::adapters::sqlite::StorageStatistics) {
    context.out.print(&Record::Storage(StorageRecord {
        bytes: told.bytes,
        free_bytes: told.free_bytes,
        conversations: told.conversations,
        messages: told.messages,
        unsent: told.unsent,
        drafts: told.drafts,
        journal: told.journal,
        gaps: told.gaps,
    }));
}
