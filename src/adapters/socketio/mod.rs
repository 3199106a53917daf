//! The Socket.IO backend: context channels over one Socket.IO connection.
//!
//! Two protocols lie on each other, each a codec without I/O here: Engine.IO 4 ([`engineio`]), which
//! carries messages over a WebSocket or over long-polling, and Socket.IO 5 ([`packet`]), which gives
//! them namespaces, events, acknowledgements and attachments; [`client`] is one socket's life.
//!
//! Delivery states, as this wire can prove them: the answer to a message, or its row in the history,
//! makes it *Sent*. Nothing says *Delivered*; the read markers of others are told as receipts.

mod audit;
pub mod client;
mod config;
mod connect;
mod directory;
mod disputes;
pub mod engineio;
pub mod error;
mod history;
pub mod limits;
mod link;
pub mod packet;
mod refusal;
mod rest;
mod router;
mod rows;
mod service;
mod session;
mod settings;
mod transport;

pub use audit::AuditPage;
pub use config::{Carriers, ConfigError, EventNames, Profile, SocketIoConfig};
pub use disputes::{DisputeFacts, Evidence};
pub use error::WireError;
pub use limits::WireLimits;
pub use rows::AuditRow;
pub use service::SocketIoService;
pub use session::SocketIoSession;
pub use settings::Setting;
