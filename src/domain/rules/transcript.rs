//! Taking a transcript: all rows of a conversation at one moment, and what the outbox adds to them.

use crate::domain::{
    conversation::Conversation,
    delivery::DeliveryState,
    ids::{ClientMessageId, ConversationId},
    message::Message,
    order::SortKey,
    outbox::{Action, OutboxEntry},
    ports::{Rows, chat_repository::RowResult},
    rules::{changes, conversations},
    sorted_map::SortedMap,
    sorting::filled,
    transcript::{Creation, Edit, Line, Transcript, unsent},
};

/// Every row of a conversation, tombstones too; `None` where there is no such conversation.
///
/// # Errors
/// The store's.
pub fn take(rows: &mut dyn Rows, id: &ConversationId) -> RowResult<Option<Transcript>> {
    let id = conversations::resolve(rows, id)?;
    let Some(conversation) = rows.conversation(&id)? else {
        return Ok(None);
    };
    let mut waiting = waiting(rows, &id)?;
    let mut lines = Vec::new();
    let page = rows.page(&id, None, usize::MAX >> 1, true)?;
    let read_to = conversation.read_to.and_then(|mark| reached(&page, mark));
    for row in page {
        lines.push(line(rows, row, &mut waiting)?);
    }
    let creation = waiting.into_values().find_map(creation);
    let conversation = Conversation {
        read_to,
        ..conversation
    };
    let taken = Transcript {
        conversation,
        creation,
        lines,
    };
    Ok(Some(taken.at_rest()))
}

fn waiting(
    rows: &mut dyn Rows,
    id: &ConversationId,
) -> RowResult<SortedMap<ClientMessageId, OutboxEntry>> {
    let entries = rows.outbox(Some(id))?.into_iter();
    Ok(filled(entries.map(|entry| (entry.id, entry))))
}

fn creation(entry: OutboxEntry) -> Option<Creation> {
    let id = entry.id;
    match entry.action {
        Action::Create(new) => Some(Creation { id, new }),
        _ => None,
    }
}

/// The marker, where it stands among rows without a place: by the last row that it covers.
fn reached(page: &[Message], mark: SortKey) -> Option<SortKey> {
    if mark.is_server() {
        return Some(mark);
    }
    let at = page.partition_point(|row| row.key <= mark).checked_sub(1)?;
    let key = page.get(at)?.key;
    let order = i64::try_from(at).ok()?;
    Some(if key.is_server() {
        key
    } else {
        SortKey::pending(order)
    })
}

fn line(
    rows: &mut dyn Rows,
    row: Message,
    waiting: &mut SortedMap<ClientMessageId, OutboxEntry>,
) -> RowResult<Line> {
    let send = waiting.remove(&row.id).filter(OutboxEntry::is_send);
    let edit = edit(rows, &row)?;
    // Of a deleted one nothing is told.
    let text = changes::beneath(rows, &row)?;
    let (reason, wire_id) = send.map_or((None, None), |entry| (entry.reason, entry.wire_id));
    // Of what was still waiting, the reason to wait says nothing of why it was not sent.
    let reason =
        reason.filter(|_| !row.state.is_pending() || row.state == DeliveryState::Uncertain);
    Ok(Line {
        message: Message { text, ..row },
        reason,
        wire_id,
        edit,
    })
}

/// The last text that the user gave, where the server does not have it for certain.
fn edit(rows: &mut dyn Rows, row: &Message) -> RowResult<Option<Edit>> {
    let last = rows.outbox_changes(row.id)?.pop();
    Ok(last.and_then(|entry| {
        let reason = entry.reason.filter(|_| !entry.state.is_pending());
        match entry.action {
            Action::Edit { text, .. } => Some(Edit {
                id: entry.id,
                text,
                reason: reason.unwrap_or_else(unsent),
            }),
            _ => None,
        }
    }))
}
