//! What a client is started with.

use std::sync::Arc;

use tidings::{
    Config,
    adapters::{
        net::TrustRoots as CoreRoots,
        sqlite::{SqliteOptions, Synchronous},
    },
};

use super::{
    capabilities::Capabilities, consultations::ConsultationsOptions, socketio::SocketIoOptions,
    span,
};
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

/// Android's own roots need a step that only the app can take.
pub(crate) fn roots(chosen: Option<TrustRoots>) -> CoreRoots {
    match chosen {
        Some(roots) => roots.into(),
        None if cfg!(target_os = "android") => CoreRoots::Webpki,
        None => CoreRoots::Platform,
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
