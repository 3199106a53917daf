//! `history --audit`: what an auditor may read, straight from the server. Nothing of it is stored.

use tidings::{
    ChatError,
    adapters::socketio::{AuditRow, SocketIoService},
    domain::ids::{ConversationId, MessageId},
};

use crate::{
    args::{BackendKind, HistoryArgs},
    context::Context,
    failure::{Exit, Failure},
    output::records::{AuditRecord, Record},
    setup::{self, Settings},
};

/// Prints a page, oldest first.
pub(super) async fn run(
    context: &Context,
    id: &ConversationId,
    args: &HistoryArgs,
) -> Result<(), Failure> {
    if context.global.backend != BackendKind::Socketio {
        let text = "this backend has nothing for auditors: what was deleted is gone";
        return Err(Failure::new(Exit::Rejected, "unsupported", text).field("audit"));
    }
    let unreadable = || Failure::usage("this is no message's id").field("before");
    let before = args.before.as_deref();
    let before = before.map(|text| MessageId::parse(text).ok_or_else(unreadable));
    let (before, settings) = (before.transpose()?, Settings::read(&context.global)?);
    let service: SocketIoService = setup::gateway(&context.global, &settings, &context.platform)?;
    let page = service
        .audit(id, before.as_ref(), args.limit as usize)
        .await;
    let page = page.map_err(ChatError::from)?;
    let mut older = page.before.map(|id| id.to_string());
    for row in &page.messages {
        context
            .out
            .print(&Record::Audit(line(id, row, older.take())));
    }
    Ok(())
}

fn line(id: &ConversationId, row: &AuditRow, cursor: Option<String>) -> AuditRecord {
    let message = &row.message;
    let text_of = |time: Option<tidings::domain::time::WallTime>| time.map(|time| time.to_string());
    AuditRecord {
        server_id: message.id.to_string(),
        conversation: id.to_string(),
        at: text_of(message.created_at),
        role: message.role.as_str().to_owned(),
        sender: message.sender.as_ref().map(ToString::to_string),
        text: message.text.clone(),
        deleted: message.deleted,
        deleted_at: text_of(row.deleted_at),
        cursor,
    }
}
