//! Adapters: the outside world behind the ports. Each one knows a single foreign thing.

#[cfg(feature = "consultations")]
pub mod consultations;
pub mod http;
pub mod memory;
#[cfg(feature = "consultations")]
mod printable;
pub mod sqlite;
mod storage;
pub mod system;
pub mod websocket;
