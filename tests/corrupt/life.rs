//! What happens in the life of a store before its damage: everything that a user can do offline,
//! and what a server answers.

use std::{sync::Arc, time::Duration};

use tidings::{
    domain::{
        conversation::{Conversation, NewConversation, ServerConversation},
        delivery::DeliveryState,
        event::SendReceipt,
        ids::{ClientMessageId, ConversationId},
        message::Message,
        outbox::{Action, OutboxEntry, SendMode},
        ports::{ChatRepository, CreateOutcome, Durability, Rows, chat_repository::RowResult},
        rules::{
            accept, act as actions, attempt, conversations, intents,
            merge::Placement,
            queue::Stamp,
            settle::{self, Performed, Settlement},
            user,
        },
        time::WallTime,
    },
    engine::draw::Draw,
    testing::repository_contract::samples,
};

use crate::damage::{below, pick};

/// So many conversations may be begun here.
pub(crate) const BEGUN: u32 = 4;

/// The number of the first message of the history.
const HISTORY: u32 = 500_000;

const NOW: WallTime = WallTime::from_millis(1);

type Store = Arc<dyn ChatRepository>;

pub(crate) async fn act(draw: &mut Draw, store: &Store, number: u32) {
    let conversation = conversation(draw);
    let size = pick(draw, &[10, 80, 400, 6_000]);
    let text = format!("{number} {}", "wörds 🦀 ".repeat(size / 10));
    let stamp = Stamp {
        id: samples::key(100_000 + number),
        now: NOW,
        expires_at: WallTime::from_millis(1_000_000),
    };
    let (kind, flag) = (below(draw, 16), below(draw, 3) > 0);
    let which = below(draw, usize::MAX >> 12);
    let work = move |rows: &mut dyn Rows| match kind {
        0..=3 => {
            let request = accept_of(samples::key(10_000 + number), &conversation, &text);
            accept::accept(rows, request).map(drop)
        }
        4 => draft(rows, &conversation, flag.then_some(text)),
        5 => take_back(rows, which),
        6 => change(rows, which, stamp, |rows, id| {
            intents::edit(rows, id, text, true, stamp).map(drop)
        }),
        7 => change(rows, which, stamp, |rows, id| {
            intents::delete(rows, id, true, stamp).map(drop)
        }),
        8 => begin(rows, which),
        9 | 10 => answer(rows, which, number),
        11 => match flag {
            true => intents::archive(rows, &conversation, which.is_multiple_of(2), true, stamp)
                .map(drop),
            false => intents::complete(rows, &conversation, stamp).map(drop),
        },
        12 => intents::read(rows, &conversation, true, stamp).map(drop),
        13 if !flag => bury(rows, which),
        _ => history(rows, &conversation, HISTORY + number, text),
    };
    store.transact(Durability::Full, work).await.unwrap();
}

/// One of the server's, or one that was begun here, by its local name.
fn conversation(draw: &mut Draw) -> ConversationId {
    let n = u32::try_from(below(draw, 4)).unwrap();
    match below(draw, 4) {
        0 => ConversationId::local(samples::key(n % BEGUN)),
        _ => samples::conversation_id(&format!("c{n}")),
    }
}

fn accept_of(id: ClientMessageId, conversation: &ConversationId, text: &str) -> accept::Accept {
    accept::Accept {
        id,
        conversation: conversation.clone(),
        text: text.to_owned(),
        mode: SendMode::Durable,
        now: NOW,
        expiry: Duration::from_secs(3_600),
    }
}

fn one_of<T>(mut from: Vec<T>, which: usize) -> Option<T> {
    let at = which.checked_rem(from.len())?;
    Some(from.swap_remove(at))
}

fn draft(rows: &mut dyn Rows, id: &ConversationId, draft: Option<String>) -> RowResult<()> {
    ensure(rows, id)?;
    conversations::overlay(rows, id, |row| row.draft = draft).map(drop)
}

fn ensure(rows: &mut dyn Rows, id: &ConversationId) -> RowResult<ConversationId> {
    let id = conversations::resolve(rows, id)?;
    if rows.conversation(&id)?.is_none() {
        rows.put_conversation(&Conversation::new(ServerConversation::bare(id.clone())))?;
    }
    Ok(id)
}

fn take_back(rows: &mut dyn Rows, which: usize) -> RowResult<()> {
    match one_of(rows.outbox(None)?, which) {
        Some(entry) if entry.is_send() => user::cancel(rows, entry.id, NOW).map(drop),
        Some(entry) => actions::cancel(rows, entry.id, NOW).map(drop),
        None => Ok(()),
    }
}

/// Does something to a message of the history, or to an unsent one.
fn change(
    rows: &mut dyn Rows,
    which: usize,
    stamp: Stamp,
    to: impl FnOnce(&mut dyn Rows, ClientMessageId) -> RowResult<()>,
) -> RowResult<()> {
    let own = (0..stamp.now.as_millis() + 80).map(|n| samples::key(HISTORY + n as u32));
    let mut there = Vec::new();
    for id in own {
        there.extend(rows.message(id)?.filter(|row| row.own).map(|row| row.id));
    }
    there.extend(
        rows.outbox(None)?
            .iter()
            .filter(|entry| entry.is_send())
            .map(|entry| entry.id),
    );
    match one_of(there, which) {
        Some(id) => to(rows, id),
        None => Ok(()),
    }
}

fn begin(rows: &mut dyn Rows, which: usize) -> RowResult<()> {
    let n = u32::try_from(which % 64).unwrap() % BEGUN;
    let id = samples::key(n);
    let local = ConversationId::local(id);
    if conversations::resolve(rows, &local)? != local {
        return Ok(());
    }
    let stamp = Stamp {
        id,
        now: NOW,
        expires_at: WallTime::from_millis(1_000_000),
    };
    let new = NewConversation {
        persona: Some("coach".into()),
        ..NewConversation::default()
    };
    intents::begin(rows, new, stamp).map(drop)
}

/// The server does the first thing that waits somewhere, or nobody knows whether it did.
fn answer(rows: &mut dyn Rows, which: usize, number: u32) -> RowResult<()> {
    let Some(entry) = one_of(rows.outbox_heads()?, which) else {
        return Ok(());
    };
    let id = entry.id;
    match entry.is_send() {
        true => attempt::record_attempt(rows, id, None, NOW).map(drop)?,
        false => actions::record_attempt(rows, id, None, NOW).map(drop)?,
    }
    let left = rows.outbox_entry(id)?.map(|entry| entry.state);
    if left != Some(DeliveryState::Sending) || which.is_multiple_of(5) {
        return Ok(());
    }
    let mut minted = 0;
    let mut mint = || {
        minted += 1;
        samples::key(700_000 + number * 10 + minted)
    };
    settle::settle(rows, id, done(&entry), Placement::Early, NOW, &mut mint).map(drop)
}

fn done(entry: &OutboxEntry) -> Settlement {
    match &entry.action {
        Action::Create(_) => {
            let n = (0..BEGUN).find(|n| samples::key(*n) == entry.id).unwrap();
            let id = samples::conversation_id(&format!("b{n}"));
            let said = ServerConversation {
                persona: Some("coach".into()),
                ..ServerConversation::bare(id)
            };
            let outcome = Box::new(CreateOutcome::Created(said, Vec::new()));
            Settlement::Done(Performed::Created(outcome))
        }
        Action::Send { .. } => Settlement::Applied(SendReceipt::default()),
        _ => Settlement::Done(Performed::Plain),
    }
}

fn bury(rows: &mut dyn Rows, which: usize) -> RowResult<()> {
    let n = which % 64 % BEGUN as usize;
    conversations::bury(rows, &samples::conversation_id(&format!("b{n}")))
}

/// A message that the server has; every other one is ours.
fn history(rows: &mut dyn Rows, id: &ConversationId, number: u32, text: String) -> RowResult<()> {
    let id = ensure(rows, id)?;
    let known = samples::server_id(&format!("s-{number}"));
    rows.insert_message(&Message {
        text,
        own: number.is_multiple_of(2),
        server_id: Some(known),
        ..samples::message(id.as_str(), number)
    })
}

/// The store takes and keeps messages as any other.
pub(crate) async fn goes_on(store: &Store) -> Result<(), String> {
    let (id, conversation) = (samples::key(900_000), samples::conversation_id("c0"));
    let request = accept_of(id, &conversation, "afterwards");
    let taken = store.transact(Durability::Full, move |rows| accept::accept(rows, request));
    taken.await.map_err(|error| error.to_string())?;
    let entries = store.view(|rows| rows.outbox(None)).await;
    let entries = entries.map_err(|error| error.to_string())?;
    match entries.last() {
        Some(last) if last.id == id => Ok(()),
        _ => Err("a new message does not come last".to_owned()),
    }
}
