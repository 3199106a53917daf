//! The settings of the `socketio` backend, and its configuration.

use std::time::Duration;

use tidings::{
    Config,
    adapters::socketio::{ConfigError, SocketIoConfig},
    config::parse_duration,
};

use super::{backend::trust, settings::TrustSetting};
use crate::{
    args::{Global, WsAuth},
    failure::{Exit, Failure},
    output::records::SettingRecord,
};

/// The settings: the adapter's own table, and what only a command can read.
#[derive(Clone, Debug)]
pub(crate) struct SocketIoSettings {
    /// The adapter's, without an address.
    adapter: SocketIoConfig,
    /// `socketio.trust`.
    pub(crate) trust: TrustSetting,
}

impl Default for SocketIoSettings {
    fn default() -> Self {
        Self {
            adapter: SocketIoConfig::new(""),
            trust: TrustSetting::Platform,
        }
    }
}

const TRUST: &str = "socketio.trust";
const CONNECT: &str = "socketio.connect_timeout";
const HOLD: &str = "socketio.eviction_hold";

impl SocketIoSettings {
    /// Sets one value.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        match key {
            TRUST => self.trust = TrustSetting::read(value),
            CONNECT => self.adapter.connect_timeout = duration(key, value)?,
            HOLD => self.adapter.eviction_hold = duration(key, value)?,
            _ => self.adapter.set(key, value).map_err(refused)?,
        }
        Ok(())
    }

    /// The path of the socket.
    pub(crate) fn path(&self) -> &str {
        &self.adapter.path
    }

    /// All of them, for a listing.
    pub(crate) fn list(&self) -> Vec<SettingRecord> {
        let adapter = self.adapter.settings().into_iter();
        let lines = adapter.map(|setting| SettingRecord {
            name: setting.name.to_owned(),
            value: setting.value,
            default: setting.default,
            unit: setting.unit.to_owned(),
            bounds: None,
            reason: setting.reason.to_owned(),
        });
        lines.chain(self.others()).collect()
    }

    fn others(&self) -> [SettingRecord; 3] {
        let before = Self::default();
        let line =
            |name: &str, value: String, default: String, unit: &str, reason: &str| SettingRecord {
                name: name.to_owned(),
                value,
                default,
                unit: unit.to_owned(),
                bounds: None,
                reason: reason.to_owned(),
            };
        let seconds = |time: Duration| format!("{}s", time.as_secs_f64());
        [
            line(
                TRUST,
                self.trust.show(),
                before.trust.show(),
                "text",
                "platform, webpki, or a PEM file: what the system trusts, company certificates \
                 included",
            ),
            line(
                CONNECT,
                seconds(self.adapter.connect_timeout),
                seconds(before.adapter.connect_timeout),
                "duration",
                "how long the server may take to let us in, as every client of this protocol waits",
            ),
            line(
                HOLD,
                seconds(self.adapter.eviction_hold),
                seconds(before.adapter.eviction_hold),
                "duration",
                "how long to stay away from the socket after the server put us out on purpose",
            ),
        ]
    }

    /// The configuration for this server.
    pub(crate) fn config(
        &self,
        global: &Global,
        core: &Config,
        url: &str,
    ) -> Result<SocketIoConfig, Failure> {
        if global.ws_auth != WsAuth::Header {
            let text = "this backend gives its token in the first packet: leave --ws-auth out";
            return Err(Failure::usage(text).field("ws_auth"));
        }
        let mut config = self.adapter.clone();
        url.clone_into(&mut config.origin);
        config.socket_origin.clone_from(&global.ws_url);
        config.api_key = global.api_key.as_ref().map(|key| key.reveal().into());
        config.account.clone_from(&global.user);
        config.dial_timeout = core.dial_timeout;
        config.http_timeout = core.http_timeout;
        config.answer_timeout = core.send_attempt_timeout;
        config.page = (core.history_page as usize).clamp(1, LARGEST_PAGE);
        config.trust = trust(&self.trust)?;
        Ok(config)
    }
}

/// The server's most.
const LARGEST_PAGE: usize = 100;

fn duration(key: &str, value: &str) -> Result<Duration, Failure> {
    parse_duration(value).ok_or_else(|| {
        let text = format!("{key} takes a time such as 250ms or 3s");
        Failure::new(Exit::Usage, "config.bad_value", text).field("config")
    })
}

/// What is wrong with the options.
pub(crate) fn refused(error: ConfigError) -> Failure {
    let (code, field) = match &error {
        ConfigError::Origin(_) => ("config.bad_url", "url"),
        ConfigError::UnknownSetting(_) => ("config.unknown_key", "config"),
        ConfigError::OutOfBounds { .. } => ("config.out_of_bounds", "config"),
        _ => ("config.bad_value", "config"),
    };
    Failure::new(Exit::Usage, code, error.to_string()).field(field)
}
