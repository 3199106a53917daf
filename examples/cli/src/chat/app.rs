//! The chat's state, free of terminal, clock and client.

use tidings::domain::{
    connection::{ConnectionStatus, Light},
    conversation::Conversation,
    ids::{ClientMessageId, ConversationId},
    message::Message,
    time::WallTime,
};

/// What the keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Focus {
    /// The input line.
    #[default]
    Input,
    /// The list of conversations.
    List,
    /// The messages: one of them is marked.
    Messages,
}

/// An answer that streams now.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Live {
    /// Its key.
    pub(crate) id: ClientMessageId,
    /// Its text so far.
    pub(crate) text: String,
}

/// Everything that is on the screen.
#[derive(Clone, Default)]
pub(crate) struct App {
    /// The list, newest activity first.
    pub(crate) conversations: Vec<Conversation>,
    /// The marked line of the list.
    pub(crate) marked: usize,
    /// The open conversation.
    pub(crate) open: Option<ConversationId>,
    /// Its messages, in order.
    pub(crate) messages: Vec<Message>,
    /// The answer that streams into it.
    pub(crate) live: Option<Live>,
    /// How it is connected.
    pub(crate) status: ConnectionStatus,
    /// Whether an event told of that since the conversation was shown.
    pub(crate) status_told: bool,
    /// Whether somebody types.
    pub(crate) typing: bool,
    /// Until when the server asked for quiet.
    pub(crate) cooldown: Option<WallTime>,
    /// Now.
    pub(crate) now: WallTime,
    /// What the keys go to.
    pub(crate) focus: Focus,
    /// The marked message, counted from the newest.
    pub(crate) from_end: usize,
    /// The text being written.
    pub(crate) input: String,
    /// The place of the cursor in it, in characters.
    pub(crate) cursor: usize,
    /// What just happened, in words.
    pub(crate) notice: Option<String>,
}

impl App {
    /// The conversation that is open, as listed.
    pub(crate) fn current(&self) -> Option<&Conversation> {
        let open = self.open.as_ref()?;
        self.conversations.iter().find(|row| row.id == *open)
    }

    /// The message that is marked, or the newest where none can be.
    pub(crate) fn marked_message(&self) -> Option<&Message> {
        let last = self.messages.len().checked_sub(1)?;
        self.messages.get(last.checked_sub(self.from_end)?)
    }

    /// Seconds until the server may be asked again.
    pub(crate) fn quiet_for(&self) -> Option<u64> {
        let left = self.now.until(self.cooldown?).as_millis().div_ceil(1000);
        u64::try_from(left).ok().filter(|left| *left > 0)
    }

    /// What carries messages now, in a colour and a word.
    pub(crate) fn light(&self) -> (Light, &'static str) {
        let light = self.status.light();
        let word = match light {
            Light::Green => "WebSocket",
            Light::Yellow => "polling",
            Light::Red => "offline",
        };
        (light, word)
    }

    /// The text of a message, with what has streamed in since it was stored.
    pub(crate) fn text_of<'a>(&'a self, row: &'a Message) -> &'a str {
        match &self.live {
            Some(live) if live.id == row.id && live.text.len() > row.text.len() => &live.text,
            _ => &row.text,
        }
    }
}
