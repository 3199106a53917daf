//! Ports: what the core needs from the outside, said in the core's own terms.

pub mod chat_repository;
pub mod chat_service;
pub mod dispatch;
pub mod key_provider;
pub mod platform;
pub mod realtime;
pub mod token_provider;

pub use crate::domain::conversation::NewConversation;
pub use chat_repository::{ChatRepository, Durability, RepositoryError, Revision, Rows};
pub use chat_service::{
    ChatService, ConversationPage, CreateOutcome, HistoryPage, ListScope, Outgoing, Reconciled,
};
pub use dispatch::Dispatch;
pub use key_provider::{KeyError, KeyProvider, StoreKey};
pub use platform::Platform;
pub use realtime::RealtimeSession;
pub use token_provider::{Token, TokenError, TokenProvider};
