//! Adapters: the outside world behind the ports. Each one knows a single foreign thing.

#[cfg(feature = "consultations")]
pub mod consultations;
mod fold;
mod guarded;
pub mod http;
pub mod memory;
mod printable;
pub mod sqlite;
pub mod system;
pub mod websocket;
