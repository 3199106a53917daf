//! The boundary of the SDK to Swift and Kotlin: objects as thin as they can be, flat records that
//! cross by copy, one mapping of errors, and nothing else.
//!
//! Only the public API of `tidings` is used, so whatever an app in Swift or Kotlin can do, one in
//! Rust can do too. The rules that hold for every export:
//!
//! - Work runs on the SDK's own threads, named `tidings`. An export either waits for it or hands
//!   it over; nothing here blocks a caller's thread.
//! - What was accepted goes on when the caller's future is dropped or its [`CancelHandle`] pulled:
//!   the wait ends, the work does not. Reads end with their caller.
//! - The app is called from threads that may block, never under a lock, never after
//!   [`ChatClient::shutdown`] has returned; what it throws is an answer like any other.
//! - A panic becomes a [`ChatError`] with the code `internal`, never an end of the process.
//! - Ids are text, moments are milliseconds since 1970, spans are milliseconds.
#![deny(missing_docs)]

#[cfg(not(any(feature = "consultations", feature = "socketio")))]
compile_error!("a library speaks to a backend: choose a feature, `consultations` or `socketio`");

mod cancel;
mod client;
mod conversation;
mod error;
mod events;
mod gate;
mod key;
mod log;
pub mod records;
mod runtime;
mod service;
mod timeline;
mod token;
mod watch;

pub use cancel::CancelHandle;
pub use client::{ChatClient, ClientInfo, NetworkChange, SettingInfo, settings};
pub use conversation::Conversation;
pub use error::{ChatError, ErrorKind, Problem};
pub use events::EventFeed;
pub use key::{KeyAnswer, KeySource};
pub use log::{LogLevel, LogRecord, LogSink, set_log_sink};
pub use records::{capabilities::Capabilities, options::ClientOptions};
pub use service::{ServicePort, ServiceReply, SessionFeed, calls};
pub use timeline::{Timeline, TimelineChange};
pub use token::{TokenReply, TokenSource};
pub use watch::{Snapshot, Watch, WatchTopic};

uniffi::setup_scaffolding!("tidings");
