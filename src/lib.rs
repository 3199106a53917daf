//! Tidings.
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

pub mod adapters;
pub mod client;
pub mod config;
pub mod conversation;
pub mod domain;
pub mod error;
pub mod runtime;
#[cfg(feature = "testing")]
pub mod testing;
pub mod usecases;

pub use client::{ChatClient, ChatClientParts};
pub use config::Config;
pub use conversation::ConversationHandle;
pub use error::{ChatError, SendMessageError};
pub use runtime::command::NetworkChange;
