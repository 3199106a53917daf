//! What the coach offers without being asked: quick actions and goal suggestions.

use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Problem, Reply,
    consultations::{CONTEXTS, owned},
    requests::{Body, Caller},
};
use crate::app::Shared;

/// `GET /consultations/quick-actions`
pub(super) async fn quick_actions(
    Caller(_): Caller,
    Query(query): Query<ActionsQuery>,
) -> Result<Reply, Problem> {
    let context = query.context_type.unwrap_or_else(|| "general".to_owned());
    if !CONTEXTS.contains(&context.as_str()) {
        return Err(Problem::bad_request("invalid context_type"));
    }
    let persona = query
        .persona
        .unwrap_or_else(|| "general_wellness".to_owned());
    let actions: Vec<Value> = [
        (
            "suggest-goal",
            "Suggest a goal",
            "Suggest a goal for me.",
            "target",
        ),
        (
            "check-progress",
            "Check progress",
            "How am I doing?",
            "chart",
        ),
        (
            "boost-motivation",
            "Boost motivation",
            "I need some motivation.",
            "bolt",
        ),
        (
            "troubleshoot-goal",
            "Troubleshoot",
            "I am stuck with my goal.",
            "wrench",
        ),
    ]
    .into_iter()
    .map(|(id, title, prompt, icon)| {
        json!({
            "id": id, "title": title, "prompt": prompt, "icon": icon,
            "context_type": context, "persona": persona,
        })
    })
    .collect();
    Ok(Reply::ok(json!({ "actions": actions })))
}

/// What `quick_actions` takes.
#[derive(Debug, Deserialize)]
pub(super) struct ActionsQuery {
    context_type: Option<String>,
    persona: Option<String>,
}

/// What `suggest_goals` takes.
#[derive(Debug, Deserialize)]
pub(super) struct Suggest {
    max_suggestions: Option<usize>,
}

/// `POST /consultations/{id}/suggest-goals`
pub(super) async fn suggest_goals(
    State(app): State<Shared>,
    Caller(user): Caller,
    Path(id): Path<String>,
    Body(suggest): Body<Suggest>,
) -> Result<Reply, Problem> {
    let row = owned(&app, &user, &id).await?;
    let wanted = suggest.max_suggestions.unwrap_or(3);
    if !(1..=10).contains(&wanted) {
        return Err(Problem::invalid("max_suggestions must be 1 to 10"));
    }
    let suggestions: Vec<_> = (1..=wanted)
        .map(|n| {
            json!({
                "title": format!("Walk {} minutes a day", n * 10),
                "description": "A short walk, every day, at the same time.",
                "goal_type": "activity",
                "target_value": n * 10,
                "target_unit": "minutes",
                "rationale": "Small habits last.",
                "estimated_duration": 21,
                "difficulty": n.div_ceil(2),
            })
        })
        .collect();
    Ok(Reply::ok(json!({
        "consultation_id": row.id,
        "persona": row.persona,
        "suggestions": suggestions,
        "count": wanted,
    })))
}
