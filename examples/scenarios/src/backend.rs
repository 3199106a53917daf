//! The backends that scenarios are played against.

use std::sync::Arc;

use tidings::{
    Config,
    adapters::socketio::{SocketIoConfig, SocketIoService},
    domain::ports::{ChatService, TokenProvider},
    prelude::*,
};

use crate::stage::Place;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The reference backend: an assistant answers everything.
    Reference,
    /// Channels over Socket.IO: nobody answers, and a conversation belongs to a context.
    SocketIo,
}

/// Who plays where a scenario has no tokens.
const ANYBODY: &str = "me";

/// The longest text that scenarios count on.
const LONGEST: usize = 5_000;

impl Backend {
    /// By its name; the reference backend where there is none.
    pub(crate) fn named(name: Option<&str>) -> Self {
        match name {
            Some("socketio") => Self::SocketIo,
            _ => Self::Reference,
        }
    }

    /// Whether messages are answered.
    pub(crate) fn answers(self) -> bool {
        self == Self::Reference
    }

    /// The context of a conversation that a scenario gives none.
    pub(crate) fn context_of(self, name: Option<&str>) -> Option<String> {
        (self == Self::SocketIo).then(|| format!("Booking/{}", name.unwrap_or("b")))
    }

    /// Its service.
    pub(crate) fn service(
        self,
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
            Self::SocketIo => {
                let mut options = SocketIoConfig::new(&place.origin);
                options.dedupes = true;
                options.account = Some(ANYBODY.to_owned());
                options.max_text = LONGEST;
                options.dial_timeout = core.dial_timeout;
                options.http_timeout = core.http_timeout;
                options.answer_timeout = core.send_attempt_timeout;
                options.page = page;
                let service = SocketIoService::new(options, tokens, platform);
                Ok(Arc::new(service.map_err(|error| error.to_string())?))
            }
        }
    }
}
