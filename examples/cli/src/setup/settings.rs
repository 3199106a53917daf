//! `--config key=value`: the core's settings, and the backend's own.

use std::{collections::BTreeSet, path::PathBuf};

use tidings::{Config, config::ConfigError};

use super::socketio::SocketIoSettings;
use crate::{
    args::{BackendKind, Global},
    failure::{Exit, Failure},
    output::records::SettingRecord,
};

/// All settings of this run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The core's.
    pub(crate) core: Config,
    /// Those of `consultations`.
    pub(crate) consultations: ConsultationsSettings,
    /// Those of `socketio`.
    pub(crate) socketio: SocketIoSettings,
}

/// The settings of the `consultations` backend.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConsultationsSettings {
    /// Which version of the protocol.
    pub(crate) dialect: DialectSetting,
    /// Whether the server has the reference backend's extensions.
    pub(crate) extensions: bool,
    /// Personas that may be asked for; `None` for those the server is known to take.
    pub(crate) personas: Option<BTreeSet<String>>,
    /// Whose certificates are trusted.
    pub(crate) trust: TrustSetting,
}

/// `dialect`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DialectSetting {
    /// Learned from the server's answers.
    #[default]
    Auto,
    /// The deployed one.
    Production,
    /// The 0.34 specification.
    S34,
}

/// `consultations.trust`, `socketio.trust`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum TrustSetting {
    /// What the system trusts.
    #[default]
    Platform,
    /// Mozilla's list.
    Webpki,
    /// The certificates in this PEM file.
    File(PathBuf),
}

/// Name, default, kind, choices and reason of each setting of the backend.
const BACKEND: [(&str, &str, &str, &str, &str); 4] = [
    (
        "dialect",
        "auto",
        "choice",
        "auto, production, s34",
        "which version of the protocol: learned from the first answers",
    ),
    (
        "consultations.extensions",
        "false",
        "flag",
        "",
        "whether the server has keys, sequence numbers, stop and edit; others have not",
    ),
    (
        "consultations.personas",
        "server",
        "text",
        "server, any, or names joined by +",
        "a persona that the server does not know is refused before it is asked for",
    ),
    (
        "consultations.trust",
        "platform",
        "text",
        "platform, webpki, or a PEM file",
        "what the system trusts, company certificates included",
    ),
];

impl Settings {
    /// Reads every `--config`, and `--no-websocket`.
    pub(crate) fn read(global: &Global) -> Result<Self, Failure> {
        let mut settings = Self::default();
        for pair in &global.settings {
            let Some((key, value)) = pair.split_once('=') else {
                let text = "write --config as KEY=VALUE; `tidings config` lists the keys";
                return Err(Failure::new(Exit::Usage, "config.bad_value", text).field("config"));
            };
            settings.set(key.trim(), value.trim())?;
        }
        if global.no_websocket {
            settings.core.websocket = false;
        }
        Ok(settings)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        match key {
            "dialect" => self.consultations.dialect = dialect(value)?,
            "consultations.extensions" => self.consultations.extensions = flag(value)?,
            "consultations.personas" => self.consultations.personas = personas(value),
            "consultations.trust" => self.consultations.trust = TrustSetting::read(value),
            _ if key.starts_with("socketio.") => self.socketio.set(key, value)?,
            _ => self.core.set(key, value)?,
        }
        Ok(())
    }

    /// Whose certificates the chosen backend's are checked against.
    pub(crate) const fn trust(&self, backend: BackendKind) -> &TrustSetting {
        match backend {
            BackendKind::Socketio => &self.socketio.trust,
            _ => &self.consultations.trust,
        }
    }

    fn backend_value(&self, name: &str) -> String {
        let own = &self.consultations;
        match name {
            "dialect" => match own.dialect {
                DialectSetting::Auto => "auto".to_owned(),
                DialectSetting::Production => "production".to_owned(),
                DialectSetting::S34 => "s34".to_owned(),
            },
            "consultations.extensions" => own.extensions.to_string(),
            "consultations.personas" => match &own.personas {
                None => "server".to_owned(),
                Some(names) if names.is_empty() => "any".to_owned(),
                Some(names) => names.iter().cloned().collect::<Vec<_>>().join("+"),
            },
            _ => own.trust.show(),
        }
    }
}

fn dialect(value: &str) -> Result<DialectSetting, ConfigError> {
    match value {
        "auto" => Ok(DialectSetting::Auto),
        "production" => Ok(DialectSetting::Production),
        "s34" => Ok(DialectSetting::S34),
        _ => Err(ConfigError::BadValue {
            key: "dialect",
            expected: "auto, production or s34",
            given: value.to_owned(),
        }),
    }
}

fn flag(value: &str) -> Result<bool, ConfigError> {
    match value {
        "true" | "on" | "1" | "yes" => Ok(true),
        "false" | "off" | "0" | "no" => Ok(false),
        _ => Err(ConfigError::BadValue {
            key: "consultations.extensions",
            expected: "true or false",
            given: value.to_owned(),
        }),
    }
}

fn personas(value: &str) -> Option<BTreeSet<String>> {
    match value {
        "server" => None,
        "any" => Some(BTreeSet::new()),
        names => Some(names.split('+').map(str::to_owned).collect()),
    }
}

impl TrustSetting {
    /// Reads it; what is no word is a file.
    pub(crate) fn read(value: &str) -> Self {
        match value {
            "platform" => Self::Platform,
            "webpki" => Self::Webpki,
            path => Self::File(path.into()),
        }
    }

    /// As it is read.
    pub(crate) fn show(&self) -> String {
        match self {
            Self::Platform => "platform".to_owned(),
            Self::Webpki => "webpki".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

/// The backends' settings, for a listing.
pub(crate) fn backend_settings(settings: &Settings) -> Vec<SettingRecord> {
    let line = |(name, default, unit, choices, reason): &(&str, &str, &str, &str, &str)| {
        let reason = match choices.is_empty() {
            true => (*reason).to_owned(),
            false => format!("{choices}: {reason}"),
        };
        SettingRecord {
            name: (*name).to_owned(),
            value: settings.backend_value(name),
            default: (*default).to_owned(),
            unit: (*unit).to_owned(),
            bounds: None,
            reason,
        }
    };
    let own = BACKEND.iter().map(line);
    own.chain(settings.socketio.list()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_listed_setting_of_the_backend_can_be_set_to_its_default() {
        let mut settings = Settings::default();
        for record in backend_settings(&settings.clone()) {
            assert_eq!(record.value, record.default, "{}", record.name);
            settings.set(&record.name, &record.default).expect("set");
        }
    }

    #[test]
    fn an_undocumented_key_is_refused_with_exit_2() {
        let failure = Settings::default()
            .set("poll.often", "1s")
            .expect_err("key");
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.code, "config.unknown_key");
    }
}
