//! The Socket.IO backend: context channels over one Socket.IO connection.
//!
//! Two protocols lie on each other, each a codec without I/O here: Engine.IO 4 ([`engineio`]), which
//! carries messages over a WebSocket or over long-polling, and Socket.IO 5 ([`packet`]), which gives
//! them namespaces, events, acknowledgements and attachments.

pub mod client;
pub mod engineio;
pub mod error;
pub mod limits;
pub mod packet;

pub use error::WireError;
pub use limits::WireLimits;
