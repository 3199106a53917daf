//! How to reach channels over Socket.IO. The record is always there, so that the packages are the same
//! with every library; what it stands for is in a library with the feature `socketio`.

use super::options::{SettingValue, TrustRoots};

/// How to reach a service over Socket.IO; what is left out keeps its default.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct SocketIoOptions {
    /// Scheme, host, port.
    pub origin: String,
    /// The socket's origin where it is another one.
    #[uniffi(default = None)]
    pub socket_origin: Option<String>,
    /// Sent as `X-API-Key` with every REST call.
    #[uniffi(default = None)]
    pub api_key: Option<String>,
    /// This account, where the token does not tell.
    #[uniffi(default = None)]
    pub account: Option<String>,
    /// Whose certificates are trusted; the system's by default, the built-in ones on Android.
    #[uniffi(default = None)]
    pub trust: Option<TrustRoots>,
    /// Names and limits by their key, such as `socketio.namespace`; the rest keep their defaults.
    #[uniffi(default = [])]
    pub settings: Vec<SettingValue>,
}

/// Prints neither key nor address.
impl std::fmt::Debug for SocketIoOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SocketIoOptions")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "socketio")]
impl SocketIoOptions {
    pub(crate) fn adapter(
        self,
        config: &tidings::Config,
    ) -> Result<tidings::adapters::socketio::SocketIoConfig, crate::error::ChatError> {
        let mut made = tidings::adapters::socketio::SocketIoConfig::new(self.origin);
        made.socket_origin = self.socket_origin;
        made.api_key = self.api_key.map(Into::into);
        made.account = self.account;
        made.trust = super::options::roots(self.trust);
        made.dial_timeout = config.dial_timeout;
        made.http_timeout = config.http_timeout;
        made.answer_timeout = config.send_attempt_timeout;
        made.page = usize::try_from(config.history_page).unwrap_or(1);
        for setting in &self.settings {
            made.set(&setting.name, &setting.value)
                .map_err(|wrong| crate::error::ChatError::invalid("backend", &wrong.to_string()))?;
        }
        Ok(made)
    }
}
