//! The Tidings reference backend: a chat service with a scripted coach, for newcomers to talk to,
//! for backend teams to read as a contract, and for tests to break on purpose.
//!
//! It speaks the `consultations` protocol in both dialects seen in the field, streams answers over
//! a WebSocket, keeps everything in SQLite, and misbehaves exactly as its fault rules say.
//!
//! ```
//! use tidings_backend::{Action, Backend, BackendConfig, On, Rule};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let backend = Backend::start(BackendConfig::default())?;
//! println!("talk to {}", backend.url());
//!
//! // The next POST of a message is applied, but its answer never leaves.
//! backend.faults().add(Rule::new(On::Http, Action::LostAck).method("POST").path("*/messages"))?;
//! # Ok(())
//! # }
//! ```
//!
//! The server lives on a thread and a runtime of its own, so it works from synchronous tests and
//! keeps answering while a test blocks. Dropping the [`Backend`] stops it.
//!
//! The wire contract, the extensions and the rule format:
//!
#![doc = include_str!("../README.md")]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]
// The laws these lints guard (time, tasks and order enter from outside) bind the SDK, which is
// simulated; a server is real: it reads the clock, spawns and selects.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::disallowed_types
)]

mod admin;
mod api;
mod app;
mod backend;
mod clock;
mod coach;
mod config;
mod error;
mod faults;
mod hub;
mod journal;
mod network;
mod pipeline;
mod server;
mod store;
mod turns;
mod ws;

pub use backend::{Backend, StoredMessage};
pub use config::{
    BackendConfig, CoachConfig, ConflictPolicy, Dialect, OpenAiCoach, Secret, StaticToken,
};
pub use error::BackendError;
pub use faults::{Action, Direction, Faults, Match, On, Rule, RuleError, RuleStatus};
pub use hub::OpenSocket;
pub use journal::{AuthPlacement, FrameDirection, FrameRecord, RequestRecord, Traffic};
pub use network::Network;
