//! For tests of apps and adapters: what every implementation of a port must pass.

pub mod repository_contract;

pub mod plant;
mod platform;
pub mod scripted;

pub use platform::VirtualPlatform;
pub use scripted::{ScriptedService, ScriptedSession};
