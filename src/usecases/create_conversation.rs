//! `CreateConversation`: creates one, or returns the one the server says is in its place.

use crate::{
    domain::{
        conversation::Conversation,
        ports::{CreateOutcome, Durability, NewConversation},
        rules::{conversations, intents},
        text,
    },
    error::ChatError,
    usecases::Ports,
};

/// Bytes of one field of a creation, and fields: more than any backend takes.
const LONGEST: usize = 32 * 1024;
const MOST: usize = 64;

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

    /// What is queued is stored: it must have an end.
    fn check_size(&self) -> Result<(), ChatError> {
        let new = &self.new;
        let context = new.context.as_ref().and_then(|context| context.id.as_ref());
        let texts = new.persona.iter().chain(context);
        let fields = new
            .attributes
            .iter()
            .flat_map(|(name, value)| [name, value]);
        let long = texts.chain(fields).any(|text| text.len() > LONGEST);
        if long || new.attributes.len() > MOST {
            return Err(ChatError::InvalidInput {
                field: "attributes",
                code: "create.too_large",
                text: "a conversation's fields are too many or too long".to_owned(),
            });
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ChatError> {
        let Some(context) = &self.new.context else {
            return Ok(());
        };
        text::validate(&context.kind, 200)
            .map_err(|error| field("context_type", "create.bad_context", &error))
    }

    async fn create(self, ports: &Ports) -> Result<Created, ChatError> {
        self.check()?;
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
                let stored = conversations::upsert(rows, said, now)?;
                let mint = &mut || platform.mint();
                let greeted = conversations::greet(rows, &stored.id, &messages, now, mint)?;
                Ok(greeted.0)
            })
            .await?;
        Ok(Created {
            conversation,
            existed,
        })
    }
}

/// Begins a conversation that need not be on the server yet.
#[derive(Clone, Debug)]
pub struct BeginConversation {
    /// What to create.
    pub new: NewConversation,
}

impl BeginConversation {
    /// Stores the conversation under a local id and queues its creation. Messages may be sent into
    /// it at once; they leave when it exists. A refused creation fails them with it.
    ///
    /// # Errors
    /// Validation and the store's; nothing is stored then.
    ///
    /// # Cancel safety
    /// All or nothing; once stored it is created all the same.
    ///
    /// # Persistence
    /// Conversation and outbox entry in one transaction, which survives a power cut.
    pub async fn execute(self, ports: &Ports) -> Result<Conversation, ChatError> {
        let new = self.new;
        let create = CreateConversation { new: new.clone() };
        create.check()?;
        create.check_size()?;
        let stamp = ports.stamp();
        let begun = ports
            .repository
            .transact(Durability::Full, move |rows| {
                intents::begin(rows, new, stamp)
            })
            .await?;
        ports.dispatch.wake();
        Ok(begun)
    }
}

fn field(field: &'static str, code: &'static str, error: &text::TextError) -> ChatError {
    ChatError::InvalidInput {
        field,
        code,
        text: error.to_string(),
    }
}
