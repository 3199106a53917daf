//! The own read marker: forward only; the unread count follows from it.

use crate::domain::{
    conversation::Conversation,
    ids::{ConversationId, MessageId},
    message::Message,
    ports::{Rows, chat_repository::RowResult},
    rules::editor::Editor,
};

/// Marks everything stored up to `up_to` (all, where `None`) as read.
///
/// Returns the newest server id now read, where the marker moved.
///
/// # Errors
/// The store's.
pub fn mark_read(
    rows: &mut dyn Rows,
    id: &ConversationId,
    up_to: Option<&MessageId>,
) -> RowResult<(Conversation, Option<MessageId>)> {
    let mut editor = Editor::open(rows, id)?;
    let id = &editor.conversation().id.clone();
    let limit = match up_to {
        Some(server) => editor
            .rows()
            .message_by_server_id(id, server)?
            .map(|row| row.key),
        None => Some(crate::domain::order::SortKey::from_i64(i64::MAX)),
    };
    let Some(limit) = limit else {
        return Ok((editor.finish()?, None));
    };
    let waiting = editor.rows().unread_up_to(id, limit)?;
    let reached = waiting.iter().rev().find_map(|row| row.server_id.clone());
    for row in &waiting {
        editor.update(
            row,
            Message {
                unread: false,
                ..row.clone()
            },
        )?;
    }
    if let Some(last) = waiting.last() {
        let marker = &mut editor.conversation_mut().read_to;
        *marker = (*marker).max(Some(last.key));
    }
    Ok((editor.finish()?, reached))
}
