//! From the document's fields to a transcript, or what is wrong with them.

use std::collections::BTreeSet;

use super::{wire, writing};
use crate::domain::{
    conversation::{Context, Conversation, NewConversation, ServerConversation, Status},
    cursor::{Gap, SyncCursor, SyncPosition},
    delivery::{DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId, MessageId, UserId},
    message::{Completeness, Message, Role},
    order::SortKey,
    rules::editor::blank,
    time::WallTime,
    transcript::{Creation, Edit, Line, Transcript},
};

/// What is wrong, in words without anything of the document's.
type Wrong = &'static str;

const NO_ID: Wrong = "an id of the document is none";
const NO_TIME: Wrong = "a moment of the document is none";

/// Places beyond leave no room for rows that come later.
const FARTHEST: i64 = 1 << 60;

pub(super) fn transcript(document: wire::Document) -> Result<Transcript, Wrong> {
    let wire::Document {
        conversation: head,
        messages,
        ..
    } = document;
    let id = parsed(&head.id, ConversationId::parse)?;
    let lines = messages.into_iter().map(|said| line(&id, said));
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    once(&lines)?;
    in_order(&lines)?;
    let creation = head.creation.map(creation).transpose()?;
    let conversation = Conversation {
        id: id.clone(),
        title: head.local.title,
        archived: head.local.archived,
        draft: head.local.draft,
        activity_at: time(head.activity_at.as_deref())?,
        read_to: head.read_to.map(mark).transpose()?,
        sync: SyncPosition {
            oldest: head.more_before.then(SyncCursor::end),
            ..SyncPosition::default()
        },
        server: server(&id, head.server)?,
        ..Conversation::new(ServerConversation::bare(id))
    };
    let read = Transcript {
        conversation,
        creation,
        lines,
    };
    Ok(read.at_rest())
}

fn parsed<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Wrong> {
    parse(text).ok_or(NO_ID)
}

fn parsed_if<T>(
    text: Option<String>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Wrong> {
    text.map(|text| parsed(&text, &parse)).transpose()
}

fn time(text: Option<&str>) -> Result<Option<WallTime>, Wrong> {
    let read = |text| WallTime::parse_rfc3339(text).ok_or(NO_TIME);
    text.map(read).transpose()
}

/// A place as a server gives it, with room around it.
fn place(number: i64) -> Result<SortKey, Wrong> {
    if number.unsigned_abs() > FARTHEST.unsigned_abs() {
        return Err("a place of the document lies nowhere");
    }
    Ok(SortKey::from_i64(number))
}

/// No row twice, by neither of its names.
fn once(lines: &[Line]) -> Result<(), Wrong> {
    let mut keys = BTreeSet::new();
    let mut names = BTreeSet::new();
    for Line { message: row, .. } in lines {
        let named_twice = row.server_id.as_ref().is_some_and(|id| !names.insert(id));
        if named_twice || !keys.insert(row.id) {
            return Err("a message is twice in the document");
        }
    }
    Ok(())
}

/// Placed rows ascend, and those without a place follow them all.
fn in_order(lines: &[Line]) -> Result<(), Wrong> {
    let keys = lines.iter().map(|line| line.message.key);
    let ascend = |(a, b): (SortKey, SortKey)| a < b || (!a.is_server() && !b.is_server());
    match keys.clone().zip(keys.skip(1)).all(ascend) {
        true => Ok(()),
        false => Err("the messages of the document are not in order"),
    }
}

fn server(id: &ConversationId, said: wire::Server) -> Result<ServerConversation, Wrong> {
    let participants = said.participants.iter().map(|id| parsed(id, UserId::parse));
    Ok(ServerConversation {
        id: parsed_if(said.id, ConversationId::parse)?.unwrap_or_else(|| id.clone()),
        persona: said.persona,
        status: said.status.as_deref().map(Status::new),
        title: said.title,
        context: said.context.map(context),
        created_at: time(said.created_at.as_deref())?,
        updated_at: time(said.updated_at.as_deref())?,
        last_message_at: time(said.last_message_at.as_deref())?,
        participants: participants.collect::<Result<_, _>>()?,
        attributes: said.attributes,
        mark: None,
    })
}

fn context(said: wire::Context) -> Context {
    Context {
        kind: said.kind,
        id: said.id,
    }
}

fn creation(said: wire::Creation) -> Result<Creation, Wrong> {
    Ok(Creation {
        id: parsed(&said.id, ClientMessageId::parse)?,
        new: NewConversation {
            key: parsed_if(said.key, ClientMessageId::parse)?,
            persona: said.persona,
            context: said.context.map(context),
            attributes: said.attributes,
        },
    })
}

fn mark(said: wire::Mark) -> Result<SortKey, Wrong> {
    match said {
        wire::Mark::Place(number) => place(number),
        wire::Mark::Message(number) => Ok(SortKey::pending(number.clamp(0, FARTHEST >> 8))),
    }
}

fn line(conversation: &ConversationId, said: wire::Message) -> Result<Line, Wrong> {
    let id = parsed(&said.id, ClientMessageId::parse)?;
    let key = said.place.map(place).transpose()?;
    let message = Message {
        server_id: parsed_if(said.server_id, MessageId::parse)?,
        role: Role::parse(&said.role),
        sender: parsed_if(said.sender, UserId::parse)?,
        own: said.own,
        text: said.text,
        key: key.unwrap_or(SortKey::pending(0)),
        state: DeliveryState::parse(&said.state).ok_or("a state of the document is none")?,
        attempts: said.attempts,
        left_above: said.left_above.map(SortKey::from_i64),
        created_at: time(said.created_at.as_deref())?,
        answers: parsed_if(said.answers, ClientMessageId::parse)?,
        completeness: completeness(said.ended.as_deref())?,
        deleted: said.deleted,
        unread: said.unread,
        revision: said.revision,
        gap: said.gap.then(Gap::ahead),
        ..blank(id, conversation)
    };
    Ok(Line {
        message,
        reason: said.reason.map(reason),
        wire_id: said.wire_id,
        edit: said.unsent_edit.map(edit).transpose()?,
    })
}

fn completeness(ended: Option<&str>) -> Result<Completeness, Wrong> {
    let known = Completeness::ALL.into_iter().rev();
    let mut fitting = known.filter(|way| *way != Completeness::Streaming);
    let found = fitting.find(|way| writing::ended(*way) == ended);
    found.ok_or("an answer of the document ended in no way that is known")
}

fn reason(said: wire::Reason) -> Reason {
    Reason {
        code: said.code,
        retryable: said.retryable,
        retry_after_ms: said.retry_after_ms,
        text: said.text,
    }
}

fn edit(said: wire::Edit) -> Result<Edit, Wrong> {
    Ok(Edit {
        id: parsed(&said.id, ClientMessageId::parse)?,
        text: said.text,
        reason: reason(said.reason),
    })
}
