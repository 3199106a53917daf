//! The shared HTTP client: bounded in time and size, following nothing, retrying nothing.

use std::{fmt, future::Future, time::Duration};

use reqwest::{
    Method,
    header::{
        ACCEPT, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, SET_COOKIE,
    },
};
use url::Url;

use crate::{
    adapters::http::{Effect, HttpReply, TlsSetupError, tls},
    domain::retry::{FailureKind, Outcome, RetryClass, ServiceError},
};

/// Idle connections are dropped before the 60 s after which proxies cut them silently.
const POOL_IDLE: Duration = Duration::from_secs(50);

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

/// The client; clones share one connection pool.
#[derive(Clone)]
pub struct HttpClient {
    inner: reqwest::Client,
    limits: HttpLimits,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl HttpClient {
    /// Builds the client on the given TLS configuration.
    ///
    /// It follows no redirect, uses no proxy of the environment (the WebSocket could not follow it
    /// there), and never repeats a request by itself: attempts are counted by the outbox.
    ///
    /// # Errors
    /// [`TlsSetupError::Unavailable`].
    pub fn new(tls: rustls::ClientConfig, limits: HttpLimits) -> Result<Self, TlsSetupError> {
        let inner = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(limits.connect)
            .pool_idle_timeout(POOL_IDLE)
            .tcp_nodelay(true)
            .user_agent(concat!("tidings/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| TlsSetupError::Unavailable)?;
        Ok(Self { inner, limits })
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
        let whole = self.send_and_read(request);
        bounded(total, whole, || too_late(effect)).await
    }

    async fn send_and_read(&self, request: HttpRequest) -> Result<HttpReply, ServiceError> {
        let effect = request.effect;
        let kind = request.content_type;
        let mut built = self
            .inner
            .request(request.method, request.url)
            .headers(request.headers)
            .header(ACCEPT, "application/json");
        if let Some(body) = request.body {
            built = built.header(CONTENT_TYPE, kind).body(body);
        }
        let response = built.send().await.map_err(|e| broken(&e, effect))?;
        self.read(response, effect).await
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        effect: Effect,
    ) -> Result<HttpReply, ServiceError> {
        let declared = response.content_length().unwrap_or(0);
        if declared > self.limits.body as u64 {
            return Err(too_large(&response, effect));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| broken(&e, effect))? {
            if bytes.len() + chunk.len() > self.limits.body {
                return Err(too_large(&response, effect));
            }
            bytes.extend_from_slice(&chunk);
        }
        let text = |name| header_text(response.headers(), &name);
        Ok(HttpReply {
            status: response.status().as_u16(),
            content_type: text(CONTENT_TYPE),
            retry_after: text(RETRY_AFTER),
            date: text(DATE),
            limit_reset: text(HeaderName::from_static("x-ratelimit-reset")),
            cookies: cookies(response.headers()),
            body: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
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

fn too_large(response: &reqwest::Response, effect: Effect) -> ServiceError {
    let mut error = ServiceError::new(
        FailureKind::Protocol,
        RetryClass::Backoff,
        effect.once_sent(),
        "the answer is larger than allowed",
    );
    error.status = Some(response.status().as_u16());
    error
}

/// A failure below HTTP. Nothing left before there was a connection.
fn broken(error: &reqwest::Error, effect: Effect) -> ServiceError {
    let not = Outcome::NotApplied;
    let (kind, retry, outcome, detail) = if tls::is_certificate_failure(error) {
        let detail = "the server's certificate is not trusted";
        (FailureKind::Certificate, RetryClass::Backoff, not, detail)
    } else if error.is_connect() && error.is_timeout() {
        let detail = "no connection came about in time";
        (FailureKind::TimedOut, RetryClass::Backoff, not, detail)
    } else if error.is_connect() {
        let detail = "the service cannot be reached";
        (FailureKind::Unreachable, RetryClass::Backoff, not, detail)
    } else if error.is_builder() {
        let detail = "the request cannot be put on the wire";
        (FailureKind::Invalid, RetryClass::Never, not, detail)
    } else if error.is_timeout() {
        return too_late(effect);
    } else {
        let detail = "the connection broke before the whole answer was there";
        let outcome = effect.once_sent();
        (
            FailureKind::Interrupted,
            RetryClass::Backoff,
            outcome,
            detail,
        )
    };
    ServiceError::new(kind, retry, outcome, detail)
}
