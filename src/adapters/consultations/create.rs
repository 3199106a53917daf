//! Creating, and what to do when the server has one already: never delete, find it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{
    adapters::{
        consultations::{
            envelope::{Complaint, Envelope},
            service::{ConsultationsService, Fetched, lower_if_uuid},
            wire,
        },
        http::{Effect, HttpReply, HttpRequest, status},
    },
    domain::{
        conversation::{Context, ServerConversation},
        message::{Role, ServerMessage},
        ports::{CreateOutcome, ListScope, NewConversation},
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
        sorted_map::SortedMap,
    },
};

/// The only further fields that the server takes.
const ATTRIBUTES: [&str; 3] = ["goal_id", "initial_message", "quick_action"];

/// The server's cap on active conversations.
const MOST_ACTIVE: usize = 10;

impl ConsultationsService {
    pub(super) async fn create(
        &self,
        new: &NewConversation,
    ) -> Result<CreateOutcome, ServiceError> {
        self.check_persona(new)?;
        let mut request = HttpRequest::post(self.collection()?, Some(body(new)));
        if let Some(key) = new.key.filter(|_| self.config.extensions) {
            request = request.header("idempotency-key", &key.to_string());
        }
        let reply = self.call(request).await?;
        if reply.is_success() && !reply.is_page() {
            let (conversation, messages) =
                created(&reply).ok_or_else(|| status::unreadable(&reply, Effect::Write))?;
            return Ok(CreateOutcome::Created(conversation, messages));
        }
        let complaint = Complaint::read(&reply.body);
        let error = self.refusal(&reply, &complaint, Effect::Write);
        match error.kind {
            FailureKind::Conflict { .. } => self.existing(new, error).await,
            FailureKind::RateLimited => Err(self.capped_or(error, &complaint).await),
            _ => Err(error),
        }
    }

    /// A persona the server does not know is refused here, with the list of those it does.
    fn check_persona(&self, new: &NewConversation) -> Result<(), ServiceError> {
        let known = &self.config.personas;
        let problem = match &new.persona {
            None => "a persona is required".to_owned(),
            Some(persona) if known.is_empty() || known.contains(persona) => return Ok(()),
            Some(_) => format!("the service knows no such persona, only {}", listed(known)),
        };
        Err(ServiceError::new(
            FailureKind::Invalid,
            RetryClass::Never,
            Outcome::NotApplied,
            &problem,
        ))
    }

    async fn existing(
        &self,
        new: &NewConversation,
        conflict: ServiceError,
    ) -> Result<CreateOutcome, ServiceError> {
        if let FailureKind::Conflict { existing: Some(id) } = &conflict.kind {
            let fetched = self.fetch(id).await?;
            return Ok(found(fetched));
        }
        match self.find_active(new).await? {
            Some(conversation) => Ok(CreateOutcome::Existing(conversation, Vec::new())),
            None => Err(ServiceError {
                detail: "the service has such a conversation already, and does not say which"
                    .into(),
                ..conflict
            }),
        }
    }

    /// The active conversation with the same persona and the very same context.
    async fn find_active(
        &self,
        new: &NewConversation,
    ) -> Result<Option<ServerConversation>, ServiceError> {
        let wanted = wanted_context(new);
        let mut cursor = None;
        loop {
            let page = self.list_page(&ListScope::Active, cursor.as_ref()).await?;
            let mut listed = page.conversations.into_iter();
            if let Some(found) = listed.find(|c| fits(c, new, wanted.as_ref())) {
                return Ok(Some(found));
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(None);
            }
        }
    }

    /// Tells the cap on active conversations, which no waiting cures, from an overload.
    async fn capped_or(&self, mut error: ServiceError, complaint: &Complaint) -> ServiceError {
        let hinted = matches!(error.retry, RetryClass::After(_));
        let silent = complaint.code.is_none() && !hinted;
        if complaint.is_too_many_active() || (silent && self.is_at_the_cap().await) {
            error.kind = FailureKind::TooManyActive;
            error.retry = RetryClass::Never;
            error.detail = "too many active conversations: complete or delete one".into();
        }
        error
    }

    async fn is_at_the_cap(&self) -> bool {
        let page = self.list_page(&ListScope::Active, None).await;
        page.is_ok_and(|page| page.conversations.len() >= MOST_ACTIVE)
    }
}

fn found(fetched: Fetched) -> CreateOutcome {
    CreateOutcome::Existing(fetched.conversation, fetched.messages)
}

fn listed(known: &BTreeSet<String>) -> String {
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    names.join(", ")
}

/// The request: only fields that the server knows. A goal travels as the context alone, because
/// two links that disagree by as much as their case are answered with 404.
fn body(new: &NewConversation) -> String {
    let mut fields = Map::new();
    let mut put = |name: &str, value: &str| {
        fields.insert(name.to_owned(), Value::from(value));
    };
    if let Some(persona) = &new.persona {
        put("persona", persona);
    }
    if let Some(context) = &new.context {
        put("context_type", &context.kind);
        if let Some(id) = &context.id {
            put("context_id", &lower_if_uuid(id));
        }
    }
    for (name, value) in &new.attributes {
        let doubled = name == "goal_id" && new.context.is_some();
        if ATTRIBUTES.contains(&name.as_str()) && !doubled {
            put(name, &lower_if_uuid(value));
        }
    }
    Value::Object(fields).to_string()
}

fn wanted_context(new: &NewConversation) -> Option<Context> {
    let goal = |id: &String| Context {
        kind: "goal".into(),
        id: Some(id.clone()),
    };
    let linked = || new.attributes.get("goal_id").map(goal);
    new.context.clone().or_else(linked)
}

fn fits(listed: &ServerConversation, new: &NewConversation, wanted: Option<&Context>) -> bool {
    listed.persona == new.persona && same_context(listed.context.as_ref(), wanted)
}

fn same_context(one: Option<&Context>, other: Option<&Context>) -> bool {
    let folded = |context: &Context| {
        let id = context.id.as_deref().map(str::to_ascii_lowercase);
        (context.kind.clone(), id)
    };
    one.map(folded) == other.map(folded)
}

/// Reads a new conversation, wrapped or bare, with every message that came along, each once.
fn created(reply: &HttpReply) -> Option<(ServerConversation, Vec<ServerMessage>)> {
    let envelope = Envelope::open(&reply.body)?;
    let fetched = Fetched::read(reply)?;
    let mut messages = fetched.messages;
    messages.extend(wire::messages(&envelope.data, &["messages"]).0);
    for name in ["greeting_message", "survey_message"] {
        let object = envelope.data.object(&[name]);
        messages.extend(object.and_then(|o| wire::message(&o, Some(Role::Assistant))));
    }
    let mut seen = SortedMap::new();
    messages.retain(|message| seen.insert(message.id.clone(), ()).is_none());
    Some((fetched.conversation, messages))
}
