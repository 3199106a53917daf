//! Connections, shared by HTTP and WebSocket: one way to a server, one TLS configuration.

pub mod connect;
mod tcp;
pub mod tls;

pub use connect::{BoxedIo, Connector};
pub use tls::{TlsSetupError, TrustRoots};
