//! What the promise needs and upstream lacks. All of it answers 404 unless extensions are on.

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Problem, Reply, consultations, posting,
    requests::{Body, Caller},
    shapes,
};
use crate::{
    app::Shared,
    store::{Change, Message},
    ws::frames,
};

/// `GET /tidings/capabilities`
pub(super) async fn capabilities(State(app): State<Shared>) -> Result<Reply, Problem> {
    require(&app)?;
    Ok(Reply::ok(json!({
        "version": 1,
        "extensions": [
            "idempotency_key", "client_id", "seq", "after_seq", "resume", "stop", "edit",
            "delete_message", "read_marker", "idempotent_create",
        ],
        "limits": { "content_max": posting::MAX_CONTENT, "active_max": app.config.max_active },
    })))
}

fn require(app: &Shared) -> Result<(), Problem> {
    if app.config.extensions {
        Ok(())
    } else {
        Err(Problem::not_found("no such endpoint"))
    }
}

/// `POST /consultations/{id}/stop`: ends the running answer early.
pub(super) async fn stop(
    State(app): State<Shared>,
    Caller(user): Caller,
    Path(id): Path<String>,
) -> Result<Reply, Problem> {
    require(&app)?;
    let id = consultations::owned(&app, &user, &id).await?.id;
    Ok(Reply::ok(json!({ "stopped": app.hub.stop(&id) })))
}

/// What `edit` takes.
#[derive(Debug, Deserialize)]
pub(super) struct Edit {
    content: Option<String>,
}

/// `PATCH /consultations/{id}/messages/{message}`: one's own text only.
pub(super) async fn edit(
    State(app): State<Shared>,
    Caller(user): Caller,
    Path((id, message)): Path<(String, String)>,
    Body(edit): Body<Edit>,
) -> Result<Reply, Problem> {
    let content = edit.content.unwrap_or_default();
    require(&app)?;
    posting::check(&content)?;
    let row = change(&app, &user, &id, message, Change::Edit(content)).await?;
    Ok(Reply::ok(row))
}

/// `DELETE /consultations/{id}/messages/{message}`: leaves a tombstone.
pub(super) async fn delete(
    State(app): State<Shared>,
    Caller(user): Caller,
    Path((id, message)): Path<(String, String)>,
) -> Result<Reply, Problem> {
    require(&app)?;
    let row = change(&app, &user, &id, message, Change::Delete).await?;
    Ok(Reply::ok(row))
}

async fn change(
    app: &Shared,
    user: &str,
    id: &str,
    message: String,
    change: Change,
) -> Result<Value, Problem> {
    let id = consultations::owned(app, user, id).await?.id;
    let wanted = id.clone();
    let found = app
        .store
        .run(move |db| Message::find(db, &wanted, &message))
        .await?;
    let row = found.ok_or_else(|| Problem::not_found("message not found"))?;
    let is_edit = matches!(change, Change::Edit(_));
    if is_edit && row.role != "user" {
        return Err(Problem::forbidden("only your own messages can be edited"));
    }
    if row.deleted {
        // A tombstone stays one: deleting again changes nothing, editing comes too late.
        return if is_edit {
            Err(Problem::not_found("message not found"))
        } else {
            Ok(shapes::message(&app.config, &row, false))
        };
    }
    let changed = app
        .store
        .run(move |db| Message::change(db, &row, &change))
        .await?;
    let row = changed.ok_or_else(|| Problem::not_found("message not found"))?;
    app.hub
        .broadcast(&id, &[frames::updated(&app.config, &row)], None);
    app.journal.bump();
    Ok(shapes::message(&app.config, &row, false))
}

/// What `read` takes.
#[derive(Debug, Deserialize)]
pub(super) struct Read {
    up_to_seq: Option<u64>,
}

/// `PUT /consultations/{id}/read`: the marker moves forward only.
pub(super) async fn read(
    State(app): State<Shared>,
    Caller(user): Caller,
    Path(id): Path<String>,
    Body(read): Body<Read>,
) -> Result<Reply, Problem> {
    require(&app)?;
    let id = consultations::owned(&app, &user, &id).await?.id;
    let wanted = read
        .up_to_seq
        .ok_or_else(|| Problem::bad_request("missing up_to_seq"))?;
    let (conversation, reader) = (id.clone(), user.clone());
    let (before, now) = app
        .store
        .run(move |db| {
            let before = Message::read_marker(db, &conversation, &reader)?;
            Ok((
                before,
                Message::mark_read(db, &conversation, &reader, wanted)?,
            ))
        })
        .await?;
    if now > before {
        app.hub
            .broadcast(&id, &[frames::read_marker(&id, &user, now)], None);
    }
    Ok(Reply::ok(json!({ "up_to_seq": now })))
}
