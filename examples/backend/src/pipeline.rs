//! What every request passes through: the records, the network's state, the fault rules, and the
//! envelope.

mod answers;

use std::{sync::Arc, time::Instant};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    api::{self, Problem, auth},
    app::Shared,
    faults::{Action, Decision, Event, On},
    journal::{AuthPlacement, RequestRecord},
    network::{Flow, Network, Wire, WireInfo},
    turns::TurnPlan,
    ws::UpgradePlan,
};

/// Request bodies beyond this are refused; the protocol's largest is 20 KB.
const MAX_BODY: usize = 1 << 20;

/// The outermost layer.
pub(crate) async fn run(
    State(app): State<Shared>,
    ConnectInfo(WireInfo(wire)): ConnectInfo<WireInfo>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let upgrade = is_upgrade(&parts.headers);
    let id = app.journal.begin(record(&parts, &wire, upgrade));
    let passage = Passage {
        app: Arc::clone(&app),
        wire,
        next,
        id,
    };
    let response = if upgrade {
        passage.upgrade(Request::from_parts(parts, body)).await
    } else {
        match to_bytes(body, MAX_BODY).await {
            Ok(body) => passage.http(parts, body).await,
            Err(_) => passage.render(Problem::too_large().into_response()),
        }
    };
    let (status, bytes) = (response.status().as_u16(), answers::length(&response));
    app.journal.amend(id, |record| {
        // A connection that was cut never saw this answer.
        if status != answers::NEVER_SENT {
            record.status = Some(status);
            record.bytes_out = bytes;
        }
        record.duration_ms = u64::try_from(started.elapsed().as_millis()).ok();
    });
    response
}

/// One request on its way.
struct Passage {
    app: Shared,
    wire: Arc<Wire>,
    next: Next,
    id: u64,
}

impl Passage {
    async fn upgrade(self, mut request: Request) -> Response {
        if self.app.door.network() == Network::NoWebsocket {
            return self.cut();
        }
        let decision = self.decide(On::Upgrade, request.method().as_str(), request.uri().path());
        tokio::time::sleep(decision.delay).await;
        let mut plan = UpgradePlan::default();
        match decision.action {
            Some(Action::NoConnected) => plan.no_connected = true,
            Some(Action::Close { code, reason }) => plan.close = Some((code, reason)),
            Some(action) => return self.instead(action).await,
            None => {}
        }
        request.extensions_mut().insert(plan);
        let response = self.next.clone().run(request).await;
        self.render(response)
    }

    async fn http(self, mut parts: Parts, body: Bytes) -> Response {
        let received = body.len() as u64;
        self.app
            .journal
            .amend(self.id, |record| record.bytes_in = received);
        let decision = self.decide(On::Http, parts.method.as_str(), parts.uri.path());
        tokio::time::sleep(decision.delay).await;
        let Some(action) = decision.action else {
            return self.process(parts, body).await;
        };
        if let Some(plan) = TurnPlan::from_action(&action) {
            parts.extensions.insert(plan);
            return self.process(parts, body).await;
        }
        match action {
            Action::Duplicate => {
                let first = self.process(parts.clone(), body.clone()).await;
                let _ = self.process(parts, body).await;
                first
            }
            Action::LostAck => {
                let _ = self.process(parts, body).await;
                self.cut()
            }
            Action::FrozenAck => {
                let _ = self.process(parts, body).await;
                self.wire.flow(Flow::Lost, Flow::Lost);
                std::future::pending().await
            }
            Action::LateApply { ms } => {
                let cut = self.cut();
                tokio::spawn(async move {
                    tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
                    let _ = self.process(parts, body).await;
                });
                cut
            }
            Action::Replace { .. }
            | Action::Reset
            | Action::Truncate { .. }
            | Action::SlowBody { .. }
            | Action::Oversize { .. } => {
                let response = self.process(parts, body).await;
                answers::spoil(&self.wire, response, action).await
            }
            other => self.instead(other).await,
        }
    }

    /// Nothing happens to the request but this.
    async fn instead(&self, action: Action) -> Response {
        match action {
            Action::Status {
                code,
                headers,
                body,
                content_type,
            } => answers::status(code, &headers, body, &content_type),
            Action::Captive => answers::captive(),
            Action::Redirect { location } => answers::redirect(&location),
            Action::Freeze { direction } => {
                let (reads, writes) = direction.flows();
                self.wire.flow(reads, writes);
                std::future::pending().await
            }
            Action::Drop => std::future::pending().await,
            _ => self.cut(),
        }
    }

    async fn process(&self, parts: Parts, body: Bytes) -> Response {
        let request = Request::from_parts(parts, Body::from(body));
        let response = self.next.clone().run(request).await;
        self.render(response)
    }

    fn render(&self, response: Response) -> Response {
        api::render(self.app.config.dialect, response)
    }

    fn cut(&self) -> Response {
        self.wire.reset();
        answers::never_sent()
    }

    fn decide(&self, on: On, method: &str, path: &str) -> Decision {
        let event = Event::request(on, method, path, conversation(path));
        let decision = self.app.faults.decide(&event);
        let names = decision.names();
        if !names.is_empty() {
            self.app
                .journal
                .amend(self.id, |record| record.faults = names);
        }
        decision
    }
}

fn record(parts: &Parts, wire: &Wire, upgrade: bool) -> RequestRecord {
    let query = parts.uri.query();
    let in_header = auth::header_token(&parts.headers).is_some();
    RequestRecord {
        id: 0,
        at: String::new(),
        connection: wire.id(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: query.and_then(without_token),
        upgrade,
        auth: match (in_header, auth::query_token(query).is_some()) {
            (true, true) => AuthPlacement::Both,
            (true, false) => AuthPlacement::Header,
            (false, true) => AuthPlacement::Query,
            (false, false) => AuthPlacement::None,
        },
        status: None,
        bytes_in: 0,
        bytes_out: 0,
        duration_ms: None,
        faults: Vec::new(),
    }
}

fn without_token(query: &str) -> Option<String> {
    let rest: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.starts_with("token="))
        .collect();
    if rest.is_empty() {
        None
    } else {
        Some(rest.join("&"))
    }
}

/// The consultation a path is about.
fn conversation(path: &str) -> Option<&str> {
    let (id, _) = path
        .strip_prefix("/api/v1/consultations/")?
        .split_once('/')
        .unwrap_or((path.strip_prefix("/api/v1/consultations/")?, ""));
    Some(id)
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers
        .get(header::UPGRADE)
        .and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

/// A status as its type; what is not one reads as 500.
fn status_code(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
