//! How things are written in a trace: without ids, times and anything else that chance decides.

use tidings::domain::{
    connection::{ConnectionStatus, Light, Transport},
    event::ClientEvent,
    message::{Completeness, Message, Overlay},
};

/// A text between quotes, on one line.
pub(crate) fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}

/// An event's name; pieces of an answer are all alike.
pub(crate) fn event(event: &ClientEvent) -> String {
    use ClientEvent as E;
    match event {
        E::Connection { status, .. } => format!("connection {}", connection(status)),
        E::Stream { phase, .. } => format!("stream {}", phase.as_str()),
        E::Typing { .. } => "typing".to_owned(),
        E::Sync { phase, .. } => format!("sync {}", phase.as_str()),
        E::Cooldown { scope, .. } => format!("cooldown {scope}"),
        E::Unknown { name, .. } => format!("unknown {name}"),
        E::ConversationBound { .. } => "conversation_bound".to_owned(),
        E::SignInRequired => "sign_in_required".to_owned(),
        E::DraftRestored { .. } => "draft_restored".to_owned(),
        E::SendTroubled { .. } => "send_troubled".to_owned(),
        _ => "other".to_owned(),
    }
}

/// A connection: its state, or that it polls, whatever the state is meanwhile; and its light.
pub(crate) fn connection(status: &ConnectionStatus) -> String {
    let state = match status.transport {
        Transport::Polling => "polling",
        _ => status.state.as_str(),
    };
    let light = match status.light() {
        Light::Green => "green",
        Light::Yellow => "yellow",
        Light::Red => "red",
    };
    format!("{state} {light}")
}

/// One row of a history, without its name.
pub(crate) fn row(row: &Message, with_text: bool) -> String {
    let mut words = vec![row.role.as_str().to_owned(), row.state.as_str().to_owned()];
    words.push(completeness(row.completeness).to_owned());
    let flags = [
        ("own", row.own),
        ("deleted", row.deleted),
        ("unread", row.unread),
        ("gap", row.gap.is_some()),
        ("pending-edit", row.overlay == Some(Overlay::Edited)),
        ("pending-delete", row.overlay == Some(Overlay::Deleted)),
    ];
    let raised = flags.iter().filter(|(_, is_up)| *is_up);
    words.extend(raised.map(|(flag, _)| (*flag).to_owned()));
    if with_text || row.own {
        words.push(quoted(&row.text));
    }
    words.join(" ")
}

const fn completeness(completeness: Completeness) -> &'static str {
    match completeness {
        Completeness::Complete => "complete",
        Completeness::Streaming => "streaming",
        Completeness::Incomplete => "incomplete",
        Completeness::Failed => "failed",
        Completeness::Stopped => "stopped",
    }
}
