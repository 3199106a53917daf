//! The shared HTTP client: bounded in time and size, following nothing, retrying nothing.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use http::{
    Method, Request, Response, Uri,
    header::{
        ACCEPT, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
        SET_COOKIE, USER_AGENT,
    },
};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use url::{Position, Url};

use crate::{
    adapters::{
        http::{
            Effect, HttpReply,
            connections::{Body, Connection, Connections, Unsent},
        },
        net::Connector,
    },
    domain::{
        ports::Platform,
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

/// The bounds of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Longest time to a connection, TLS included.
    pub connect: Duration,
    /// Longest time from the request to the last byte of the reply.
    pub total: Duration,
    /// Largest body that is read.
    pub body: usize,
}

/// One request to make.
#[derive(Clone)]
pub struct HttpRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) effect: Effect,
    pub(crate) deadline: Option<Duration>,
    pub(crate) content_type: &'static str,
}

impl HttpRequest {
    /// A request that only reads.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url, Effect::Read)
    }

    /// A request with a JSON body that changes something.
    #[must_use]
    pub fn post(url: Url, body: Option<String>) -> Self {
        let mut request = Self::new(Method::POST, url, Effect::Write);
        request.body = body;
        request
    }

    /// A request that changes something, by any other method.
    #[must_use]
    pub fn write(method: Method, url: Url, body: Option<String>) -> Self {
        let mut request = Self::new(method, url, Effect::Write);
        request.body = body;
        request
    }

    /// Shortens the whole-reply deadline of this one request.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Names the body's kind where it is not JSON.
    #[must_use]
    pub const fn content_type(mut self, kind: &'static str) -> Self {
        self.content_type = kind;
        self
    }

    /// Adds a header; a value that no header can carry is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    fn new(method: Method, url: Url, effect: Effect) -> Self {
        Self {
            method,
            url,
            body: None,
            headers: HeaderMap::new(),
            effect,
            deadline: None,
            content_type: "application/json",
        }
    }
}

/// Prints neither query, headers nor body.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url.path())
    }
}

/// The client; clones share their connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    connector: Connector,
    connections: Connections,
    limits: HttpLimits,
}

impl HttpClient {
    /// A client whose connections are made by `connector`, and left where they lay idle for long.
    ///
    /// It follows no redirect, uses no proxy of the environment (the WebSocket could not follow it
    /// there), and never repeats a request that may have left: attempts are counted by the outbox.
    #[must_use]
    pub fn new(connector: Connector, limits: HttpLimits, platform: Arc<dyn Platform>) -> Self {
        Self {
            connector,
            connections: Connections::new(platform),
            limits,
        }
    }

    /// Makes one request and reads the whole reply, whatever its status.
    ///
    /// # Errors
    /// [`ServiceError`] where no whole reply came: not reached, broken off, too late, too large.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the request; a write may have taken effect.
    pub async fn execute(&self, request: HttpRequest) -> Result<HttpReply, ServiceError> {
        let effect = request.effect;
        let total = request
            .deadline
            .map_or(self.limits.total, |d| d.min(self.limits.total));
        let whole = Box::pin(self.send_and_read(request));
        bounded(total, whole, || too_late(effect)).await
    }

    /// A connection that lay idle may have been hung up just now: what did not leave over it leaves
    /// over another one.
    async fn send_and_read(&self, request: HttpRequest) -> Result<HttpReply, ServiceError> {
        let (effect, url) = (request.effect, request.url.clone());
        let mut message = message(request)?;
        while let Some(idle) = self.connections.take(origin(&url)) {
            match self.over(idle, &url, message, effect).await {
                Ok(reply) => return reply,
                Err(Unsent(back)) => message = *back,
            }
        }
        let fresh = self.connect(&url).await?;
        let Ok(reply) = self.over(fresh, &url, message, effect).await else {
            let detail = "the connection ended before the request left";
            return Err(ServiceError::unreachable(detail));
        };
        reply
    }

    async fn connect(&self, url: &Url) -> Result<Connection, ServiceError> {
        let late = || not_sent(FailureKind::TimedOut, "no connection came about in time");
        let connected = self.connector.connect(url);
        let io = bounded(self.limits.connect, connected, late).await?;
        let begun = Connection::begin(io).await;
        begun.map_err(|_| ServiceError::unreachable("no connection came about"))
    }

    async fn over(
        &self,
        mut connection: Connection,
        url: &Url,
        message: Request<Body>,
        effect: Effect,
    ) -> Result<Result<HttpReply, ServiceError>, Unsent> {
        let most = self.limits.body;
        let whole = connection.exchange(message, |response| async move {
            let response = response.map_err(|error| broken(&error, effect))?;
            read(response, effect, most).await
        });
        let reply = whole.await?;
        if reply.is_ok() {
            self.connections.keep(origin(url).to_owned(), connection);
        }
        Ok(reply)
    }
}

/// Scheme, host and port, as they stand in the address.
fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

/// The request as HTTP/1.1 has it: the host is a header, the rest of the address stands alone
/// (RFC 9112 section 3.2.1).
fn message(request: HttpRequest) -> Result<Request<Body>, ServiceError> {
    let unwritable = || {
        not_sent(
            FailureKind::Invalid,
            "the request cannot be put on the wire",
        )
    };
    let url = &request.url;
    let target = Uri::try_from(&url[Position::BeforePath..Position::AfterQuery]);
    let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]);
    let mut message = Request::new(Body::default());
    *message.method_mut() = request.method;
    *message.uri_mut() = target.map_err(|_| unwritable())?;
    let headers = message.headers_mut();
    headers.extend(request.headers);
    headers.insert(HOST, host.map_err(|_| unwritable())?);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if let Some(body) = request.body {
        let kind = HeaderValue::from_static(request.content_type);
        headers.insert(CONTENT_TYPE, kind);
        *message.body_mut() = Body::from(body);
    }
    Ok(message)
}

/// What servers see in their logs.
const AGENT: &str = concat!("tidings/", env!("CARGO_PKG_VERSION"));

async fn read(
    response: Response<Incoming>,
    effect: Effect,
    most: usize,
) -> Result<HttpReply, ServiceError> {
    let (head, mut body) = response.into_parts();
    let too_large = || too_large(head.status.as_u16(), effect);
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error, effect))?;
        let chunk = frame.into_data().unwrap_or_default();
        if bytes.len() + chunk.len() > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = |name| header_text(&head.headers, &name);
    Ok(HttpReply {
        status: head.status.as_u16(),
        content_type: text(CONTENT_TYPE),
        retry_after: text(RETRY_AFTER),
        date: text(DATE),
        limit_reset: text(HeaderName::from_static("x-ratelimit-reset")),
        cookies: cookies(&head.headers),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// The most cookies that are looked at, of one reply.
const MOST_COOKIES: usize = 20;

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(SET_COOKIE).iter().take(MOST_COOKIES);
    let read = all.filter_map(|value| value.to_str().ok());
    read.map(str::to_owned).collect()
}

/// Bounds a future in time.
pub(crate) async fn bounded<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, ServiceError>>,
    late: impl FnOnce() -> ServiceError,
) -> Result<T, ServiceError> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(late()),
    }
}

pub(crate) fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

fn too_late(effect: Effect) -> ServiceError {
    ServiceError::new(
        FailureKind::TimedOut,
        RetryClass::Backoff,
        effect.once_sent(),
        "no whole answer came in time",
    )
}

fn too_large(status: u16, effect: Effect) -> ServiceError {
    let mut error = ServiceError::new(
        FailureKind::Protocol,
        RetryClass::Backoff,
        effect.once_sent(),
        "the answer is larger than allowed",
    );
    error.status = Some(status);
    error
}

/// A failure once there was a connection: where it is not the request's own fault, something of it
/// may have left.
fn broken(error: &hyper::Error, effect: Effect) -> ServiceError {
    if error.is_user() {
        return not_sent(
            FailureKind::Invalid,
            "the request cannot be put on the wire",
        );
    }
    ServiceError::new(
        FailureKind::Interrupted,
        RetryClass::Backoff,
        effect.once_sent(),
        "the connection broke before the whole answer was there",
    )
}

/// Nothing left before there was a connection.
fn not_sent(kind: FailureKind, detail: &str) -> ServiceError {
    let retry = match kind {
        FailureKind::Invalid => RetryClass::Never,
        _ => RetryClass::Backoff,
    };
    ServiceError::new(kind, retry, Outcome::NotApplied, detail)
}
