//! How to reach a `consultations` service. The record is always there, so that the packages are the same
//! with every library; what it stands for is in a library with the feature `consultations`.

use super::options::TrustRoots;

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

#[cfg(feature = "consultations")]
impl ConsultationsOptions {
    pub(crate) fn adapter(
        self,
        config: &tidings::Config,
    ) -> tidings::adapters::consultations::ConsultationsConfig {
        use tidings::adapters::consultations as adapter;
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
        made.trust = super::options::roots(self.trust);
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
