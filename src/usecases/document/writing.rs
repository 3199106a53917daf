//! From a transcript to the document's fields.

use super::{FORMAT, VERSION, wire};
use crate::domain::{
    conversation::{Context, Conversation, ServerConversation, Status},
    delivery::Reason,
    ids::{ClientMessageId, ConversationId},
    message::Completeness,
    order::SortKey,
    time::WallTime,
    transcript::{Creation, Edit, Line, Transcript},
};

pub(super) fn document(transcript: Transcript) -> wire::Document {
    let Transcript {
        conversation: row,
        creation,
        lines,
    } = transcript;
    wire::Document {
        format: FORMAT.to_owned(),
        version: VERSION,
        conversation: conversation(row, creation),
        messages: lines.into_iter().map(message).collect(),
    }
}

fn conversation(row: Conversation, creation: Option<Creation>) -> wire::Conversation {
    wire::Conversation {
        id: row.id.to_string(),
        local: wire::Local {
            title: row.title,
            archived: row.archived,
            draft: row.draft,
        },
        server: server(&row.id, row.server),
        activity_at: row.activity_at.map(moment),
        read_to: row.read_to.map(mark),
        more_before: row.sync.oldest.is_some(),
        creation: creation.map(begun),
    }
}

fn server(id: &ConversationId, said: ServerConversation) -> wire::Server {
    let participants = said.participants.iter();
    wire::Server {
        id: (said.id != *id).then(|| said.id.to_string()),
        persona: said.persona,
        status: said.status.as_ref().map(Status::as_str).map(str::to_owned),
        title: said.title,
        context: said.context.map(context),
        created_at: said.created_at.map(moment),
        updated_at: said.updated_at.map(moment),
        last_message_at: said.last_message_at.map(moment),
        participants: participants.map(ToString::to_string).collect(),
        attributes: said.attributes,
    }
}

fn context(context: Context) -> wire::Context {
    wire::Context {
        kind: context.kind,
        id: context.id,
    }
}

fn begun(creation: Creation) -> wire::Creation {
    wire::Creation {
        id: creation.id.to_string(),
        key: creation.new.key.map(name),
        persona: creation.new.persona,
        context: creation.new.context.map(context),
        attributes: creation.new.attributes,
    }
}

/// Rows that no server has placed have their number in the list for a place.
fn mark(key: SortKey) -> wire::Mark {
    match key.order() {
        Some(number) => wire::Mark::Message(number),
        None => wire::Mark::Place(key.as_i64()),
    }
}

fn message(line: Line) -> wire::Message {
    let row = line.message;
    wire::Message {
        id: row.id.to_string(),
        server_id: row.server_id.map(|id| id.to_string()),
        place: Some(row.key.as_i64()).filter(|_| row.key.is_server()),
        role: row.role.as_str().to_owned(),
        sender: row.sender.map(|id| id.to_string()),
        own: row.own,
        text: row.text,
        state: row.state.as_str().to_owned(),
        created_at: row.created_at.map(moment),
        attempts: row.attempts,
        left_above: row.left_above.map(SortKey::as_i64),
        answers: row.answers.map(name),
        ended: ended(row.completeness).map(str::to_owned),
        deleted: row.deleted,
        unread: row.unread,
        revision: row.revision,
        gap: row.gap.is_some(),
        reason: line.reason.map(reason),
        wire_id: line.wire_id,
        unsent_edit: line.edit.map(edit),
    }
}

/// How a streamed answer ended, where it is not whole.
pub(super) const fn ended(completeness: Completeness) -> Option<&'static str> {
    match completeness {
        Completeness::Complete => None,
        Completeness::Streaming | Completeness::Incomplete => Some("incomplete"),
        Completeness::Failed => Some("failed"),
        Completeness::Stopped => Some("stopped"),
    }
}

fn reason(reason: Reason) -> wire::Reason {
    wire::Reason {
        code: reason.code,
        retryable: reason.retryable,
        retry_after_ms: reason.retry_after_ms,
        text: reason.text,
    }
}

fn edit(edit: Edit) -> wire::Edit {
    wire::Edit {
        id: edit.id.to_string(),
        text: edit.text,
        reason: reason(edit.reason),
    }
}

fn name(id: ClientMessageId) -> String {
    id.to_string()
}

fn moment(at: WallTime) -> String {
    at.to_string()
}
