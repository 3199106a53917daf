//! Adapters: the outside world behind the ports. Each one knows a single foreign thing.

#[cfg(feature = "consultations")]
pub mod consultations;
pub mod http;
#[cfg(any(feature = "consultations", feature = "socketio"))]
#[cfg_attr(
    not(feature = "consultations"),
    expect(dead_code, reason = "this backend reads fewer kinds of fields")
)]
mod json;
pub mod memory;
pub mod net;
#[cfg(any(feature = "consultations", feature = "socketio"))]
mod printable;
#[cfg(feature = "socketio")]
pub mod socketio;
pub mod sqlite;
mod storage;
pub mod system;
pub mod websocket;
