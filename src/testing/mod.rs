//! For tests of apps and adapters: what every implementation of a port must pass.

pub mod repository_contract;

mod keys;
pub mod plant;
mod platform;
pub mod scripted;

pub use keys::ScriptedKeys;
pub use platform::VirtualPlatform;
pub use scripted::{ScriptedService, ScriptedSession};
