//! Adapters: what plugs into the ports of [`crate::domain::ports`].

mod fold;
mod guarded;
pub mod memory;
pub mod sqlite;
