//! Tidings: a chat client SDK that keeps its word.
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

pub mod adapters;
pub mod client;
pub mod config;
pub mod conversation;
pub mod domain;
pub mod engine;
pub mod error;
pub mod runtime;
#[cfg(feature = "testing")]
pub mod testing;
pub mod usecases;

pub use client::ChatClient;
pub use config::Config;
pub use conversation::ConversationHandle;
pub use error::{ChatError, SendMessageError};
pub use runtime::{ChatClientParts, command::NetworkChange};
