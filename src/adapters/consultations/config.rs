//! How to reach the service, checked once.

use std::{collections::BTreeSet, time::Duration};

use secrecy::SecretString;
use url::Url;

use crate::adapters::{
    consultations::Dialect,
    http::{HttpLimits, OriginError, origin, parse_origin},
    net::{TlsSetupError, TrustRoots},
    websocket::WebSocketLimits,
};
use crate::domain::sorting::filled;

/// The personas the server is known to take.
pub const SERVER_PERSONAS: [&str; 5] = [
    "fitness_coach",
    "general_wellness",
    "nutritionist",
    "triage",
    "wellness_specialist",
];

/// The largest page the server gives.
const LARGEST_PAGE: usize = 100;

/// The largest REST body that is read: a hundred messages of the longest text, many times over.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// Where the socket's token travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WsAuth {
    /// In the `Authorization` header.
    #[default]
    Header,
    /// In the query, for servers and proxies that drop the header.
    Query,
    /// In both.
    Both,
}

impl WsAuth {
    pub(super) const fn in_header(self) -> bool {
        matches!(self, Self::Header | Self::Both)
    }

    pub(super) const fn in_query(self) -> bool {
        matches!(self, Self::Query | Self::Both)
    }
}

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The address of the service.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The trust roots.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// A figure out of its bounds.
    #[error("{name} must lie between {low} and {high}")]
    OutOfBounds {
        /// The setting.
        name: &'static str,
        /// Its least value.
        low: u64,
        /// Its greatest value.
        high: u64,
    },
}

/// How to reach the service. Prints neither key nor address.
#[derive(Clone)]
pub struct ConsultationsConfig {
    /// The service: scheme, host, port.
    pub origin: String,
    /// The socket's origin where it is another one.
    pub ws_origin: Option<String>,
    /// Sent as `X-API-Key`.
    pub api_key: Option<SecretString>,
    /// Where the socket's token travels.
    pub ws_auth: WsAuth,
    /// Which version is spoken.
    pub dialect: Dialect,
    /// Longest dial: name, TCP, TLS and upgrade (10 s: a phone on a bad network needs five).
    pub dial_timeout: Duration,
    /// Longest REST call, to the last byte of the answer (30 s).
    pub http_timeout: Duration,
    /// Longest attempt to send (30 s).
    pub attempt_timeout: Duration,
    /// Messages or conversations asked for at once (100, the server's most).
    pub page: usize,
    /// Whose certificates are trusted.
    pub trust: TrustRoots,
    /// The socket's bounds.
    pub socket: WebSocketLimits,
    /// Personas that may be asked for; empty for any. The server's own by default.
    pub personas: BTreeSet<String>,
    /// Whether the server has the reference backend's extensions: idempotency keys, sequence
    /// numbers, stop, edit, delete, read markers.
    pub extensions: bool,
}

impl std::fmt::Debug for ConsultationsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsultationsConfig")
            .field("ws_auth", &self.ws_auth)
            .field("dialect", &self.dialect)
            .field("page", &self.page)
            .field("trust", &self.trust)
            .field("extensions", &self.extensions)
            .finish_non_exhaustive()
    }
}

impl ConsultationsConfig {
    /// The defaults for this origin.
    #[must_use]
    pub fn new(origin: impl Into<String>) -> Self {
        Self {
            origin: origin.into(),
            ws_origin: None,
            api_key: None,
            ws_auth: WsAuth::Header,
            dialect: Dialect::Auto,
            dial_timeout: Duration::from_secs(10),
            http_timeout: Duration::from_secs(30),
            attempt_timeout: Duration::from_secs(30),
            page: LARGEST_PAGE,
            trust: TrustRoots::Platform,
            socket: WebSocketLimits::default(),
            personas: filled(SERVER_PERSONAS.map(str::to_owned)),
            extensions: false,
        }
    }

    /// Checks all of it.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.origins()?;
        within("page", self.page as u64, 1, LARGEST_PAGE as u64)?;
        for (name, value) in [
            ("dial.timeout", self.dial_timeout),
            ("http.timeout", self.http_timeout),
            ("send.attempt_timeout", self.attempt_timeout),
        ] {
            let millis = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
            within(name, millis, 1, 600_000)?;
        }
        let frame = self.socket.message as u64;
        within("socket.message", frame, 1024, 64 * 1024 * 1024)
    }

    /// REST's and the socket's origin.
    pub(super) fn origins(&self) -> Result<(Url, Url), OriginError> {
        let rest = parse_origin(&self.origin)?;
        let socket = match &self.ws_origin {
            Some(own) => origin::parse_ws_origin(own)?,
            None => origin::to_ws(rest.clone())?,
        };
        Ok((rest, socket))
    }

    pub(super) const fn limits(&self) -> HttpLimits {
        HttpLimits {
            connect: self.dial_timeout,
            total: self.http_timeout,
            body: LARGEST_BODY,
        }
    }

    /// The trust roots; where nothing is encrypted the system's need not even be readable.
    pub(super) fn trust_for(&self, rest: &Url, socket: &Url) -> TrustRoots {
        let plain = rest.scheme() == "http" && socket.scheme() == "ws";
        match &self.trust {
            TrustRoots::Platform if plain => TrustRoots::Webpki,
            chosen => chosen.clone(),
        }
    }
}

const fn within(name: &'static str, value: u64, low: u64, high: u64) -> Result<(), ConfigError> {
    if low <= value && value <= high {
        return Ok(());
    }
    Err(ConfigError::OutOfBounds { name, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked_and_named() {
        let mut config = ConsultationsConfig::new("https://chat.example.com");
        assert_eq!(config.validate(), Ok(()));
        config.page = 101;
        let error = config.validate().expect_err("page");
        assert_eq!(error.to_string(), "page must lie between 1 and 100");
    }

    #[test]
    fn l99_debug_shows_neither_key_nor_address() {
        let mut config = ConsultationsConfig::new("https://secret-host.example");
        config.api_key = Some("secret-key".into());
        assert!(!format!("{config:?}").contains("secret"));
    }
}
