//! What happens to the state, and what is to be done about it: no terminal, no client.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tidings::domain::{
    connection::ConnectionStatus,
    conversation::Conversation,
    delivery::DeliveryState,
    event::{ClientEvent, StreamPhase},
    ids::{ClientMessageId, ConversationId},
    message::Message,
    time::WallTime,
};

use super::app::{App, Focus, Live};

/// One thing that happened.
pub(crate) enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The list of conversations.
    Conversations(Vec<Conversation>),
    /// The messages of a conversation.
    Messages(ConversationId, Vec<Message>),
    /// How a conversation is connected.
    Status(ConversationId, ConnectionStatus),
    /// The client told something.
    Client(ClientEvent),
    /// Time went on.
    Now(WallTime),
    /// Something to tell the user.
    Notice(String),
    /// This conversation is to be shown.
    Show(ConversationId),
}

/// One thing to do.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Connect this conversation, and only it.
    Open(ConversationId),
    /// Send this.
    Send(ConversationId, String),
    /// Try this message again.
    Retry(ClientMessageId),
    /// Take this message back.
    Cancel(ClientMessageId),
    /// Move the read marker.
    MarkRead(ConversationId),
    /// Show older messages.
    LoadOlder(ConversationId),
    /// Stop the answer.
    Stop,
    /// Create a conversation.
    Create,
    /// End.
    Quit,
}

impl App {
    /// Takes in what happened; says what to do.
    pub(crate) fn update(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Key(key) => self.key(key),
            Event::Paste(text) => {
                text.chars().for_each(|c| self.insert(c));
                Vec::new()
            }
            Event::Conversations(rows) => self.list(rows),
            Event::Messages(id, rows) => {
                self.take_messages(&id, rows);
                Vec::new()
            }
            Event::Status(id, status) => {
                // What was asked for may come behind what happened since.
                if self.open.as_ref() == Some(&id) && !self.status_told {
                    self.status = status;
                }
                Vec::new()
            }
            Event::Client(event) => {
                self.told(event);
                Vec::new()
            }
            Event::Now(now) => {
                self.now = now;
                Vec::new()
            }
            Event::Notice(text) => {
                self.notice = Some(text);
                Vec::new()
            }
            Event::Show(id) => self.show(id),
        }
    }

    fn list(&mut self, rows: Vec<Conversation>) -> Vec<Effect> {
        let marked = self
            .conversations
            .get(self.marked)
            .map(|row| row.id.clone());
        self.conversations = rows;
        let place = |id: &ConversationId| self.conversations.iter().position(|row| row.id == *id);
        self.marked = marked.as_ref().and_then(place).unwrap_or(0);
        match (self.current(), self.conversations.first()) {
            (Some(row), _) if row.unread > 0 => vec![Effect::MarkRead(row.id.clone())],
            (None, Some(first)) if self.open.is_none() => {
                let id = first.id.clone();
                self.show(id)
            }
            _ => Vec::new(),
        }
    }

    fn show(&mut self, id: ConversationId) -> Vec<Effect> {
        if self.open.as_ref() != Some(&id) {
            self.open = Some(id.clone());
            self.messages.clear();
            self.live = None;
            self.typing = false;
            self.status = ConnectionStatus::default();
            self.status_told = false;
            self.from_end = 0;
        }
        let place = self.conversations.iter().position(|row| row.id == id);
        self.marked = place.unwrap_or(self.marked);
        self.focus = Focus::Input;
        vec![Effect::Open(id.clone()), Effect::MarkRead(id)]
    }

    fn take_messages(&mut self, id: &ConversationId, rows: Vec<Message>) {
        if self.open.as_ref() != Some(id) {
            return;
        }
        // The marked message stays marked while others come in below it.
        if self.focus == Focus::Messages {
            let marked = self.marked_message().map(|row| row.id);
            let place = marked.and_then(|id| rows.iter().rposition(|row| row.id == id));
            self.from_end = place.map_or(0, |place| rows.len() - 1 - place);
        }
        self.messages = rows;
    }

    fn told(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Connection {
                conversation,
                status,
            } if self.is_open(&conversation) => {
                self.status = status;
                self.status_told = true;
            }
            ClientEvent::Typing {
                conversation,
                active,
                ..
            } if self.is_open(&conversation) => self.typing = active,
            ClientEvent::Stream {
                conversation,
                id,
                phase,
                offset,
                text,
            } if self.is_open(&conversation) => self.stream(id, phase, offset, &text),
            ClientEvent::Cooldown { until, .. } => self.cooldown = Some(until),
            ClientEvent::SignInRequired => {
                self.notice = Some("the session has ended: sign in again".to_owned());
            }
            ClientEvent::SendTroubled { .. } => {
                self.notice = Some("a message still waits to go out".to_owned());
            }
            ClientEvent::StoreTroubled { .. } => {
                self.notice = Some("the store cannot be written: free some space".to_owned());
            }
            ClientEvent::StoreSalvaged { unsent, drafts, .. } => {
                self.notice = Some(format!(
                    "the store was damaged: {unsent} unsent and {drafts} drafts were saved"
                ));
            }
            ClientEvent::Discontinuity { .. } => self.live = None,
            _ => {}
        }
    }

    fn is_open(&self, id: &ConversationId) -> bool {
        self.open.as_ref() == Some(id)
    }

    fn stream(&mut self, id: ClientMessageId, phase: StreamPhase, offset: usize, text: &str) {
        match phase {
            StreamPhase::Started => {
                self.live = Some(Live {
                    id,
                    text: String::new(),
                });
            }
            StreamPhase::Delta => {
                let live = self.live.take().filter(|live| live.id == id);
                let mut so_far = live.map_or_else(String::new, |live| live.text);
                // A delta that does not fit what is here is left to the store.
                if so_far.len() == offset {
                    so_far.push_str(text);
                }
                self.live = Some(Live { id, text: so_far });
            }
            StreamPhase::Failed => {
                self.live = None;
                self.notice =
                    Some("the answer ended with an error; its text so far is kept".into());
            }
            StreamPhase::Completed | StreamPhase::Incomplete | StreamPhase::Stopped => {
                self.live = None;
            }
        }
    }

    fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        self.notice = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return self.control(key.code);
        }
        match (key.code, self.focus) {
            (KeyCode::Tab, _) => {
                self.focus = match self.focus {
                    Focus::Input => Focus::List,
                    Focus::List => Focus::Messages,
                    Focus::Messages => Focus::Input,
                };
                self.from_end = 0;
                Vec::new()
            }
            (KeyCode::PageUp, _) => self
                .open
                .clone()
                .map(Effect::LoadOlder)
                .into_iter()
                .collect(),
            (KeyCode::Esc, Focus::Input) => vec![Effect::Quit],
            (KeyCode::Esc, _) => {
                self.focus = Focus::Input;
                Vec::new()
            }
            (code, Focus::List) => self.key_in_list(code),
            (code, Focus::Messages) => self.key_in_messages(code),
            (code, Focus::Input) => self.key_in_input(code),
        }
    }

    fn control(&mut self, code: KeyCode) -> Vec<Effect> {
        match code {
            KeyCode::Char('c' | 'q' | 'd') => vec![Effect::Quit],
            KeyCode::Char('n') => vec![Effect::Create],
            KeyCode::Char('s') => vec![Effect::Stop],
            KeyCode::Char('r') => self.on_unsent(Effect::Retry),
            KeyCode::Char('x') => self.on_unsent(Effect::Cancel),
            KeyCode::Char('u') => {
                self.input.clear();
                self.cursor = 0;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// The marked message, else the newest that failed, else the newest that waits.
    fn on_unsent(&mut self, effect: impl Fn(ClientMessageId) -> Effect) -> Vec<Effect> {
        if let (Focus::Messages, Some(row)) = (self.focus, self.marked_message()) {
            return vec![effect(row.id)];
        }
        let newest = |wanted: fn(DeliveryState) -> bool| {
            self.messages
                .iter()
                .rev()
                .find(move |row| row.own && wanted(row.state))
        };
        let found = newest(|state| state == DeliveryState::Failed)
            .or_else(|| newest(DeliveryState::is_pending));
        match found {
            Some(row) => vec![effect(row.id)],
            None => {
                self.notice = Some("no message failed or waits".to_owned());
                Vec::new()
            }
        }
    }

    fn key_in_list(&mut self, code: KeyCode) -> Vec<Effect> {
        let last = self.conversations.len().saturating_sub(1);
        match code {
            KeyCode::Up => self.marked = self.marked.saturating_sub(1),
            KeyCode::Down => self.marked = (self.marked + 1).min(last),
            KeyCode::Enter => {
                if let Some(row) = self.conversations.get(self.marked) {
                    let id = row.id.clone();
                    return self.show(id);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn key_in_messages(&mut self, code: KeyCode) -> Vec<Effect> {
        let oldest = self.messages.len().saturating_sub(1);
        match code {
            KeyCode::Up if self.from_end == oldest => {
                return self
                    .open
                    .clone()
                    .map(Effect::LoadOlder)
                    .into_iter()
                    .collect();
            }
            KeyCode::Up => self.from_end += 1,
            KeyCode::Down => self.from_end = self.from_end.saturating_sub(1),
            KeyCode::Char('r') => return self.on_unsent(Effect::Retry),
            KeyCode::Char('x') => return self.on_unsent(Effect::Cancel),
            _ => {}
        }
        Vec::new()
    }

    fn key_in_input(&mut self, code: KeyCode) -> Vec<Effect> {
        let length = self.input.chars().count();
        match code {
            KeyCode::Char(c) => self.insert(c),
            KeyCode::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.remove_at_cursor();
            }
            KeyCode::Delete if self.cursor < length => self.remove_at_cursor(),
            KeyCode::Left => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Right => self.cursor = (self.cursor + 1).min(length),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = length,
            KeyCode::Up => self.focus = Focus::Messages,
            KeyCode::Enter => return self.enter(),
            _ => {}
        }
        Vec::new()
    }

    /// The text leaves the input line only when there is somewhere to send it.
    fn enter(&mut self) -> Vec<Effect> {
        let Some(id) = self.open.clone() else {
            self.notice = Some("no conversation is open: Ctrl-N creates one".to_owned());
            return Vec::new();
        };
        if self.input.trim().is_empty() {
            return Vec::new();
        }
        self.cursor = 0;
        vec![Effect::Send(id, std::mem::take(&mut self.input))]
    }

    /// Puts a text that was not taken back into the input line.
    pub(crate) fn give_back(&mut self, text: String) {
        if self.input.is_empty() {
            self.cursor = text.chars().count();
            self.input = text;
        }
    }

    fn insert(&mut self, c: char) {
        let place = self.byte_at_cursor();
        self.input
            .insert(place, if c.is_control() { ' ' } else { c });
        self.cursor += 1;
    }

    fn remove_at_cursor(&mut self) {
        let place = self.byte_at_cursor();
        if place < self.input.len() {
            self.input.remove(place);
        }
    }

    fn byte_at_cursor(&self) -> usize {
        let mut places = self.input.char_indices();
        places
            .nth(self.cursor)
            .map_or(self.input.len(), |(place, _)| place)
    }
}
