//! What a client is started with.

use std::sync::Arc;

use tidings::{
    Config,
    adapters::{
        consultations as adapter,
        http::TrustRoots as CoreRoots,
        sqlite::{SqliteOptions, Synchronous},
    },
};

use super::{capabilities::Capabilities, socketio::SocketIoOptions, span};
use crate::{
    error::ChatError,
    gate::Gate,
    key::{AppKeys, KeySource},
    service::ServicePort,
    token::TokenSource,
};

/// Everything a client is made of.
#[derive(uniffi::Record)]
pub struct ClientOptions {
    /// Whom to talk to.
    pub backend: Backend,
    /// Where messages are kept.
    pub store: Store,
    /// Where tokens come from; a custom backend sees to its own.
    pub tokens: Tokens,
    /// Timings and limits by their key, as [`crate::settings`] lists them; the rest keep
    /// their defaults.
    #[uniffi(default = [])]
    pub settings: Vec<SettingValue>,
}

impl std::fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientOptions")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// One setting, as text such as `250ms`, `3s`, `7d`, `100` or `true`.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SettingValue {
    /// Its key.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Whom to talk to.
#[derive(uniffi::Enum)]
pub enum Backend {
    /// The service that speaks `consultations`.
    Consultations {
        /// How to reach it.
        options: ConsultationsOptions,
    },
    /// Channels over Socket.IO.
    SocketIo {
        /// How to reach them.
        options: SocketIoOptions,
    },
    /// A backend of the app's own.
    Custom {
        /// The app's adapter.
        service: Arc<dyn ServicePort>,
        /// What that backend can do.
        capabilities: Capabilities,
    },
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Consultations { .. } => "Consultations",
            Self::SocketIo { .. } => "SocketIo",
            Self::Custom { .. } => "Custom",
        })
    }
}

/// Where tokens come from.
#[derive(uniffi::Enum)]
pub enum Tokens {
    /// The server wants none.
    None,
    /// One that is never renewed; once refused, the user must sign in.
    Fixed {
        /// The token.
        token: String,
    },
    /// The app answers whenever one is needed.
    Source {
        /// The app's source.
        source: Arc<dyn TokenSource>,
    },
}

/// Prints no token.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Fixed { .. } => "Fixed",
            Self::Source { .. } => "Source",
        })
    }
}

/// Where messages are kept.
#[derive(Debug, uniffi::Enum)]
pub enum Store {
    /// A file; it survives the process.
    File {
        /// How it is opened.
        options: StoreOptions,
    },
    /// Memory, gone with the client: for tests and previews.
    Memory,
}

/// How a store file is opened.
#[derive(uniffi::Record)]
pub struct StoreOptions {
    /// The file; its directory must be there.
    pub path: String,
    /// Whether other processes open the file too.
    #[uniffi(default = false)]
    pub shared: bool,
    /// Never become the one that sends, as a notification extension must not.
    #[uniffi(default = false)]
    pub passive: bool,
    /// On Apple systems: wait at each sync until the flash itself has it. Dear.
    #[uniffi(default = false)]
    pub barrier: bool,
    /// Wait for no sync at all: for tests that do not cut the power.
    #[uniffi(default = false)]
    pub unsafe_no_sync: bool,
    /// How long a write waits for another process's.
    #[uniffi(default = 5000)]
    pub busy_timeout_ms: i64,
    /// Where the key of an encrypted store comes from; none for a plain one. A plain store that is
    /// opened with a key is encrypted first. A library without the cipher refuses a key with the
    /// code `store.no_cipher`, and stores nothing.
    #[uniffi(default = None)]
    pub keys: Option<Arc<dyn KeySource>>,
}

/// Prints no path: it names people.
impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreOptions")
            .field("shared", &self.shared)
            .field("passive", &self.passive)
            .field("encrypted", &self.keys.is_some())
            .finish_non_exhaustive()
    }
}

impl StoreOptions {
    pub(crate) fn adapter(self, gate: Arc<Gate>) -> SqliteOptions {
        let mut made = SqliteOptions::new(self.path);
        made.shared = self.shared;
        made.passive = self.passive;
        made.barrier = self.barrier;
        made.busy_timeout = span(self.busy_timeout_ms);
        if self.unsafe_no_sync {
            made.synchronous = Synchronous::Off;
        }
        if let Some(source) = self.keys {
            made.keys = Some(Arc::new(AppKeys { source, gate }));
        }
        made
    }
}

/// Whose certificates are trusted.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum TrustRoots {
    /// The operating system's; on Android only where the app initialised the verifier.
    Platform,
    /// Mozilla's list, compiled in.
    BuiltIn,
    /// Only these authorities: one or more PEM certificates.
    Custom {
        /// The PEM text.
        pem: String,
    },
}

impl From<TrustRoots> for CoreRoots {
    fn from(roots: TrustRoots) -> Self {
        match roots {
            TrustRoots::Platform => Self::Platform,
            TrustRoots::BuiltIn => Self::Webpki,
            TrustRoots::Custom { pem } => Self::Custom(pem.into_bytes()),
        }
    }
}

/// Where the socket's token travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SocketAuth {
    /// In the `Authorization` header.
    Header,
    /// In the query, for servers and proxies that drop the header.
    Query,
    /// In both.
    Both,
}

/// Which version of `consultations` is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Dialect {
    /// Found out from the first answer.
    Auto,
    /// The deployed one.
    Production,
    /// The 0.34 specification.
    S34,
}

/// How to reach a `consultations` service; what is left out keeps its default.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConsultationsOptions {
    /// Scheme, host, port.
    pub origin: String,
    /// The socket's origin where it is another one.
    #[uniffi(default = None)]
    pub socket_origin: Option<String>,
    /// Sent as `X-API-Key`.
    #[uniffi(default = None)]
    pub api_key: Option<String>,
    /// Where the socket's token travels; the header by default.
    #[uniffi(default = None)]
    pub socket_auth: Option<SocketAuth>,
    /// Which version is spoken; found out by default.
    #[uniffi(default = None)]
    pub dialect: Option<Dialect>,
    /// Whose certificates are trusted; the system's by default, the built-in ones on Android.
    #[uniffi(default = None)]
    pub trust: Option<TrustRoots>,
    /// Personas that may be asked for; empty for any, the server's own by default.
    #[uniffi(default = None)]
    pub personas: Option<Vec<String>>,
    /// Whether the server has the reference backend's extensions: keys, sequence numbers, stop,
    /// edit, delete, read markers.
    #[uniffi(default = false)]
    pub extensions: bool,
}

/// Prints neither key nor address.
impl std::fmt::Debug for ConsultationsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsultationsOptions")
            .field("extensions", &self.extensions)
            .finish_non_exhaustive()
    }
}

/// Android's own roots need a step that only the app can take.
pub(crate) fn roots(chosen: Option<TrustRoots>) -> CoreRoots {
    match chosen {
        Some(roots) => roots.into(),
        None if cfg!(target_os = "android") => CoreRoots::Webpki,
        None => CoreRoots::Platform,
    }
}

impl ConsultationsOptions {
    pub(crate) fn adapter(self, config: &Config) -> adapter::ConsultationsConfig {
        let mut made = adapter::ConsultationsConfig::new(self.origin);
        made.ws_origin = self.socket_origin;
        made.api_key = self.api_key.map(Into::into);
        made.ws_auth = match self.socket_auth {
            None | Some(SocketAuth::Header) => adapter::WsAuth::Header,
            Some(SocketAuth::Query) => adapter::WsAuth::Query,
            Some(SocketAuth::Both) => adapter::WsAuth::Both,
        };
        made.dialect = match self.dialect {
            None | Some(Dialect::Auto) => adapter::Dialect::Auto,
            Some(Dialect::Production) => adapter::Dialect::Production,
            Some(Dialect::S34) => adapter::Dialect::S34,
        };
        made.trust = roots(self.trust);
        if let Some(personas) = self.personas {
            made.personas = personas.into_iter().collect();
        }
        made.extensions = self.extensions;
        made.dial_timeout = config.dial_timeout;
        made.http_timeout = config.http_timeout;
        made.attempt_timeout = config.send_attempt_timeout;
        made.page = usize::try_from(config.history_page).unwrap_or(1);
        made
    }
}

/// The configuration that the settings make.
pub(crate) fn config(settings: &[SettingValue]) -> Result<Config, ChatError> {
    let mut config = Config::default();
    for setting in settings {
        config
            .set(&setting.name, &setting.value)
            .map_err(|wrong| ChatError::invalid("settings", &wrong.to_string()))?;
    }
    Ok(config)
}
