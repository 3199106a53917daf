//! From an HTTP request to a session.

use std::sync::Arc;

use super::session::{self, Guest};
use crate::{
    api::{Problem, auth},
    app::Shared,
    config::Dialect,
    network::WireInfo,
    store::Consultation,
};
use axum::{
    Extension,
    extract::{
        ConnectInfo, Path, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection,
    },
    http::HeaderMap,
    response::{IntoResponse, Response},
};

/// Larger frames from a client are refused with 1009 before they are buffered.
const MAX_FRAME: usize = 256 * 1024;

/// How a fault rule spoils a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct UpgradePlan {
    /// The `connected` frame never comes.
    pub(crate) no_connected: bool,
    /// The socket is closed as soon as it is open.
    pub(crate) close: Option<(u16, String)>,
}

/// `GET /consultations/{id}/ws`
pub(crate) async fn upgrade(
    State(app): State<Shared>,
    ConnectInfo(WireInfo(wire)): ConnectInfo<WireInfo>,
    Path(id): Path<String>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    plan: Option<Extension<UpgradePlan>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let user = match admit(&app, &id, &headers, uri.query()).await {
        Ok(user) => user,
        Err(problem) => return problem.into_response(),
    };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let resume = auth::query_value(uri.query(), "resume").and_then(|after| after.parse().ok());
    let resume = resume.filter(|_| app.config.extensions);
    let plan = plan.map(|Extension(plan)| plan).unwrap_or_default();
    wire.mark_websocket();
    let guest = Guest {
        app,
        wire: Arc::clone(&wire),
        conversation: id,
        user,
        resume,
        plan,
    };
    upgrade
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .on_upgrade(|socket| session::run(guest, socket))
}

/// Handshake failures are plain HTTP: 400, 401, 403, 404.
async fn admit(
    app: &Shared,
    id: &str,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<String, Problem> {
    let needs_token = app.config.sign_in_required || !app.config.tokens.is_empty();
    if app.config.dialect == Dialect::S34 && needs_token && auth::token(headers, query).is_none() {
        return Err(Problem::bad_request("missing token"));
    }
    let user = auth::identify(app, headers, query).await?;
    if uuid::Uuid::try_parse(id).is_err() {
        return Err(Problem::bad_request("invalid consultation id"));
    }
    // Paths are case-sensitive here, unlike in reads: production wants lowercase.
    let wanted = id.to_owned();
    let found = app
        .store
        .run(move |db| Consultation::find(db, &wanted))
        .await?;
    let consultation = found.ok_or_else(Problem::no_consultation)?;
    if consultation.user_id != user {
        return Err(Problem::forbidden("not your consultation"));
    }
    if !consultation.is_active() {
        return Err(Problem::bad_request("consultation is not active"));
    }
    Ok(user)
}
