//! The backend that the options name.

use std::sync::Arc;

use tidings::{
    adapters::{
        consultations::{ConfigError, ConsultationsConfig, ConsultationsService, Dialect, WsAuth},
        net::TrustRoots,
        socketio::SocketIoService,
    },
    domain::ports::{ChatService, Platform},
};

use super::{
    Access,
    offline::OfflineService,
    settings::{DialectSetting, Settings, TrustSetting},
    socketio, token,
};
use crate::{
    args::{self, BackendKind, Global},
    failure::{Exit, Failure},
};

/// Builds the service; nothing is contacted.
pub(crate) fn service(
    global: &Global,
    settings: &Settings,
    platform: &Arc<dyn Platform>,
    access: Access,
) -> Result<Arc<dyn ChatService>, Failure> {
    match (global.backend, &global.url) {
        (BackendKind::Consultations, Some(url)) => {
            let config = consultations(global, settings, url)?;
            let tokens = token::provider(global);
            let service = ConsultationsService::new(config, tokens, Arc::clone(platform));
            Ok(Arc::new(service.map_err(refused)?))
        }
        (BackendKind::Socketio, Some(url)) => {
            Ok(Arc::new(gateway_at(url, global, settings, platform)?))
        }
        (BackendKind::Consultations | BackendKind::Socketio, None) if access == Access::Store => {
            Ok(Arc::new(OfflineService))
        }
        (BackendKind::Consultations | BackendKind::Socketio, None) => Err(no_server()),
        _ => {
            let text = "this backend is not in this build: use --backend consultations or socketio";
            Err(Failure::new(Exit::Rejected, "unsupported", text).field("backend"))
        }
    }
}

/// The gateway itself, for what it has beside the port.
pub(crate) fn gateway(
    global: &Global,
    settings: &Settings,
    platform: &Arc<dyn Platform>,
) -> Result<SocketIoService, Failure> {
    let url = global.url.as_deref().ok_or_else(no_server)?;
    gateway_at(url, global, settings, platform)
}

fn gateway_at(
    url: &str,
    global: &Global,
    settings: &Settings,
    platform: &Arc<dyn Platform>,
) -> Result<SocketIoService, Failure> {
    let config = settings.socketio.config(global, &settings.core, url)?;
    let tokens = token::provider(global);
    let service = SocketIoService::new(config, tokens, Arc::clone(platform));
    service.map_err(socketio::refused)
}

fn no_server() -> Failure {
    let text = "this command needs a server: give its --url, e.g. http://127.0.0.1:8080";
    Failure::usage(text).field("url")
}

fn consultations(
    global: &Global,
    settings: &Settings,
    url: &str,
) -> Result<ConsultationsConfig, Failure> {
    let (core, own) = (&settings.core, &settings.consultations);
    let mut config = ConsultationsConfig::new(url);
    config.ws_origin.clone_from(&global.ws_url);
    config.api_key = global.api_key.as_ref().map(|key| key.reveal().into());
    config.ws_auth = match global.ws_auth {
        args::WsAuth::Header => WsAuth::Header,
        args::WsAuth::Query => WsAuth::Query,
        args::WsAuth::Both => WsAuth::Both,
    };
    config.dialect = match own.dialect {
        DialectSetting::Auto => Dialect::Auto,
        DialectSetting::Production => Dialect::Production,
        DialectSetting::S34 => Dialect::S34,
    };
    config.dial_timeout = core.dial_timeout;
    config.http_timeout = core.http_timeout;
    config.attempt_timeout = core.send_attempt_timeout;
    config.page = core.history_page as usize;
    config.trust = trust(&own.trust)?;
    config.extensions = own.extensions;
    if let Some(personas) = &own.personas {
        config.personas.clone_from(personas);
    }
    Ok(config)
}

/// Whose certificates are trusted.
pub(crate) fn trust(setting: &TrustSetting) -> Result<TrustRoots, Failure> {
    match setting {
        TrustSetting::Platform => Ok(TrustRoots::Platform),
        TrustSetting::Webpki => Ok(TrustRoots::Webpki),
        TrustSetting::File(path) => std::fs::read(path)
            .map(TrustRoots::Custom)
            .map_err(|error| {
                let text = format!("the certificates cannot be read: {}", error.kind());
                Failure::new(Exit::Usage, "config.bad_value", text).field("config")
            }),
    }
}

fn refused(error: ConfigError) -> Failure {
    let (code, field) = match &error {
        ConfigError::Origin(_) => ("config.bad_url", "url"),
        _ => ("config.bad_value", "config"),
    };
    Failure::new(Exit::Usage, code, error.to_string()).field(field)
}
