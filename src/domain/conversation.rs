//! A conversation: the server's facts, the local overlay, and how a server's word is merged.

use std::{collections::BTreeMap, fmt};

use crate::domain::{
    cursor::{ChangeMark, SyncPosition},
    ids::{ClientMessageId, ConversationId, UserId},
    message::Role,
    order::SortKey,
    time::WallTime,
};

/// The business entity a conversation is bound to, for good.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Context {
    /// The entity's kind, verbatim.
    pub kind: String,
    /// The entity's id, where it has one.
    pub id: Option<String>,
}

/// The word for a conversation that is done.
pub const COMPLETED: &str = "completed";

/// The server's word on whether a conversation takes messages; unknown words are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(String);

impl Status {
    /// Wraps the word as it came.
    #[must_use]
    pub fn new(word: &str) -> Self {
        Self(word.to_owned())
    }

    /// The word as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether messages may be sent: refused only for states that are known to be closed, so that
    /// a new word of the server's does not lock the user out.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        !matches!(self.0.as_str(), "completed" | "abandoned" | "archived")
    }
}

/// The newest message of a conversation, as the list shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct LastMessage {
    /// Its local key.
    pub id: ClientMessageId,
    /// Who spoke.
    pub role: Role,
    /// What was said.
    pub text: String,
    /// When, for display.
    pub at: Option<WallTime>,
    /// Its place.
    pub key: SortKey,
}

impl fmt::Debug for LastMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastMessage")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewConversation {
    /// The key of this creation, sent along where the backend takes one.
    pub key: Option<ClientMessageId>,
    /// Whom to talk to.
    pub persona: Option<String>,
    /// The entity to bind it to.
    pub context: Option<Context>,
    /// Further scalar fields the backend takes, by its own names.
    pub attributes: BTreeMap<String, String>,
}

/// What the name of a participant's role begins with; the participant's id follows.
pub const ROLE_OF: &str = "role.";

/// What the server says of a conversation; an absent field says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConversation {
    /// The server's id.
    pub id: ConversationId,
    /// The persona spoken with.
    pub persona: Option<String>,
    /// Whether it takes messages.
    pub status: Option<Status>,
    /// A title, where the backend has titles.
    pub title: Option<String>,
    /// The bound entity.
    pub context: Option<Context>,
    /// When it was created.
    pub created_at: Option<WallTime>,
    /// When it last changed.
    pub updated_at: Option<WallTime>,
    /// When its newest message was written.
    pub last_message_at: Option<WallTime>,
    /// Its members, where the backend names them.
    pub participants: Vec<UserId>,
    /// Further scalar facts, by the backend's own names. A participant's role is [`ROLE_OF`] and the
    /// participant's id, and goes with the participant.
    pub attributes: BTreeMap<String, String>,
    /// What its list entry says of its state; `None` where the backend offers no such mark, or
    /// the entry was not read from a list.
    pub mark: Option<ChangeMark>,
}

impl ServerConversation {
    /// A conversation of which only the id is known.
    #[must_use]
    pub const fn bare(id: ConversationId) -> Self {
        Self {
            id,
            persona: None,
            status: None,
            title: None,
            context: None,
            created_at: None,
            updated_at: None,
            last_message_at: None,
            participants: Vec::new(),
            attributes: BTreeMap::new(),
            mark: None,
        }
    }
}

/// A conversation as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The server's id.
    pub id: ConversationId,
    /// Local overlay: a title given on this device; survives every merge.
    pub title: Option<String>,
    /// Local overlay: hidden from the ordinary list.
    pub archived: bool,
    /// Local overlay: the user ended it, and the server has not confirmed that yet.
    pub completing: bool,
    /// Local overlay: unsent input.
    pub draft: Option<String>,
    /// The server's facts, merged field by field.
    pub server: ServerConversation,
    /// The newest visible message.
    pub last_message: Option<LastMessage>,
    /// Newest activity, for sorting the list.
    pub activity_at: Option<WallTime>,
    /// Messages waiting to be read.
    pub unread: u32,
    /// Rows stored, tombstones included.
    pub stored: u64,
    /// The own read marker: everything up to here was read.
    pub read_to: Option<SortKey>,
    /// How far the stored history reaches.
    pub sync: SyncPosition,
    /// Grows with every change; observers compare it.
    pub version: u64,
}

impl Conversation {
    /// A conversation first heard of.
    #[must_use]
    pub fn new(server: ServerConversation) -> Self {
        let mut fresh = Self {
            id: server.id.clone(),
            title: None,
            archived: false,
            completing: false,
            draft: None,
            server: ServerConversation::bare(server.id.clone()),
            last_message: None,
            activity_at: None,
            unread: 0,
            stored: 0,
            read_to: None,
            sync: SyncPosition::default(),
            version: 0,
        };
        fresh.merge(server);
        fresh
    }

    /// Takes over what the server says, field by field; what it leaves out stays, and so does the
    /// local overlay.
    pub fn merge(&mut self, said: ServerConversation) {
        let mine = &mut self.server;
        mine.persona = said.persona.or_else(|| mine.persona.take());
        mine.status = said.status.or_else(|| mine.status.take());
        mine.title = said.title.or_else(|| mine.title.take());
        // Immutable after creation: the first word stands.
        mine.context = mine.context.take().or(said.context);
        mine.created_at = said.created_at.or(mine.created_at);
        mine.updated_at = said.updated_at.max(mine.updated_at);
        mine.last_message_at = said.last_message_at.max(mine.last_message_at);
        mine.attributes.extend(said.attributes);
        if !said.participants.is_empty() {
            mine.participants = said.participants;
            let here = |user: &str| mine.participants.iter().any(|one| one.as_str() == user);
            mine.attributes
                .retain(|name, _| name.strip_prefix(ROLE_OF).is_none_or(here));
        }
        mine.mark = said.mark.or_else(|| mine.mark.take());
        let newest = mine.last_message_at.or(mine.updated_at).or(mine.created_at);
        self.activity_at = self.activity_at.max(newest);
        self.version += 1;
    }

    /// Whether the server may have news: its list entry says so, or says nothing.
    #[must_use]
    pub fn may_have_news(&self) -> bool {
        self.server.mark.is_none() || self.server.mark != self.sync.listed
    }

    /// Whether messages may be sent as far as this device knows.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        !self.completing && self.server.status.as_ref().is_none_or(Status::is_writable)
    }

    /// Whether it takes messages, in the server's word; at once, where the user has just ended it.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        let said = self.server.status.as_ref().map(Status::as_str);
        if self.completing {
            Some(COMPLETED)
        } else {
            said
        }
    }

    /// Whether the ordinary list hides it.
    #[must_use]
    pub fn is_archived(&self) -> bool {
        self.archived
            || self
                .server
                .status
                .as_ref()
                .is_some_and(|s| s.as_str() == "archived")
    }

    /// The title to show: the local one, the server's, or one made of the persona.
    #[must_use]
    pub fn display_title(&self) -> String {
        let named = self.title.as_ref().or(self.server.title.as_ref());
        named.cloned().unwrap_or_else(|| {
            let persona = self.server.persona.as_deref().unwrap_or("coach");
            format!("Chat with {}", persona.replace('_', " "))
        })
    }
}

/// Prints neither draft nor messages.
impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("id", &self.id)
            .field("server", &self.server)
            .field("unread", &self.unread)
            .field("stored", &self.stored)
            .field("sync", &self.sync)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> ServerConversation {
        ServerConversation::bare(ConversationId::parse("c1").expect("id"))
    }

    #[test]
    fn who_left_leaves_no_role_behind() {
        let user = |name: &str| UserId::parse(name).expect("id");
        let said = |users: &[&str]| ServerConversation {
            participants: users.iter().map(|name| user(name)).collect(),
            attributes: users
                .iter()
                .map(|name| (format!("{ROLE_OF}{name}"), "Worker".to_owned()))
                .chain([("site".to_owned(), "north".to_owned())])
                .collect(),
            ..server()
        };
        let mut stored = Conversation::new(said(&["ann", "bob"]));
        stored.merge(said(&["ann", "eve"]));
        let names: Vec<_> = stored.server.attributes.keys().cloned().collect();
        assert_eq!(names, ["role.ann", "role.eve", "site"]);
        stored.merge(server());
        assert_eq!(
            stored.server.attributes.len(),
            3,
            "nothing was said of them"
        );
    }

    #[test]
    fn l47_absent_fields_erase_nothing_and_context_never_changes() {
        let mut stored = Conversation::new(ServerConversation {
            persona: Some("coach".into()),
            context: Some(Context {
                kind: "goal".into(),
                id: Some("g1".into()),
            }),
            ..server()
        });
        stored.title = Some("mine".into());
        stored.merge(ServerConversation {
            context: Some(Context {
                kind: "mood".into(),
                id: None,
            }),
            ..server()
        });
        assert_eq!(stored.server.persona.as_deref(), Some("coach"));
        assert_eq!(
            stored.server.context.as_ref().map(|c| c.kind.as_str()),
            Some("goal")
        );
        assert_eq!(stored.display_title(), "mine");
    }

    #[test]
    fn l85_context_keeps_the_id_it_was_created_with() {
        let context = |id: &str| Context {
            kind: "goal".into(),
            id: Some(id.into()),
        };
        let mut stored = Conversation::new(ServerConversation {
            context: Some(context("local")),
            ..server()
        });
        stored.merge(ServerConversation {
            context: Some(context("remote")),
            ..server()
        });
        assert_eq!(stored.server.context, Some(context("local")));
    }

    #[test]
    fn an_unknown_status_does_not_lock_the_user_out() {
        assert!(Status::new("pending_approval").is_writable());
        assert!(!Status::new("completed").is_writable());
    }
}
