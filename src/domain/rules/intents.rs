//! What the user does beside writing messages: shown at once, and queued where the server is to
//! know of it.

use crate::domain::{
    conversation::{Conversation, NewConversation, ServerConversation},
    delivery::DeliveryState,
    ids::{ClientMessageId, ConversationId},
    message::Message,
    outbox::{Action, OutboxEntry},
    ports::{Rows, chat_repository::RowResult},
    rules::{
        act::{RECENT, newest_question},
        changes,
        editor::Editor,
        queue::{Stamp, enqueue},
        reading,
    },
};

/// How a change of a message was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The message as it shows now, and the entry that holds the change, where one is needed.
    Taken(Message, Option<ClientMessageId>),
    /// The message is in a state in which this makes no sense; the state.
    Refused(DeliveryState),
    /// The backend cannot do this to a message that it has.
    Unsupported,
    /// There is no such message.
    Unknown,
}

/// Begins a conversation: it is here at once, under a local id.
///
/// # Errors
/// The store's.
pub fn begin(
    rows: &mut dyn Rows,
    mut new: NewConversation,
    stamp: Stamp,
) -> RowResult<Conversation> {
    let id = ConversationId::local(stamp.id);
    if let Some(stored) = rows.conversation(&id)? {
        return Ok(stored);
    }
    let mut begun = Conversation::new(ServerConversation {
        persona: new.persona.clone(),
        context: new.context.clone(),
        ..ServerConversation::bare(id.clone())
    });
    begun.activity_at = Some(stamp.now);
    rows.put_conversation(&begun)?;
    new.key = Some(stamp.id);
    let mut editor = Editor::open(rows, &id)?;
    enqueue(&mut editor, stamp, Action::Create(new), false)?;
    editor.finish()
}

/// Changes a message's text. One that has not left is rewritten; else the new text lies over the
/// server's until that has it.
///
/// # Errors
/// The store's.
pub fn edit(
    rows: &mut dyn Rows,
    message: ClientMessageId,
    text: String,
    server_can: bool,
    stamp: Stamp,
) -> RowResult<Change> {
    let Some(row) = rows.message(message)? else {
        return Ok(Change::Unknown);
    };
    if !row.own || row.deleted || row.state == DeliveryState::Cancelled {
        return Ok(Change::Refused(row.state));
    }
    let mut editor = Editor::open(rows, &row.conversation)?;
    if is_unsent(&row) {
        let after = changes::rewrite(&mut editor, &row, text)?;
        editor.finish()?;
        return Ok(Change::Taken(after, None));
    }
    if !server_can {
        return Ok(Change::Unsupported);
    }
    let beneath = changes::beneath(editor.rows(), &row)?;
    let action = Action::Edit {
        message,
        text,
        beneath,
    };
    change(editor, &row, action, stamp)
}

/// Deletes a message. One that has not left is taken back; else it is hidden until the server has
/// deleted it, where it can.
///
/// # Errors
/// The store's.
pub fn delete(
    rows: &mut dyn Rows,
    message: ClientMessageId,
    server_can: bool,
    stamp: Stamp,
) -> RowResult<Change> {
    let Some(row) = rows.message(message)? else {
        return Ok(Change::Unknown);
    };
    if row.deleted {
        return Ok(Change::Taken(row, None));
    }
    let mut editor = Editor::open(rows, &row.conversation)?;
    let undecided = row.own && !row.state.is_on_server();
    if is_unsent(&row) || (undecided && !server_can && row.state == DeliveryState::Uncertain) {
        let after = changes::take_back(&mut editor, &row, stamp.now)?;
        editor.finish()?;
        return Ok(Change::Taken(after, None));
    }
    if !server_can && row.state.is_on_server() {
        return Ok(Change::Unsupported);
    }
    if !server_can || row.state == DeliveryState::Cancelled {
        return Ok(Change::Refused(row.state));
    }
    let beneath = changes::beneath(editor.rows(), &row)?;
    let action = Action::Delete { message, beneath };
    change(editor, &row, action, stamp)
}

const fn is_unsent(row: &Message) -> bool {
    row.own && matches!(row.state, DeliveryState::Queued | DeliveryState::Failed)
}

fn change(
    mut editor: Editor<'_>,
    row: &Message,
    action: Action,
    stamp: Stamp,
) -> RowResult<Change> {
    let beneath = action.beneath().unwrap_or_default().to_owned();
    let held = row.server_id.is_none();
    let entry = enqueue(&mut editor, stamp, action, held)?;
    let after = changes::show(&mut editor, row, &beneath)?;
    editor.finish()?;
    Ok(Change::Taken(after, entry))
}

/// Marks a conversation as read to its end; the server is told where it keeps a marker.
///
/// # Errors
/// The store's.
pub fn read(
    rows: &mut dyn Rows,
    id: &ConversationId,
    server_keeps: bool,
    stamp: Stamp,
) -> RowResult<(Conversation, Option<ClientMessageId>)> {
    let (conversation, reached) = reading::mark_read(rows, id, None)?;
    let Some(up_to) = reached.filter(|_| server_keeps) else {
        return Ok((conversation, None));
    };
    let mut editor = Editor::open(rows, id)?;
    let entry = enqueue(&mut editor, stamp, Action::MarkRead { up_to }, false)?;
    Ok((editor.finish()?, entry))
}

/// Hides a conversation, or shows it again; the server is told where it archives.
///
/// # Errors
/// The store's.
pub fn archive(
    rows: &mut dyn Rows,
    id: &ConversationId,
    archived: bool,
    server_archives: bool,
    stamp: Stamp,
) -> RowResult<(Conversation, Option<ClientMessageId>)> {
    let mut editor = Editor::open(rows, id)?;
    let beneath = editor.conversation().archived;
    if beneath != archived {
        editor.conversation_mut().archived = archived;
    }
    let entry = if server_archives {
        let action = Action::Archive { archived, beneath };
        enqueue(&mut editor, stamp, action, false)?
    } else {
        None
    };
    Ok((editor.finish()?, entry))
}

/// Ends a conversation: it takes no further messages from here on.
///
/// # Errors
/// The store's.
pub fn complete(
    rows: &mut dyn Rows,
    id: &ConversationId,
    stamp: Stamp,
) -> RowResult<(Conversation, Option<ClientMessageId>)> {
    let mut editor = Editor::open(rows, id)?;
    let entry = enqueue(&mut editor, stamp, Action::Complete, false)?;
    editor.conversation_mut().completing = true;
    Ok((editor.finish()?, entry))
}

/// Stops the answer to the newest message.
///
/// # Errors
/// The store's.
pub fn stop(
    rows: &mut dyn Rows,
    id: &ConversationId,
    stamp: Stamp,
) -> RowResult<Option<ClientMessageId>> {
    let mut editor = Editor::open(rows, id)?;
    let id = editor.conversation().id.clone();
    let recent = editor.rows().page(&id, None, RECENT, true)?;
    let question = newest_question(&recent);
    let entry = enqueue(&mut editor, stamp, Action::Stop { question }, false)?;
    editor.finish()?;
    Ok(entry)
}

/// How removing a conversation begun here went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is gone; no server ever knew of it.
    Gone,
    /// Its creation is under way or of unknown outcome.
    Undecided,
    /// It is no local one.
    Elsewhere,
}

/// Removes a conversation that only this device knows, with all that waits in it.
///
/// # Errors
/// The store's.
pub fn remove_begun(rows: &mut dyn Rows, id: &ConversationId) -> RowResult<Removed> {
    let creations = rows.outbox_creations()?;
    let ours = |entry: &&OutboxEntry| entry.conversation == *id;
    match creations.iter().find(ours).map(|entry| entry.state) {
        None => Ok(Removed::Elsewhere),
        Some(DeliveryState::Queued | DeliveryState::Failed) => {
            rows.remove_conversation(id)?;
            Ok(Removed::Gone)
        }
        Some(_) => Ok(Removed::Undecided),
    }
}
