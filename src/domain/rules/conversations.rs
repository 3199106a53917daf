//! Conversations: merging the server's word, and the local overlay.

use crate::domain::{
    conversation::{Conversation, ServerConversation},
    ids::ConversationId,
    ports::{Rows, chat_repository::RowResult},
};

/// Merges what the server says, creating what is new here.
///
/// # Errors
/// The store's.
pub fn upsert(rows: &mut dyn Rows, said: ServerConversation) -> RowResult<Conversation> {
    let merged = match rows.conversation(&said.id)? {
        Some(mut stored) => {
            let before = stored.clone();
            stored.merge(said);
            if (Conversation {
                version: before.version,
                ..stored.clone()
            }) == before
            {
                return Ok(before);
            }
            stored
        }
        None => Conversation::new(said),
    };
    rows.put_conversation(&merged)?;
    Ok(merged)
}

/// Changes the local overlay; `None` where there is no such conversation.
///
/// # Errors
/// The store's.
pub fn overlay(
    rows: &mut dyn Rows,
    id: &ConversationId,
    change: impl FnOnce(&mut Conversation),
) -> RowResult<Option<Conversation>> {
    let Some(mut stored) = rows.conversation(id)? else {
        return Ok(None);
    };
    change(&mut stored);
    stored.version += 1;
    rows.put_conversation(&stored)?;
    Ok(Some(stored))
}

/// Removes a conversation for good: what was asked of the server before, and is answered after
/// it, brings nothing back.
///
/// # Errors
/// The store's.
pub fn bury(rows: &mut dyn Rows, id: &ConversationId) -> RowResult<()> {
    rows.put_setting(&tombstone(id), "deleted")?;
    rows.remove_conversation(id)
}

/// Whether this device deleted the conversation.
///
/// # Errors
/// The store's.
pub fn is_buried(rows: &mut dyn Rows, id: &ConversationId) -> RowResult<bool> {
    Ok(rows
        .setting(&tombstone(id))?
        .is_some_and(|mark| !mark.is_empty()))
}

/// Takes the tombstone away: the server was asked for it anew.
///
/// # Errors
/// The store's.
pub fn unbury(rows: &mut dyn Rows, id: &ConversationId) -> RowResult<()> {
    if is_buried(rows, id)? {
        rows.put_setting(&tombstone(id), "")?;
    }
    Ok(())
}

fn tombstone(id: &ConversationId) -> String {
    format!("deleted/{id}")
}
