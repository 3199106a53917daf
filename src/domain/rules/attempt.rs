//! Recording an attempt before its first byte leaves, and what a start finds left over.

use crate::domain::{
    delivery::{DeliveryEvent, DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId},
    message::{Completeness, Message},
    order::SortKey,
    outbox::Track,
    plant::planted,
    ports::{
        Outgoing, Rows,
        chat_repository::{ConversationFilter, RowResult},
    },
    rules::editor::{Editor, Note},
    time::WallTime,
};

/// Marks the message as Sending and returns what to transmit.
///
/// `None` where it is no longer to be sent: cancelled meanwhile, settled, or gone.
///
/// # Errors
/// The store's.
pub fn record_attempt(
    rows: &mut dyn Rows,
    id: ClientMessageId,
    wire_id: Option<String>,
    now: WallTime,
) -> RowResult<Option<Outgoing>> {
    let (Some(mut entry), Some(message)) = (rows.outbox_entry(id)?, rows.message(id)?) else {
        return Ok(None);
    };
    let event = match entry.state {
        DeliveryState::Queued => DeliveryEvent::Transmit,
        DeliveryState::Uncertain => DeliveryEvent::TransmitAgain,
        _ => return Ok(None),
    };
    entry.state = entry.state.after(event)?;
    entry.attempt += 1;
    entry.next_attempt_at = None;
    entry.wire_id = entry.wire_id.or(wire_id);
    let mut editor = Editor::open(rows, &entry.conversation)?;
    let known = newest_known(&mut editor)?;
    editor.rows().put_outbox(&entry)?;
    if planted("forget-before-ack") {
        editor.rows().remove_outbox(id)?;
    }
    editor.deliver(&message, event, Note::at(now), |row| {
        if row.attempts == 0 {
            row.left_above = known;
        }
        row.attempts = entry.attempt;
    })?;
    editor.finish()?;
    let text = entry.text().to_owned();
    Ok(Some(Outgoing {
        id,
        conversation: entry.conversation,
        text,
        wire_id: entry.wire_id,
    }))
}

/// The end of the history as far as it was read; `None` where it never was.
fn newest_known(editor: &mut Editor<'_>) -> RowResult<Option<SortKey>> {
    if editor.conversation().sync.newest.is_none() {
        return Ok(None);
    }
    let id = editor.conversation().id.clone();
    let newest = editor.rows().server_key_below(&id, None)?;
    Ok(Some(newest.unwrap_or(SortKey::from_i64(i64::MIN))))
}

/// Whether a message whose outcome is unknown left before this conversation's history was ever
/// read: then only all of the history proves that it is absent.
///
/// # Errors
/// The store's.
pub fn left_unread(rows: &mut dyn Rows, conversation: &ConversationId) -> RowResult<bool> {
    for entry in rows.outbox_track(conversation, Track::Talk)? {
        if entry.state != DeliveryState::Uncertain || !entry.is_send() {
            continue;
        }
        if rows
            .message(entry.id)?
            .is_some_and(|row| row.left_above.is_none())
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// At start: what was on the wire when the process ended is Uncertain, never Queued, and an answer
/// that was streaming then is Incomplete.
///
/// Returns how many messages and other actions were on the wire.
///
/// # Errors
/// The store's.
pub fn recover(rows: &mut dyn Rows, now: WallTime) -> RowResult<usize> {
    let left: Vec<_> = rows
        .outbox(None)?
        .into_iter()
        .filter(|entry| entry.state == DeliveryState::Sending)
        .collect();
    let reason = Reason::new(
        "send.interrupted",
        true,
        "the app ended while this was on the wire",
    );
    for mut entry in left.iter().cloned() {
        entry.state = entry.state.after(DeliveryEvent::Lost)?;
        entry.reason = Some(reason.clone());
        if planted("kill-drops-actions") && !entry.is_send() {
            rows.remove_outbox(entry.id)?;
            continue;
        }
        let message = rows.message(entry.id)?;
        let mut editor = Editor::open(rows, &entry.conversation)?;
        editor.rows().put_outbox(&entry)?;
        let note = Note::because(now, Some(reason.clone()));
        let Some(message) = message else {
            editor.journal_action(&entry, note)?;
            continue;
        };
        editor.deliver(&message, DeliveryEvent::Lost, note, |_| {})?;
        editor.finish()?;
    }
    end_streams(rows)?;
    Ok(left.len())
}

/// Nobody is left who would end these answers; the server's rows replace them once read.
fn end_streams(rows: &mut dyn Rows) -> RowResult<()> {
    let all = ConversationFilter {
        include_archived: true,
        limit: 0,
    };
    for conversation in rows.conversations(all)? {
        let mut waiting = rows.unplaced(&conversation.id)?;
        waiting.retain(|row| row.completeness == Completeness::Streaming);
        for row in waiting {
            let mut editor = Editor::open(rows, &conversation.id)?;
            let completeness = Completeness::Incomplete;
            editor.update(
                &row,
                Message {
                    completeness,
                    ..row.clone()
                },
            )?;
            editor.finish()?;
        }
    }
    Ok(())
}
