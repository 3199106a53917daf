//! A consultation's messages: reading and posting.

use axum::{
    Extension,
    extract::{Path, Query, State},
    http::HeaderMap,
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Problem, Reply, consultations,
    posting::{self, Posted},
    requests::{Body, Caller, bounded},
    shapes,
};
use crate::{app::Shared, config::Dialect, store::Message, turns::TurnPlan};

/// What `list` takes.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    limit: Option<String>,
    offset: Option<String>,
    after_seq: Option<String>,
}

/// `GET /consultations/{id}/messages`: oldest first. The 0.34 dialect knows no paging and ignores
/// what asks for it.
pub(super) async fn list(
    State(app): State<Shared>,
    Caller(user): Caller,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Result<Reply, Problem> {
    let id = consultations::owned(&app, &user, &id).await?.id;
    if app.config.extensions
        && let Some(after) = page.after_seq.as_deref()
    {
        return newer(&app, id, after, page.limit.as_deref()).await;
    }
    if app.config.dialect == Dialect::S34 {
        return whole(&app, id).await;
    }
    let limit = bounded("limit", page.limit.as_deref(), 1..=100, 50)?;
    let offset = bounded("offset", page.offset.as_deref(), 0..=u32::MAX, 0)?;
    let read = move |db: &rusqlite::Connection| {
        Ok((
            Message::page(db, &id, Some(limit), offset)?,
            Message::count(db, &id)?,
        ))
    };
    let (rows, total) = app.store.run(read).await?;
    Ok(Reply::ok(json!({
        "messages": render(&app, &rows), "total_count": total, "limit": limit, "offset": offset,
    })))
}

async fn whole(app: &Shared, id: String) -> Result<Reply, Problem> {
    let rows = app
        .store
        .run(move |db| Message::page(db, &id, None, 0))
        .await?;
    Ok(Reply::ok(
        json!({ "messages": render(app, &rows), "total_count": rows.len() }),
    ))
}

/// The rows after a sequence number (extension). `total_count` is that of the whole consultation.
async fn newer(
    app: &Shared,
    id: String,
    after: &str,
    limit: Option<&str>,
) -> Result<Reply, Problem> {
    let after: u64 = after
        .parse()
        .map_err(|_| Problem::bad_request("invalid after_seq"))?;
    let limit = bounded("limit", limit, 1..=100, 100)?;
    let read = move |db: &rusqlite::Connection| {
        Ok((
            Message::after(db, &id, after, Some(limit))?,
            Message::count(db, &id)?,
        ))
    };
    let (rows, total) = app.store.run(read).await?;
    Ok(Reply::ok(
        json!({ "messages": render(app, &rows), "total_count": total, "limit": limit }),
    ))
}

fn render(app: &Shared, rows: &[Message]) -> Vec<serde_json::Value> {
    rows.iter()
        .map(|row| shapes::message(&app.config, row, false))
        .collect()
}

/// What `post` takes.
#[derive(Debug, Deserialize)]
pub(super) struct Post {
    content: Option<String>,
    client_id: Option<String>,
}

/// `POST /consultations/{id}/messages`
pub(super) async fn post(
    State(app): State<Shared>,
    Caller(user): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    plan: Option<Extension<TurnPlan>>,
    Body(post): Body<Post>,
) -> Result<Reply, Problem> {
    let id = consultations::owned(&app, &user, &id).await?.id;
    let client_id = posting::key(&headers)
        .or(post.client_id)
        .filter(|_| app.config.extensions);
    let content = post.content.unwrap_or_default();
    let Posted { row, duplicate } = posting::store(&app, &id, &content, client_id).await?;
    let message = shapes::message(&app.config, &row, true);
    let data = match app.config.dialect {
        Dialect::Production => json!({ "user_message": message }),
        Dialect::S34 => message,
    };
    if duplicate {
        return Ok(Reply::ok(data));
    }
    posting::announce(
        &app,
        row,
        plan.map(|Extension(plan)| plan).unwrap_or_default(),
        None,
    );
    Ok(match app.config.dialect {
        Dialect::Production => Reply::created(data),
        Dialect::S34 => Reply::accepted(data),
    })
}
