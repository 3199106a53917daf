//! Which stored message answers which of ours.

use std::collections::VecDeque;

use tidings::domain::{
    ids::ClientMessageId,
    message::{Completeness, Message, Role},
};

/// The stored answers to those messages, as far as they are here, in order.
///
/// An answer that says what it answers is believed; any other goes to the earliest of our messages
/// before it that has none yet. An answer counts once the server's own row is here (it has the
/// server's id), or once the user stopped it.
pub(super) fn answers<'a>(rows: &'a [Message], ours: &[ClientMessageId]) -> Vec<&'a Message> {
    let mut open: VecDeque<ClientMessageId> = VecDeque::new();
    let mut found = Vec::new();
    for row in rows {
        if ours.contains(&row.id) {
            open.push_back(row.id);
            continue;
        }
        if row.role != Role::Assistant || row.deleted {
            continue;
        }
        let meant = match row.answers {
            Some(question) => open.iter().position(|id| *id == question),
            None => (!open.is_empty()).then_some(0),
        };
        let Some(place) = meant else { continue };
        open.remove(place);
        if is_final(row) {
            found.push(row);
        }
    }
    found
}

fn is_final(row: &Message) -> bool {
    match row.completeness {
        Completeness::Complete => row.server_id.is_some(),
        Completeness::Stopped => true,
        Completeness::Streaming | Completeness::Incomplete | Completeness::Failed => false,
    }
}
