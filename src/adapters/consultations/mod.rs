//! The consultations backend: REST for everything, a WebSocket for each conversation's answers.
//!
//! Delivery states, as this wire can prove them: a REST answer or an `message_received` frame makes
//! a message *Sent*; nothing on this wire says *Delivered* or *Read*, so those are never set.
//! Messages carry no key of ours and no sequence: their order is their place in the history.

mod config;
mod create;
mod dialect;
mod documents;
mod envelope;
mod extensions;
mod frames;
mod history;
mod listing;
mod send;
mod service;
mod session;
mod wire;

pub use crate::adapters::http::{OriginError, parse_origin};
pub use config::{ConfigError, ConsultationsConfig, SERVER_PERSONAS, WsAuth};
pub use dialect::Dialect;
pub use frames::{ConsultationsDecoder, ConsultationsEncoder};
pub use service::ConsultationsService;
pub use session::ConsultationsSession;
