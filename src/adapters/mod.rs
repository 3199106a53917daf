//! Adapters: what plugs into the ports of [`crate::domain::ports`].

pub mod memory;
pub mod sqlite;
mod storage;
