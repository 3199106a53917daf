//! What every handler shares.

use std::sync::Arc;

use crate::{
    coach::Coach, config::BackendConfig, faults::Faults, hub::Hub, journal::Journal, network::Door,
    store::Store,
};

/// The running backend.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) config: BackendConfig,
    pub(crate) store: Store,
    pub(crate) hub: Hub,
    pub(crate) faults: Faults,
    pub(crate) journal: Arc<Journal>,
    pub(crate) coach: Coach,
    pub(crate) door: Door,
}

/// A handle to it.
pub(crate) type Shared = Arc<App>;
