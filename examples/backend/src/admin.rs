//! The admin endpoint: faults, network, records. On a port of its own, so that it works while the
//! public one refuses; only for callers on this machine.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{ConnectInfo, Path, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::Shared,
    backend::StoredMessage,
    clock,
    journal::Traffic,
    network::Network,
    store::{Message, tokens},
    ws::Outgoing,
};

/// All admin routes.
pub(crate) fn routes(app: Shared) -> Router {
    Router::new()
        .route(
            "/admin/faults",
            get(faults).post(add_faults).delete(clear_faults),
        )
        .route("/admin/faults/{id}", delete(remove_fault))
        .route("/admin/requests", get(requests).delete(clear_records))
        .route("/admin/frames", get(frames))
        .route("/admin/state", get(state))
        .route("/admin/messages/{conversation}", get(messages))
        .route("/admin/network", get(network).post(set_network))
        .route("/admin/kick", post(kick))
        .route("/admin/push", post(push))
        .route("/admin/coach", post(coach))
        .route("/admin/tokens/expire", post(expire_tokens))
        .route("/admin/tokens/revoke", post(revoke_tokens))
        .layer(middleware::from_fn(only_loopback))
        .with_state(app)
}

/// The listener is on loopback already; this is for the day someone puts a proxy before it, and for
/// web pages, which can reach loopback too but never without an `Origin` when they post.
async fn only_loopback(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let relayed = ["x-forwarded-for", "forwarded", "origin"];
    let is_relayed = relayed
        .iter()
        .any(|name| request.headers().contains_key(*name));
    if peer.ip().is_loopback() && !is_relayed {
        return next.run(request).await;
    }
    Refusal(StatusCode::FORBIDDEN, "only from this machine".to_owned()).into_response()
}

/// Why an admin request was not carried out.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": { "message": self.1 } }))).into_response()
    }
}

fn bad_request(why: impl ToString) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, why.to_string())
}

fn internal(why: impl ToString) -> Refusal {
    Refusal(StatusCode::INTERNAL_SERVER_ERROR, why.to_string())
}

fn parse<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(bad_request)
}

async fn faults(State(app): State<Shared>) -> Json<Value> {
    Json(json!({ "rules": app.faults.list() }))
}

async fn add_faults(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let ids = app
        .faults
        .add_json(&String::from_utf8_lossy(&body))
        .map_err(bad_request)?;
    Ok((StatusCode::CREATED, Json(json!({ "ids": ids }))))
}

async fn clear_faults(State(app): State<Shared>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

async fn remove_fault(State(app): State<Shared>, Path(id): Path<String>) -> StatusCode {
    if app.faults.remove(&id) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

async fn requests(State(app): State<Shared>) -> Json<Value> {
    Json(json!({ "requests": app.journal.requests() }))
}

async fn frames(State(app): State<Shared>) -> Json<Value> {
    Json(json!({ "frames": app.journal.frames() }))
}

async fn clear_records(State(app): State<Shared>) -> StatusCode {
    app.journal.clear();
    StatusCode::NO_CONTENT
}

async fn state(State(app): State<Shared>) -> Json<Value> {
    let (received, sent) = app.door.bytes();
    Json(json!({
        "url": format!("http://{}", app.door.addr()),
        "network": app.door.network(),
        "sockets": app.hub.sockets(),
        "turns": app.hub.turns(),
        "traffic": Traffic { received, sent },
        "refreshes": app.journal.refreshes(),
        "rules": app.faults.list().len(),
    }))
}

async fn messages(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let read = app
        .store
        .run(move |db| Message::page(db, &id, None, 0))
        .await;
    let rows = read.map_err(internal)?.into_iter().map(StoredMessage::from);
    Ok(Json(json!({ "messages": rows.collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
struct Mode {
    mode: Network,
}

async fn network(State(app): State<Shared>) -> Json<Value> {
    Json(json!({ "mode": app.door.network() }))
}

async fn set_network(State(app): State<Shared>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let Mode { mode } = parse(&body)?;
    app.door.set_network(mode).map_err(internal)?;
    Ok(Json(json!({ "mode": mode })))
}

#[derive(Deserialize)]
struct Kick {
    conversation: String,
    #[serde(default = "going_away")]
    code: u16,
    #[serde(default)]
    reason: String,
}

fn going_away() -> u16 {
    1001
}

async fn kick(State(app): State<Shared>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let Kick {
        conversation,
        code,
        reason,
    } = parse(&body)?;
    let close = Outgoing::Close { code, reason };
    Ok(Json(
        json!({ "sockets": app.hub.send_all(&conversation, &close) }),
    ))
}

#[derive(Deserialize)]
struct Push {
    conversation: String,
    text: Option<String>,
    json: Option<Value>,
    base64: Option<String>,
    #[serde(default)]
    binary: bool,
}

/// Sends a frame as it is: `json`, `text`, or `base64` for what is neither.
async fn push(State(app): State<Shared>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let push: Push = parse(&body)?;
    let bytes = match (push.text, push.json, push.base64) {
        (Some(text), None, None) => Some(text.into_bytes()),
        (None, Some(json), None) => Some(json.to_string().into_bytes()),
        (None, None, Some(base64)) => STANDARD.decode(base64).ok(),
        _ => None,
    };
    let bytes = bytes.ok_or_else(|| bad_request("give one of `text`, `json` and `base64`"))?;
    let frame = Outgoing::Verbatim {
        bytes,
        binary: push.binary,
    };
    Ok(Json(
        json!({ "sockets": app.hub.send_all(&push.conversation, &frame) }),
    ))
}

#[derive(Deserialize)]
struct Pace {
    word_delay_ms: u64,
}

async fn coach(State(app): State<Shared>, body: Bytes) -> Result<StatusCode, Refusal> {
    let Pace { word_delay_ms } = parse(&body)?;
    app.coach
        .set_word_delay(Duration::from_millis(word_delay_ms));
    Ok(StatusCode::NO_CONTENT)
}

async fn expire_tokens(State(app): State<Shared>) -> StatusCode {
    done(
        app.store
            .run(|db| tokens::expire_access(db, clock::now()))
            .await,
    )
}

async fn revoke_tokens(State(app): State<Shared>) -> StatusCode {
    done(app.store.run(tokens::revoke_refresh).await)
}

fn done(result: rusqlite::Result<()>) -> StatusCode {
    match result {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
