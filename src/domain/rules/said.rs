//! What the server says of a row, laid over what is stored of it.

use crate::domain::{
    message::{Message, ServerMessage},
    rules::merge::{Place, Placement},
};

/// The row with what the server says laid over it; a tombstone stays, an older revision is void.
pub(super) fn said_of(
    row: &Message,
    said: &ServerMessage,
    place: Place,
    placement: Placement,
) -> Message {
    let mut after = row.clone();
    after.server_id = Some(said.id.clone());
    after.key = place.key.unwrap_or(row.key);
    after.gap = place.gap;
    after.answers = place.answers;
    after.sender = said.sender.clone().or(after.sender);
    after.created_at = said.created_at.or(after.created_at);
    if said.deleted {
        // However it was learned: the same in any order.
        after.revision = row.revision.max(said.revision);
    }
    if row.deleted || !is_news(row, said, placement) {
        return after;
    }
    if said.deleted && row.overlay.is_none() {
        after.deleted = true;
        after.unread = false;
        after.text = String::new();
    } else if !said.deleted {
        after.revision = said.revision;
        if row.overlay.is_none() {
            after.text.clone_from(&said.text);
        }
    }
    after
}

/// Whether what the server says of a row's content counts. Without revisions a repeated push may
/// be the older one; a read of the history is not.
pub(super) fn is_news(row: &Message, said: &ServerMessage, placement: Placement) -> bool {
    let again = said.revision == row.revision && !placement.is_push();
    row.server_id.is_none() || said.deleted || said.revision > row.revision || again
}
