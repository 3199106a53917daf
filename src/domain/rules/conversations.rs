//! Conversations: merging the server's word, and the local overlay.

use crate::domain::{
    conversation::{Conversation, ServerConversation},
    ids::{ClientMessageId, ConversationId},
    message::ServerMessage,
    ports::{RepositoryError, Rows, chat_repository::RowResult},
    rules::{
        binding,
        editor::Editor,
        merge::{self, Merge, Merged, Placement},
    },
    time::WallTime,
};

/// Merges what the server says, creating what is new here. What is new, and just what a creation
/// of unknown outcome was to be, is that creation's.
///
/// # Errors
/// The store's.
pub fn upsert(
    rows: &mut dyn Rows,
    said: ServerConversation,
    now: WallTime,
) -> RowResult<Conversation> {
    if said.id.is_local() {
        let text = "a server gave an id that is none of a server's";
        return Err(RepositoryError::Internal(text.to_owned()));
    }
    let known = rows.conversation(&said.id)?;
    if known.is_none()
        && let Some(creation) = binding::awaiting(rows, &said)?
    {
        return binding::bind(rows, &creation, said, now);
    }
    let merged = match known {
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

/// Stores what came along with a new conversation: a greeting, perhaps.
///
/// # Errors
/// The store's.
pub fn greet(
    rows: &mut dyn Rows,
    id: &ConversationId,
    messages: &[ServerMessage],
    now: WallTime,
    mint: &mut dyn FnMut() -> ClientMessageId,
) -> RowResult<(Conversation, Merged)> {
    let mut editor = Editor::open(rows, id)?;
    let request = Merge {
        proof: None,
        page: messages,
        placement: Placement::Live,
        now,
    };
    let merged = merge::merge(&mut editor, request, mint)?;
    Ok((editor.finish()?, merged))
}

/// The id under which a conversation is stored: a local one leads to the server's once it is
/// bound.
///
/// # Errors
/// The store's.
pub fn resolve(rows: &mut dyn Rows, id: &ConversationId) -> RowResult<ConversationId> {
    if !id.is_local() {
        return Ok(id.clone());
    }
    Ok(binding::bound(rows, id)?.unwrap_or_else(|| id.clone()))
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
    let id = resolve(rows, id)?;
    let Some(mut stored) = rows.conversation(&id)? else {
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

const TOMBSTONES: &str = "deleted/";

fn tombstone(id: &ConversationId) -> String {
    format!("{TOMBSTONES}{id}")
}

/// Whether a setting says that a conversation was deleted.
pub(super) fn is_tombstone(setting: &str) -> bool {
    setting.starts_with(TOMBSTONES)
}
