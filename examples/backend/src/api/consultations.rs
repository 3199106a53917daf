//! Consultations: create, list, get, complete, delete, and what hangs on them.

use axum::{
    extract::{Path, Query, State},
    http::HeaderMap,
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Problem, Reply, posting,
    requests::{Body, Caller, bounded},
    shapes,
};
use crate::{
    app::Shared,
    clock,
    config::{BackendConfig, ConflictPolicy},
    store::{Consultation, Filter, Message, NewConsultation, NewMessage},
    turns::{self, TurnPlan},
    ws::Outgoing,
};

const PERSONAS: [&str; 5] = [
    "nutritionist",
    "fitness_coach",
    "wellness_specialist",
    "general_wellness",
    "triage",
];
pub(super) const CONTEXTS: [&str; 5] = ["general", "goal", "insight", "mood", "journal"];
const STATUSES: [&str; 5] = ["pending", "active", "completed", "abandoned", "archived"];

/// What `create` takes.
#[derive(Debug, Deserialize)]
pub(super) struct Create {
    persona: Option<String>,
    initial_message: Option<String>,
    context_type: Option<String>,
    context_id: Option<String>,
    quick_action: Option<String>,
    goal_id: Option<String>,
}

enum Created {
    New(Box<Beginning>),
    /// It was created before, under the same key.
    Again(Box<Consultation>),
    Twin(Box<Consultation>),
    TooMany,
}

/// A new consultation and its first message, whoever speaks first.
struct Beginning {
    row: Consultation,
    greeting: Option<Message>,
    question: Option<Message>,
}

/// `POST /consultations`
pub(super) async fn create(
    State(app): State<Shared>,
    Caller(user): Caller,
    headers: HeaderMap,
    Body(create): Body<Create>,
) -> Result<Reply, Problem> {
    check(&create)?;
    let key = posting::key(&headers).filter(|_| app.config.extensions);
    posting::check_client_id(key.as_deref())?;
    let config = app.config.clone();
    match app
        .store
        .run(move |db| insert(db, &config, user, create, key))
        .await?
    {
        Created::Again(row) => Ok(Reply::ok(json!({
            "consultation": shapes::consultation(&row, true),
            "needs_survey": false,
        }))),
        Created::Twin(twin) => Err(conflict(&twin)),
        Created::TooMany => Err(Problem::too_many_active(app.config.max_active)),
        Created::New(beginning) => {
            let Beginning {
                row,
                greeting,
                question,
            } = *beginning;
            let mut data = json!({
                "consultation": shapes::consultation(&row, true),
                "needs_survey": false,
            });
            if let (Some(greeting), Some(data)) = (greeting, data.as_object_mut()) {
                let greeting = shapes::message(&app.config, &greeting, true);
                data.insert("greeting_message".to_owned(), greeting);
            }
            if let Some(question) = question {
                turns::ask(&app, question, TurnPlan::default());
            }
            app.journal.bump();
            Ok(Reply::created(data))
        }
    }
}

fn check(create: &Create) -> Result<(), Problem> {
    if !create
        .persona
        .as_deref()
        .is_some_and(|persona| PERSONAS.contains(&persona))
    {
        return Err(Problem::invalid("invalid persona"));
    }
    if create
        .context_type
        .as_deref()
        .is_some_and(|context| !CONTEXTS.contains(&context))
    {
        return Err(Problem::invalid("invalid context_type"));
    }
    // The server knows its goals by lowercase ids; anything else is not one of them.
    let goals = [create.goal_id.as_deref(), goal_context(create)];
    if goals
        .into_iter()
        .flatten()
        .any(|id| id.chars().any(char::is_uppercase))
    {
        return Err(Problem::goal_not_found());
    }
    create
        .initial_message
        .as_deref()
        .map_or(Ok(()), posting::check)
}

fn goal_context(create: &Create) -> Option<&str> {
    create
        .context_id
        .as_deref()
        .filter(|_| create.context_type.as_deref() == Some("goal"))
}

fn insert(
    db: &rusqlite::Connection,
    config: &BackendConfig,
    user: String,
    create: Create,
    key: Option<String>,
) -> rusqlite::Result<Created> {
    if let Some(key) = &key
        && let Some(row) = Consultation::created_under(db, &user, key)?
    {
        return Ok(Created::Again(Box::new(row)));
    }
    let new = NewConsultation {
        user_id: user,
        persona: create.persona.unwrap_or_default(),
        goal_id: create.goal_id,
        context_type: create.context_type,
        context_id: create.context_id,
        quick_action: create.quick_action,
    };
    if config.conflicts == ConflictPolicy::OnePerContext
        && let Some(twin) = Consultation::twin(db, &new)?
    {
        return Ok(Created::Twin(Box::new(twin)));
    }
    if Consultation::count_active(db, &new.user_id)? >= config.max_active {
        return Ok(Created::TooMany);
    }
    let now = clock::now();
    let row = Consultation::insert(db, &new, now)?;
    if let Some(key) = &key {
        row.note_key(db, key)?;
    }
    let append = |new: NewMessage| Message::insert(db, &new, now);
    let question = create
        .initial_message
        .map(|text| NewMessage::user(&row.id, &text, None));
    // A greeting is for those who have not spoken yet.
    let greeting = config.greeting.as_ref().filter(|_| question.is_none());
    let greeting = greeting.map(|text| append(NewMessage::assistant(&row.id, text, 0, 0)));
    let (greeting, question) = (greeting.transpose()?, question.map(append).transpose()?);
    Ok(Created::New(Box::new(Beginning {
        row,
        greeting,
        question,
    })))
}

fn conflict(twin: &Consultation) -> Problem {
    let mut details = json!({
        "existing_consultation_id": twin.id,
        "persona": twin.persona,
        "status": twin.status,
        "can_continue": true,
    });
    if let (Some(goal), Some(details)) = (&twin.goal_id, details.as_object_mut()) {
        details.insert("goal_id".to_owned(), json!(goal));
    }
    let message =
        "conflicting consultation: already have an active consultation for this persona and goal";
    Problem::conflict(message, details)
}

/// What `list` takes.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    status: Option<String>,
    persona: Option<String>,
    limit: Option<String>,
    offset: Option<String>,
}

/// `GET /consultations`: only active ones unless told otherwise.
pub(super) async fn list(
    State(app): State<Shared>,
    Caller(user): Caller,
    Query(query): Query<ListQuery>,
) -> Result<Reply, Problem> {
    let status = query.status.unwrap_or_else(|| "active".to_owned());
    if !STATUSES.contains(&status.as_str()) {
        return Err(Problem::bad_request("invalid status"));
    }
    if query
        .persona
        .as_deref()
        .is_some_and(|persona| !PERSONAS.contains(&persona))
    {
        return Err(Problem::bad_request("invalid persona"));
    }
    let limit = bounded("limit", query.limit.as_deref(), 1..=100, 20)?;
    let offset = bounded("offset", query.offset.as_deref(), 0..=u32::MAX, 0)?;
    let filter = Filter {
        user_id: user,
        status,
        persona: query.persona,
        limit,
        offset,
    };
    let (page, total) = app
        .store
        .run(move |db| Consultation::list(db, &filter))
        .await?;
    let page: Vec<_> = page
        .iter()
        .map(|row| shapes::consultation(row, false))
        .collect();
    Ok(Reply::ok(json!({
        "consultations": page, "total_count": total, "limit": limit, "offset": offset,
    })))
}

/// The caller's consultation. Production answers uppercase ids in reads, so case is ignored.
pub(super) async fn owned(app: &Shared, user: &str, id: &str) -> Result<Consultation, Problem> {
    let id = id.to_lowercase();
    let found = app.store.run(move |db| Consultation::find(db, &id)).await?;
    let row = found.ok_or_else(Problem::no_consultation)?;
    if row.user_id == user {
        Ok(row)
    } else {
        Err(Problem::forbidden("not your consultation"))
    }
}

/// `GET /consultations/{id}`; with extensions it tells the caller's read marker.
pub(super) async fn get(
    State(app): State<Shared>,
    Caller(user): Caller,
    Path(id): Path<String>,
) -> Result<Reply, Problem> {
    let row = owned(&app, &user, &id).await?;
    let mut data = shapes::consultation(&row, false);
    if app.config.extensions
        && let Some(data) = data.as_object_mut()
    {
        let read = move |db: &rusqlite::Connection| Message::read_marker(db, &row.id, &user);
        data.insert(
            "read_up_to_seq".to_owned(),
            json!(app.store.run(read).await?),
        );
    }
    Ok(Reply::ok(data))
}

/// `DELETE /consultations/{id}`: whatever its status, with its messages.
pub(super) async fn delete(
    State(app): State<Shared>,
    Caller(user): Caller,
    Path(id): Path<String>,
) -> Result<Reply, Problem> {
    let row = owned(&app, &user, &id).await?;
    let id = row.id.clone();
    app.store
        .run(move |db| Consultation::delete(db, &id))
        .await?;
    end_sockets(&app, &row.id, "consultation deleted");
    app.hub.forget(&row.id);
    Ok(Reply::no_content())
}

/// `POST /consultations/{id}/complete`
pub(super) async fn complete(
    State(app): State<Shared>,
    Caller(user): Caller,
    Path(id): Path<String>,
) -> Result<Reply, Problem> {
    let id = owned(&app, &user, &id).await?.id;
    let completed = app
        .store
        .run(move |db| Consultation::complete(db, &id, clock::now()))
        .await?;
    let row = completed.ok_or_else(|| Problem::not_active(app.config.dialect))?;
    end_sockets(&app, &row.id, "consultation completed");
    Ok(Reply::ok(shapes::consultation(&row, false)))
}

/// A socket lives until its consultation is over.
fn end_sockets(app: &Shared, conversation: &str, reason: &str) {
    app.hub.stop(conversation);
    app.hub.send_all(
        conversation,
        &Outgoing::Close {
            code: 1000,
            reason: reason.to_owned(),
        },
    );
}
