//! Between an action and the columns `kind`, `target`, `body` and `beneath` of the outbox.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    codec::{Columns, json},
    record::Cell,
};
use crate::domain::{
    conversation::{Context, NewConversation},
    ids::{ClientMessageId, MessageId},
    outbox::{Action, ActionKind},
};

/// What is to be created, as JSON.
#[derive(Serialize, Deserialize)]
struct Creation {
    key: Option<String>,
    persona: Option<String>,
    context: Option<(String, Option<String>)>,
    attributes: BTreeMap<String, String>,
}

const HIDE: &str = "hide";
const SHOW: &str = "show";

/// The message that it changes or asks about.
pub(super) const fn target(action: &Action) -> Option<&[u8; 16]> {
    match action {
        Action::Edit { message, .. } | Action::Delete { message, .. } => Some(message.as_bytes()),
        Action::Stop {
            question: Some(message),
        } => Some(message.as_bytes()),
        _ => None,
    }
}

/// What it says.
pub(super) fn body(action: &Action) -> Cell<'_> {
    match action {
        Action::Send { text } | Action::Edit { text, .. } => text.as_str().into(),
        Action::Create(new) => creation(new).into(),
        Action::MarkRead { up_to } => up_to.as_str().into(),
        Action::Archive { archived, .. } => shelf(*archived).into(),
        Action::Complete | Action::Delete { .. } | Action::Stop { .. } => "".into(),
    }
}

/// What comes back should the server refuse it.
pub(super) fn beneath(action: &Action) -> Option<&str> {
    match action {
        Action::Archive { beneath, .. } => Some(shelf(*beneath)),
        _ => action.beneath(),
    }
}

const fn shelf(archived: bool) -> &'static str {
    if archived { HIDE } else { SHOW }
}

pub(super) fn decode(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Action> {
    let kind = columns.kind();
    let target = columns.key_if();
    let body: String = columns.take();
    let beneath: Option<String> = columns.take();
    let action = action(kind, target, body, beneath.unwrap_or_default());
    columns.must(action)
}

fn action(
    kind: ActionKind,
    target: Option<ClientMessageId>,
    body: String,
    beneath: String,
) -> Option<Action> {
    Some(match kind {
        ActionKind::Send => Action::Send { text: body },
        ActionKind::Create => Action::Create(created(&body)?),
        ActionKind::Complete => Action::Complete,
        ActionKind::Edit => Action::Edit {
            message: target?,
            text: body,
            beneath,
        },
        ActionKind::Delete => Action::Delete {
            message: target?,
            beneath,
        },
        ActionKind::MarkRead => Action::MarkRead {
            up_to: MessageId::parse(&body)?,
        },
        ActionKind::Archive => Action::Archive {
            archived: body == HIDE,
            // An older version did not write it: then it is the opposite.
            beneath: match beneath.as_str() {
                "" => body != HIDE,
                word => word == HIDE,
            },
        },
        ActionKind::Stop => Action::Stop { question: target },
    })
}

fn creation(new: &NewConversation) -> String {
    let context = new.context.as_ref();
    json(&Creation {
        key: new.key.map(|key| key.to_string()),
        persona: new.persona.clone(),
        context: context.map(|context| (context.kind.clone(), context.id.clone())),
        attributes: new.attributes.clone(),
    })
}

fn created(body: &str) -> Option<NewConversation> {
    let read: Creation = serde_json::from_str(body).ok()?;
    Some(NewConversation {
        key: read.key.as_deref().and_then(ClientMessageId::parse),
        persona: read.persona,
        context: read.context.map(|(kind, id)| Context { kind, id }),
        attributes: read.attributes,
    })
}
