//! `history`: a page of a conversation, oldest first, from the store.

use tidings::usecases::read_history::PageCursor;

use super::audit;
use crate::{
    args::HistoryArgs,
    context::{Context, conversation_id},
    failure::Failure,
    output::records::{MessageRecord, Record},
    setup::Access,
};

/// Prints the page, after synchronising where told to.
pub(crate) async fn run(context: &Context, args: HistoryArgs) -> Result<(), Failure> {
    let id = conversation_id(&args.conversation)?;
    if args.audit {
        return audit::run(context, &id, &args).await;
    }
    let before = args.before.as_deref().map(cursor).transpose()?;
    let access = match args.refresh {
        true => Access::Network,
        false => Access::Store,
    };
    let client = context.client(access).await?;
    if args.refresh {
        client.synchronise(id.clone()).await?;
    }
    let view = client
        .history(id, before, args.limit as usize, args.include_deleted)
        .await?;
    let mut older = view.older.map(|cursor| cursor.encode());
    for (position, row) in &view.messages {
        let record = MessageRecord {
            cursor: older.take(),
            ..MessageRecord::new(Some(*position), row)
        };
        context.out.print(&Record::Message(record));
    }
    Ok(())
}

/// Reads a cursor that an earlier page gave.
pub(crate) fn cursor(text: &str) -> Result<PageCursor, Failure> {
    let unreadable = || {
        let text = "this is no cursor: take the `cursor` of an earlier page's first message";
        Failure::usage(text).field("before")
    };
    PageCursor::decode(text).ok_or_else(unreadable)
}
