//! Tidings is a chat client SDK that keeps its word: an offline-first SQLite store, optimistic
//! sends that survive a kill, a WebSocket with polling fallback, and streamed AI answers, behind
//! one hexagonal core.
//!
//! **The promise.** What the user saw accepted is never lost, never doubled, never silently
//! failed, and every reply arrives, whatever the network does. Where a backend lacks what that
//! needs, the weaker guarantee is named, not hidden.
//!
//! # Example
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use tidings::{prelude::*, ChatClient, ChatClientParts, Config};
//!
//! let platform = Arc::new(SystemPlatform::new());
//! let service = ConsultationsConfig::new("https://chat.example.com");
//! let token = Arc::new(StaticToken::new("token from your sign-in"));
//! let service = Arc::new(ConsultationsService::new(service, token, platform.clone())?);
//! let repository = SqliteRepository::open(SqliteOptions::new("chat.db"))?;
//! let parts = ChatClientParts { service, repository, platform, config: Config::default() };
//! let client = ChatClient::start(parts).await?;
//!
//! let new = NewConversation { persona: Some("nutritionist".into()), ..Default::default() };
//! let chat = client.open(client.create_conversation(new).await?.conversation.id);
//! chat.send("What should I eat before a run?").await?; // on disk when this returns
//! let mut timeline = chat.observe(50);
//! for change in timeline.next().await? {
//!     println!("{change:?}"); // a reset first, then inserts, updates, removals
//! }
//! # Ok(()) }
//! ```
//!
//! # Laws
//!
//! 1. Engines are pure: time and entropy come in as values, outputs are drained, nothing waits.
//! 2. Only the runtime spawns, and it has one loop.
//! 3. A change of the domain and of its outbox or cursor are one transaction.
//! 4. Every service call answers two questions: may it be retried, and did it happen. Unknown
//!    never becomes failed, and is never resent without a read that proves absence, or a key the
//!    server knows.
//! 5. One place inserts a message, one comparator orders, one place maps a status code, one state
//!    machine owns the connection.
//! 6. Every state that is not final names what wakes it.
//! 7. Everything from outside is hostile: bounded, read leniently, never a panic, never an
//!    invented id or time.
//! 8. No token, key or message body in logs, errors or `Debug`.
//! 9. Dropping any public future at any await leaves all of this intact.
//!
//! Where things are: [`ChatClient`] is what an app holds; [`domain`] has the values, the rules and
//! the ports; [`engine`] the state machines; [`adapters`] the outside world; [`manual`] the
//! guarantees, protocol notes, error codes and decisions.
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

pub mod adapters;
pub mod client;
pub mod config;
pub mod conversation;
pub mod domain;
pub mod engine;
pub mod error;
pub mod manual;
pub mod runtime;
#[cfg(feature = "testing")]
pub mod testing;
pub mod usecases;

pub use client::ChatClient;
pub use config::Config;
pub use conversation::ConversationHandle;
pub use error::{ChatError, SendMessageError};
pub use runtime::{ChatClientParts, command::NetworkChange};

/// What most apps name: adapters, ids, and the values that calls take and give.
pub mod prelude {
    #[cfg(feature = "consultations")]
    pub use crate::adapters::consultations::{ConsultationsConfig, ConsultationsService};
    #[cfg(feature = "socketio")]
    pub use crate::adapters::socketio::{SocketIoConfig, SocketIoService};
    pub use crate::{
        ChatClient, ChatClientParts, ChatError, Config, ConversationHandle, NetworkChange,
        adapters::{
            http::{NoToken, StaticToken},
            memory::MemoryRepository,
            sqlite::{SqliteOptions, SqliteRepository},
            system::SystemPlatform,
        },
        domain::{
            connection::{ConnectionState, ConnectionStatus, Light, Transport},
            conversation::Conversation,
            delivery::{DeliveryState, Reason},
            event::{ClientEvent, StreamPhase, SyncPhase},
            ids::{ClientMessageId, ConversationId, MessageId, UserId},
            message::{Completeness, Message, Role},
            outbox::{OutboxEntry, SendMode},
            ports::{
                KeyError, KeyProvider, NewConversation, StoreKey, Token, TokenError, TokenProvider,
            },
            timeline::TimelineDiff,
        },
    };
}
