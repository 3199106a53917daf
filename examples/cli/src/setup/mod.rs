//! From options to a running client.

mod backend;
mod key;
mod offline;
mod settings;
mod socketio;
mod store;
mod token;

use std::sync::Arc;

use tidings::{
    ChatClient, ChatClientParts, Config,
    domain::ports::{ChatRepository, ChatService, Platform},
};

pub(crate) use self::{
    backend::{gateway, service, trust},
    settings::{Settings, backend_settings},
    store::{close, erase, look, sqlite, store_path},
};
use crate::{args::Global, failure::Failure};

/// What a command needs of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// The store alone: nothing is sent, nothing is read from the server, no URL is needed.
    Store,
    /// The server too.
    Network,
}

/// Builds and starts the client.
pub(crate) async fn client(
    global: &Global,
    platform: &Arc<dyn Platform>,
    access: Access,
) -> Result<ChatClient, Failure> {
    let settings = Settings::read(global)?;
    let service = service(global, &settings, platform, access)?;
    let repository = store::open(global, platform, access).await?;
    Ok(start(service, repository, platform, settings.core).await?)
}

/// Starts a client on parts that are ready.
async fn start(
    service: Arc<dyn ChatService>,
    repository: Arc<dyn ChatRepository>,
    platform: &Arc<dyn Platform>,
    config: Config,
) -> Result<ChatClient, tidings::ChatError> {
    ChatClient::start(ChatClientParts {
        service,
        repository,
        platform: Arc::clone(platform),
        config,
    })
    .await
}
