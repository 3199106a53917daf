//! A conversation begun on this device gets the server's id, once and for all.
//!
//! What belongs to it moves to the conversation of that id in the same transaction in which the
//! creation leaves the outbox and the local id becomes another name: a kill leaves all of it or
//! nothing, and a second answer to the same creation finds it bound.

use crate::domain::{
    conversation::{Context, Conversation, NewConversation, ServerConversation},
    delivery::{DeliveryEvent, DeliveryState},
    ids::ConversationId,
    outbox::{Action, OutboxEntry},
    plant::planted,
    ports::{Rows, chat_repository::RowResult},
    rules::{
        editor::{Editor, Note},
        settle,
    },
    time::WallTime,
};

/// What the server calls a conversation that was begun here; `None` while it has no name there.
///
/// # Errors
/// The store's.
pub fn bound(rows: &mut dyn Rows, local: &ConversationId) -> RowResult<Option<ConversationId>> {
    let name = rows.setting(&name_of(local))?;
    Ok(name.as_deref().and_then(ConversationId::parse))
}

fn name_of(local: &ConversationId) -> String {
    format!("bound/{local}")
}

/// The oldest creation of unknown outcome that this conversation, new here, can have come of.
///
/// What the server had before was listed, and stored, before the creation left. One that left under
/// a key of its own is not looked for: asked again, the server itself says which one it is, and
/// another creation may have asked for just the same.
///
/// # Errors
/// The store's.
pub fn awaiting(rows: &mut dyn Rows, said: &ServerConversation) -> RowResult<Option<OutboxEntry>> {
    let mut creations = rows.outbox_creations()?;
    creations.retain(|entry| {
        entry.wire_id.is_none() && wanted(entry).is_some_and(|new| fits(new, said))
    });
    for entry in creations {
        if is_unclear(rows, &entry)? {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// Whether it may be on the server. One that was found absent may have come later than that: it
/// waits for its next attempt, and for the listing before that.
fn is_unclear(rows: &mut dyn Rows, entry: &OutboxEntry) -> RowResult<bool> {
    Ok(match entry.state {
        DeliveryState::Sending | DeliveryState::Uncertain => true,
        DeliveryState::Queued if entry.attempt > 0 => {
            let told = rows.journal_of(entry.id)?;
            told.iter()
                .any(|told| told.state == DeliveryState::Uncertain)
        }
        _ => false,
    })
}

/// The creation of a conversation begun here, where it failed.
pub(super) fn failed(
    rows: &mut dyn Rows,
    conversation: &ConversationId,
) -> RowResult<Option<OutboxEntry>> {
    if !conversation.is_local() {
        return Ok(None);
    }
    let of_it = |entry: &OutboxEntry| entry.conversation == *conversation;
    let mut creations = rows.outbox_creations()?.into_iter();
    Ok(creations.find(|entry| of_it(entry) && entry.state == DeliveryState::Failed))
}

/// What an entry is to create.
#[must_use]
pub const fn wanted(entry: &OutboxEntry) -> Option<&NewConversation> {
    match &entry.action {
        Action::Create(new) => Some(new),
        _ => None,
    }
}

fn fits(new: &NewConversation, said: &ServerConversation) -> bool {
    let folded = |context: &Context| {
        let id = context.id.as_deref().map(str::to_ascii_lowercase);
        (context.kind.clone(), id)
    };
    let (asked, there) = (new.context.as_ref(), said.context.as_ref());
    // A further field of the backend's own may have become the context.
    let open = asked.is_none() && !new.attributes.is_empty();
    let persona = new.persona.is_none() || new.persona == said.persona;
    persona && (open || asked.map(folded) == there.map(folded))
}

/// Binds a creation to the server's conversation.
///
/// # Errors
/// The store's.
pub fn bind(
    rows: &mut dyn Rows,
    creation: &OutboxEntry,
    said: ServerConversation,
    now: WallTime,
) -> RowResult<Conversation> {
    let (local, id) = (creation.conversation.clone(), said.id.clone());
    let begun = rows.conversation(&local)?;
    let mut stored = match rows.conversation(&id)? {
        Some(mut stored) => {
            stored.merge(said);
            stored
        }
        None => Conversation::new(said),
    };
    if let Some(begun) = &begun {
        take_over(&mut stored, begun);
    }
    rows.put_conversation(&stored)?;
    if !planted("begun-without-words") {
        rows.move_rows(&local, &id)?;
    }
    rows.remove_conversation(&local)?;
    rows.remove_outbox(creation.id)?;
    rows.put_setting(&name_of(&local), id.as_str())?;
    let mut editor = Editor::open(rows, &id)?;
    let mut done = creation.clone();
    done.state = done.state.after(DeliveryEvent::FoundOnServer)?;
    editor.journal_action(&done, Note::at(now))?;
    editor.recount();
    editor.finish()
}

/// What the user set on the conversation begun here holds for the one it became.
fn take_over(stored: &mut Conversation, begun: &Conversation) {
    stored.title = begun.title.clone().or_else(|| stored.title.take());
    stored.archived |= begun.archived;
    stored.completing |= begun.completing;
    stored.stored += begun.stored;
    stored.unread += begun.unread;
    stored.activity_at = stored.activity_at.max(begun.activity_at);
    let draft = begun.draft.as_ref();
    if let Some(text) = draft.filter(|_| !planted("begun-without-draft")) {
        settle::keep_as_draft(stored, text);
    }
}
