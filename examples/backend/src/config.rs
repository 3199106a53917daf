//! How a backend is set up. Every default has its reason here.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// Everything a [`Backend`](crate::Backend) can be told at start.
///
/// ```
/// use tidings_backend::{BackendConfig, Dialect};
///
/// let config = BackendConfig { dialect: Dialect::S34, ..BackendConfig::default() };
/// assert!(config.tokens.is_empty(), "by default anyone may come in");
/// ```
#[derive(Clone, Debug)]
pub struct BackendConfig {
    /// Where to listen. Default `127.0.0.1:0`: loopback, a free port.
    pub listen: SocketAddr,
    /// Where the admin endpoint listens; must be loopback. Default `127.0.0.1:0`.
    pub admin_listen: SocketAddr,
    /// The SQLite file; `None` (the default) keeps everything in memory.
    pub store: Option<PathBuf>,
    /// Which dialect of `consultations` to speak. Default [`Dialect::Production`].
    pub dialect: Dialect,
    /// Tokens that are always good. Empty (the default): any token, or none, is accepted.
    pub tokens: Vec<StaticToken>,
    /// Accept only tokens from `/auth/login` (and `tokens`). Default `false`.
    pub sign_in_required: bool,
    /// How long an access token from `/auth/login` lives. Default 1 hour, as the field assumes.
    pub token_lifetime: Duration,
    /// Required in `X-API-Key` when set. Default `None`.
    pub api_key: Option<Secret>,
    /// What a second consultation for the same purpose meets. Default [`ConflictPolicy::OnePerContext`].
    pub conflicts: ConflictPolicy,
    /// More active consultations than this are answered 429. Default 10, the protocol's cap.
    pub max_active: usize,
    /// A first assistant message given on creation. Default `None`: the user speaks first.
    pub greeting: Option<String>,
    /// Pause before each word of a scripted answer. Default 40 ms: fast reading speed.
    pub word_delay: Duration,
    /// Offer the Tidings extensions (keys, sequence numbers, resume …). Default `false`.
    pub extensions: bool,
    /// A socket that says nothing for this long is cut. Default 10 minutes, as in production.
    pub read_idle: Duration,
    /// Who answers. Default [`CoachConfig::Scripted`].
    pub coach: CoachConfig,
}

impl Default for BackendConfig {
    fn default() -> Self {
        let anywhere_on_loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: anywhere_on_loopback,
            admin_listen: anywhere_on_loopback,
            store: None,
            dialect: Dialect::Production,
            tokens: Vec::new(),
            sign_in_required: false,
            token_lifetime: Duration::from_secs(60 * 60),
            api_key: None,
            conflicts: ConflictPolicy::OnePerContext,
            max_active: 10,
            greeting: None,
            word_delay: Duration::from_millis(40),
            extensions: false,
            read_idle: Duration::from_secs(10 * 60),
            coach: CoachConfig::Scripted,
        }
    }
}

/// The two dialects of `consultations` seen in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// What production answers: `{"data":…}`, 201 with `user_message`, streamed answers.
    Production,
    /// What the 0.34 specification says: success envelopes, 202 with a bare message, sending by
    /// POST only, whole answers as `message` frames.
    S34,
}

/// What creating a second consultation for the same purpose does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictPolicy {
    /// One active consultation per user, persona, context and goal; another is answered 409.
    OnePerContext,
    /// As many as `max_active` allows.
    Many,
}

/// A token that never expires, and whose it is.
#[derive(Clone, Debug)]
pub struct StaticToken {
    /// The bearer token.
    pub token: Secret,
    /// The user it stands for.
    pub user: String,
}

impl StaticToken {
    /// `token` stands for `user`.
    pub fn new(token: impl Into<String>, user: impl Into<String>) -> Self {
        Self {
            token: Secret::new(token),
            user: user.into(),
        }
    }
}

/// Who writes the answers.
#[derive(Clone, Debug)]
pub enum CoachConfig {
    /// The built-in coach: deterministic, word by word.
    Scripted,
    /// An OpenAI-compatible endpoint.
    OpenAi(OpenAiCoach),
}

/// An OpenAI-compatible chat completions endpoint.
#[derive(Clone, Debug)]
pub struct OpenAiCoach {
    /// The API's base, e.g. `https://api.openai.com/v1`; `/chat/completions` is appended.
    pub url: String,
    /// The model to ask for.
    pub model: String,
    /// The API key, if the endpoint wants one.
    pub key: Option<Secret>,
}

/// A string that never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
