//! What must survive a damage, word for word: everything unsent and what it shows, every draft, the
//! names of conversations begun here, and which were deleted.

use std::{collections::BTreeMap, sync::Arc};

use tidings::{
    domain::{
        ids::ConversationId,
        message::Overlay,
        outbox::{Action, OutboxEntry},
        ports::{
            ChatRepository, Rows,
            chat_repository::{ConversationFilter, RowResult},
        },
        rules::{binding, conversations},
    },
    testing::repository_contract::samples,
};

use crate::life::BEGUN;

const ALL: ConversationFilter = ConversationFilter {
    include_archived: true,
    limit: 0,
};

/// Everything of a store that nobody else knows.
#[derive(Default, PartialEq)]
pub(crate) struct Promised {
    unsent: Vec<OutboxEntry>,
    /// What each of them shows, in the same order.
    shown: Vec<Shown>,
    drafts: BTreeMap<ConversationId, String>,
    /// What the server calls the conversations that were begun here.
    names: Vec<Option<ConversationId>>,
    buried: Vec<bool>,
}

/// What a waiting action shows.
#[derive(Debug, PartialEq)]
enum Shown {
    Message(Option<(String, bool, Option<Overlay>)>),
    Conversation { archived: bool, completing: bool },
    Nothing,
}

pub(crate) async fn look(store: &Arc<dyn ChatRepository>) -> Result<Promised, String> {
    let looked = store.view(promised).await;
    looked.map_err(|error| error.to_string())
}

fn promised(rows: &mut dyn Rows) -> RowResult<Promised> {
    let unsent = rows.outbox(None)?;
    let mut promised = Promised::default();
    for entry in &unsent {
        promised.shown.push(shown(rows, entry)?);
    }
    for row in rows.conversations(ALL)? {
        promised
            .drafts
            .extend(row.draft.map(|draft| (row.id, draft)));
    }
    for n in 0..BEGUN {
        let local = ConversationId::local(samples::key(n));
        promised.names.push(binding::bound(rows, &local)?);
        let id = samples::conversation_id(&format!("b{n}"));
        promised.buried.push(conversations::is_buried(rows, &id)?);
    }
    promised.unsent = unsent;
    Ok(promised)
}

fn shown(rows: &mut dyn Rows, entry: &OutboxEntry) -> RowResult<Shown> {
    let target = match &entry.action {
        Action::Send { .. } => Some(entry.id),
        action => action.changes(),
    };
    if let Some(target) = target {
        let row = rows.message(target)?;
        return Ok(Shown::Message(
            row.map(|row| (row.text, row.deleted, row.overlay)),
        ));
    }
    let row = rows.conversation(&entry.conversation)?;
    Ok(match (&entry.action, row) {
        (Action::Complete | Action::Archive { .. }, Some(row)) => Shown::Conversation {
            archived: row.archived,
            completing: row.completing,
        },
        _ => Shown::Nothing,
    })
}

pub(crate) async fn check(
    store: &Arc<dyn ChatRepository>,
    promised: &Promised,
) -> Result<(), String> {
    let found = look(store).await?;
    if found == *promised {
        return Ok(());
    }
    let missing = |entry: &&OutboxEntry| !found.unsent.contains(entry);
    let lost: Vec<_> = promised.unsent.iter().filter(missing).collect();
    let known = |entry: &&OutboxEntry| !promised.unsent.contains(entry);
    let new: Vec<_> = found.unsent.iter().filter(known).collect();
    if !lost.is_empty() || !new.is_empty() {
        return Err(format!("unsent are not {lost:?}, and are {new:?}"));
    }
    let shown = promised.shown.iter().zip(&found.shown);
    let other = shown.zip(&found.unsent).find(|((a, b), _)| a != b);
    if let Some(((was, is), entry)) = other {
        return Err(format!("{entry:?} shows {is:.60?} and not {was:.60?}"));
    }
    if found.drafts != promised.drafts {
        let (there, were) = (found.drafts.len(), promised.drafts.len());
        return Err(format!("{there} drafts of {were}, or other words"));
    }
    Err("a name or a tombstone of a conversation is lost".to_owned())
}

pub(crate) fn read_everything(rows: &mut dyn Rows) -> RowResult<()> {
    for conversation in rows.conversations(ALL)? {
        for message in rows.page(&conversation.id, None, usize::MAX, true)? {
            rows.message(message.id)?;
            rows.outbox_entry(message.id)?;
            rows.journal_of(message.id)?;
        }
    }
    rows.outbox_heads()?;
    rows.outbox(None)?;
    rows.journal_after(0, usize::MAX).map(drop)
}
