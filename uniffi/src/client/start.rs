//! How a client comes to be: its parts by name, the core by one call.

use std::{fmt::Display, sync::Arc};

#[cfg(feature = "consultations")]
use tidings::adapters::consultations::ConsultationsService;
#[cfg(feature = "socketio")]
use tidings::adapters::socketio::SocketIoService;
use tidings::{
    ChatClientParts, Config,
    adapters::{
        http::{NoToken, StaticToken},
        memory::MemoryRepository,
        sqlite::SqliteRepository,
        system::SystemPlatform,
    },
    domain::ports::{ChatRepository, ChatService, Platform, TokenProvider},
};

use super::{ChatClient, Lifetime};
use crate::{
    error::ChatError,
    gate::Gate,
    records::options::{Backend, ClientOptions, Store, Tokens, config},
    runtime::{blocking, change},
    service::AppService,
    token::AppTokens,
};

#[uniffi::export]
impl ChatClient {
    /// Starts a client. What was on the wire when the last one ended is settled, then sending goes
    /// on.
    #[uniffi::constructor]
    pub async fn start(options: ClientOptions) -> Result<Arc<Self>, ChatError> {
        change(None, begin(options)).await
    }
}

async fn begin(options: ClientOptions) -> Result<Arc<ChatClient>, ChatError> {
    let config = config(&options.settings)?;
    let lifetime = Arc::new(Lifetime::default());
    let gate = Arc::clone(&lifetime.gate);
    let store = options.store;
    let (backend, tokens, made) = (options.backend, options.tokens, config.clone());
    // Opening a file and reading the system's certificates both wait for the disk.
    let parts = blocking(move || {
        let platform: Arc<dyn Platform> = Arc::new(SystemPlatform::new());
        Ok(ChatClientParts {
            service: service(
                backend,
                tokens,
                &made,
                Arc::clone(&platform),
                Arc::clone(&gate),
            )?,
            repository: repository(store, gate)?,
            platform,
            config: made,
        })
    });
    let core = tidings::ChatClient::start(parts.await?).await?;
    let core = Arc::new(core);
    Ok(Arc::new(ChatClient { core, lifetime }))
}

/// The place for further kinds of store.
fn repository(store: Store, gate: Arc<Gate>) -> Result<Arc<dyn ChatRepository>, ChatError> {
    Ok(match store {
        Store::File { options } => SqliteRepository::open(options.adapter(gate))?,
        Store::Memory => Arc::new(MemoryRepository::new()),
    })
}

/// The place for further backends.
fn service(
    backend: Backend,
    tokens: Tokens,
    config: &Config,
    platform: Arc<dyn Platform>,
    gate: Arc<Gate>,
) -> Result<Arc<dyn ChatService>, ChatError> {
    match backend {
        #[cfg(feature = "consultations")]
        Backend::Consultations { options } => made(ConsultationsService::new(
            options.adapter(config),
            provider(tokens, gate),
            platform,
        )),
        #[cfg(feature = "socketio")]
        Backend::SocketIo { options } => made(SocketIoService::new(
            options.adapter(config)?,
            provider(tokens, gate),
            platform,
        )),
        Backend::Custom {
            service,
            capabilities,
        } => Ok(Arc::new(AppService::new(
            service,
            capabilities,
            config,
            gate,
        ))),
        #[cfg(not(all(feature = "consultations", feature = "socketio")))]
        other => Err(absent(&other)),
    }
}

fn provider(tokens: Tokens, gate: Arc<Gate>) -> Arc<dyn TokenProvider> {
    match tokens {
        Tokens::None => Arc::new(NoToken),
        Tokens::Fixed { token } => Arc::new(StaticToken::new(token)),
        Tokens::Source { source } => Arc::new(AppTokens { source, gate }),
    }
}

/// An adapter of the SDK's own, unless its options were wrong.
fn made<S: ChatService + 'static>(
    adapter: Result<S, impl Display>,
) -> Result<Arc<dyn ChatService>, ChatError> {
    match adapter {
        Ok(adapter) => Ok(Arc::new(adapter)),
        Err(wrong) => Err(ChatError::invalid("backend", &wrong.to_string())),
    }
}

/// What another library has: a backend and its feature have one name.
#[cfg(not(all(feature = "consultations", feature = "socketio")))]
fn absent(backend: &Backend) -> ChatError {
    let feature = format!("{backend:?}").to_lowercase();
    let sentence = format!("this library was built without the feature {feature}");
    tidings::ChatError::Unsupported(sentence).into()
}

/// One setting, for a listing.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SettingInfo {
    /// The key.
    pub name: String,
    /// The default.
    pub default_value: String,
    /// `duration`, `count` or `flag`.
    pub unit: String,
    /// The least value, where it has an order.
    pub least: Option<String>,
    /// The greatest value, where it has an order.
    pub greatest: Option<String>,
    /// Why the default is what it is.
    pub why: String,
}

/// Every setting with its default, bounds and reason.
#[uniffi::export]
#[must_use]
pub fn settings() -> Vec<SettingInfo> {
    let known = Config::default().settings();
    let listed = known.into_iter().map(|setting| {
        let (least, greatest) = setting.bounds.unzip();
        SettingInfo {
            name: setting.name.to_owned(),
            default_value: setting.default,
            unit: setting.unit.to_owned(),
            least,
            greatest,
            why: setting.reason.to_owned(),
        }
    });
    listed.collect()
}
