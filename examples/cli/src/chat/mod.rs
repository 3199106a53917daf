//! `chat`: the full-screen terminal chat.
//!
//! [`app`] is the state, [`update`] what happens to it, [`draw`] what it looks like: all three
//! without terminal or client, so that tests need neither. This module joins them to both.

mod app;
mod draw;
mod effects;
mod terminal;
#[cfg(test)]
mod tests;
mod update;
mod wrap;

use std::{io::IsTerminal, time::Duration};

use futures_util::StreamExt;
use tidings::{ChatClient, domain::ports::chat_repository::ConversationFilter};
use tokio::time::MissedTickBehavior;

pub(crate) use self::terminal::restore as restore_terminal;
use self::{
    app::App,
    effects::Effects,
    terminal::Screen,
    update::{Effect, Event},
};
use crate::{
    context::{Context, conversation_id},
    failure::{Exit, Failure},
    feed::Told,
    setup::Access,
};

/// Countdowns move on this often.
const TICK: Duration = Duration::from_secs(1);

/// Whether somebody sits in front of a terminal.
pub(crate) fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Chats, until the user quits.
pub(crate) async fn run(context: &Context, conversation: Option<String>) -> Result<(), Failure> {
    let first = conversation.as_deref().map(conversation_id).transpose()?;
    if !has_terminal() {
        let text = "chat needs a terminal: use `watch`, `send` or `session` in scripts";
        return Err(Failure::usage(text));
    }
    let client = context.client(Access::Network).await?;
    with_client(context, client, first).await
}

/// Chats over this client.
pub(crate) async fn with_client(
    context: &Context,
    client: &ChatClient,
    first: Option<tidings::domain::ids::ConversationId>,
) -> Result<(), Failure> {
    let mut effects = Effects::start(client).await?;
    let mut app = App {
        now: context.now(),
        ..App::default()
    };
    let mut screen = Screen::take().map_err(|error| terminal_failed(&error))?;
    let mut keys = terminal::keys();
    let mut list = client.observe_conversations(ConversationFilter::default());
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut happened = first.map(Event::Show);
    loop {
        let wanted = happened
            .take()
            .map_or_else(Vec::new, |event| app.update(event));
        if wanted.contains(&Effect::Quit) {
            return Ok(());
        }
        for effect in wanted {
            effects.perform(&mut app, effect).await;
        }
        screen
            .terminal
            .draw(|frame| draw::draw(frame, &app))
            .map_err(|error| terminal_failed(&error))?;
        happened = tokio::select! {
            biased;
            key = keys.recv() => match key {
                Some(told) => told,
                None => return Ok(()),
            },
            told = effects.feed.next() => match told {
                Told::Event(event) => Some(Event::Client(event)),
                Told::Timeline(id, _) => {
                    let rows = effects.feed.rows(&id).to_vec();
                    Some(Event::Messages(id, rows))
                }
                Told::Delivery(_) => None,
                Told::Failed(failure) => return Err(failure),
            },
            rows = list.next() => Some(Event::Conversations(rows?)),
            Some(event) = effects.beside.next() => event,
            _ = ticks.tick() => Some(Event::Now(context.now())),
        };
    }
}

fn terminal_failed(error: &std::io::Error) -> Failure {
    let text = format!("the terminal cannot be used: {}", error.kind());
    Failure::new(Exit::GaveUp, "terminal.unavailable", text)
}
