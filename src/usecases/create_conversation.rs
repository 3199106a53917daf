//! `CreateConversation`: creates one, or returns the one the server says is in its place.

use crate::{
    domain::{
        conversation::Conversation,
        ports::{CreateOutcome, Durability, NewConversation},
        rules::{
            conversations,
            editor::Editor,
            merge::{self, Merge, Placement},
        },
        text,
    },
    error::ChatError,
    usecases::Ports,
};

/// Creates a conversation.
#[derive(Clone, Debug)]
pub struct CreateConversation {
    /// What to create.
    pub new: NewConversation,
}

/// What creating led to.
#[derive(Clone, Debug)]
pub struct Created {
    /// The conversation.
    pub conversation: Conversation,
    /// Whether it was there already.
    pub existed: bool,
}

impl CreateConversation {
    /// Asks the server, then stores the conversation with the messages that came along.
    ///
    /// # Errors
    /// [`ChatError`] of the service or the store.
    ///
    /// # Cancel safety
    /// Dropped while the request is out, the server may have created it; the next listing or the
    /// same call shows it. The same call, repeated while one is under way, joins it.
    pub async fn execute(self, ports: &Ports) -> Result<Created, ChatError> {
        let (key, own) = (format!("{:?}", self.new), ports.clone());
        ports
            .creations
            .join(key, async move { self.create(&own).await })
            .await
    }

    async fn create(self, ports: &Ports) -> Result<Created, ChatError> {
        if let Some(context) = &self.new.context {
            text::validate(&context.kind, 200)
                .map_err(|error| field("context_type", "create.bad_context", &error))?;
        }
        let (said, messages, existed) = match ports.service.create_conversation(&self.new).await? {
            CreateOutcome::Created(said, messages) => (said, messages, false),
            CreateOutcome::Existing(said, messages) => (said, messages, true),
        };
        let now = ports.platform.wall();
        let platform = ports.platform.clone();
        let conversation = ports
            .repository
            .transact(Durability::Normal, move |rows| {
                conversations::unbury(rows, &said.id)?;
                let stored = conversations::upsert(rows, said)?;
                if messages.is_empty() {
                    return Ok(stored);
                }
                let mut editor = Editor::open(rows, &stored.id)?;
                let request = Merge {
                    page: &messages,
                    placement: Placement::Live,
                    proof: None,
                    now,
                };
                merge::merge(&mut editor, request, &mut || platform.mint())?;
                editor.finish()
            })
            .await?;
        Ok(Created {
            conversation,
            existed,
        })
    }
}

fn field(field: &'static str, code: &'static str, error: &text::TextError) -> ChatError {
    ChatError::InvalidInput {
        field,
        code,
        text: error.to_string(),
    }
}
