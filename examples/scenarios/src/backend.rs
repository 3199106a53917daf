//! The backends that scenarios are played against.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use serde_json::Value;
use tidings::{
    Config,
    adapters::socketio::{SocketIoConfig, SocketIoService},
    domain::ports::{ChatService, TokenProvider},
    prelude::*,
};

use crate::{script, stage::Place};

/// One of them.
#[derive(Clone, Debug)]
pub(crate) enum Backend {
    /// The reference backend: an assistant answers everything.
    Reference,
    /// Channels over Socket.IO.
    SocketIo(Told),
}

/// What the file beside the scenarios tells the players of every language.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Who plays where a scenario has no tokens.
    account: Option<String>,
    /// The kind of context of a conversation that a scenario gives none.
    context: Option<String>,
    answers: bool,
    settings: BTreeMap<String, String>,
}

impl Backend {
    /// By its name, as described beside `scenario`; the reference backend where there is none.
    pub(crate) fn named(name: Option<&str>, scenario: &str) -> Result<Self, String> {
        let Some(name) = name else {
            return Ok(Self::Reference);
        };
        let folder = Path::new(scenario)
            .parent()
            .unwrap_or_else(|| Path::new(""));
        let told = Told::read(&folder.join(name).join("backend.json"))?;
        match name {
            "socketio" => Ok(Self::SocketIo(told)),
            _ => Err(format!("there is no backend {name}")),
        }
    }

    /// Whether messages are answered.
    pub(crate) const fn answers(&self) -> bool {
        match self {
            Self::Reference => true,
            Self::SocketIo(told) => told.answers,
        }
    }

    /// The context of a conversation that a scenario gives none.
    pub(crate) fn context_of(&self, name: Option<&str>) -> Option<String> {
        match self {
            Self::Reference => None,
            Self::SocketIo(told) => {
                let kind = told.context.as_deref()?;
                Some(format!("{kind}/{}", name.unwrap_or("b")))
            }
        }
    }

    /// Its service.
    pub(crate) fn service(
        &self,
        place: &Place,
        core: &Config,
        extensions: bool,
        tokens: Arc<dyn TokenProvider>,
        platform: Arc<SystemPlatform>,
    ) -> Result<Arc<dyn ChatService>, String> {
        let page = usize::try_from(core.history_page).unwrap_or(1);
        match self {
            Self::Reference => {
                let mut options = ConsultationsConfig::new(&place.origin);
                options.extensions = extensions;
                options.dial_timeout = core.dial_timeout;
                options.http_timeout = core.http_timeout;
                options.attempt_timeout = core.send_attempt_timeout;
                options.page = page;
                let service = ConsultationsService::new(options, tokens, platform);
                Ok(Arc::new(service.map_err(|error| error.to_string())?))
            }
            Self::SocketIo(told) => {
                let mut options = SocketIoConfig::new(&place.origin);
                options.account.clone_from(&told.account);
                options.dial_timeout = core.dial_timeout;
                options.http_timeout = core.http_timeout;
                options.answer_timeout = core.send_attempt_timeout;
                options.page = page;
                for (name, value) in &told.settings {
                    let set = options.set(name, value);
                    set.map_err(|error| error.to_string())?;
                }
                let service = SocketIoService::new(options, tokens, platform);
                Ok(Arc::new(service.map_err(|error| error.to_string())?))
            }
        }
    }
}

impl Told {
    fn read(file: &Path) -> Result<Self, String> {
        let all: Value = script::json(&file.to_string_lossy())?;
        let text = |key: &str| all[key].as_str().map(str::to_owned);
        Ok(Self {
            account: text("account"),
            context: text("context"),
            answers: all["answers"].as_bool().unwrap_or(true),
            settings: script::pairs(&all["settings"]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backend_is_played_as_the_file_beside_the_scenarios_says() {
        let scenario = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/scenarios/send.json"
        );
        let backend = Backend::named(Some("socketio"), scenario).expect("its file");
        assert!(!backend.answers());
        assert_eq!(backend.context_of(Some("x")).as_deref(), Some("Booking/x"));
        assert!(Backend::named(Some("pigeon"), scenario).is_err());
        let reference = Backend::named(None, scenario).expect("needs no file");
        assert!(reference.answers() && reference.context_of(None).is_none());
    }
}
