//! The durable store: one SQLite file in WAL mode.
//!
//! | part | job |
//! |---|---|
//! | `probe` | looks at a file without touching it |
//! | `open`, `migrate` | connections with our settings, the schema by numbered steps |
//! | `writer` | group commit: the waiting jobs in one transaction, a savepoint each |
//! | `reader` | one consistent view for each job, on connections of its own |
//! | `rows`, `*_rows` | the primitives, statement by statement |
//! | `record`, `known` | an update writes what changed of the row that the transaction knows |
//! | `search_index`, `search_rows` | full text: what the writer takes in when idle, and the question |
//! | `owner`, `watcher` | which process sends, and what other processes changed |
//! | `repository` | the port, and the order in which all of it ends |
//!
//! Nothing here knows a rule of the domain, and no SQLite call runs on a thread of the async
//! runtime, save where [`Executor::Inline`] asks for just that.

mod action_columns;
mod codec;
mod conversation_rows;
mod error;
mod journal_rows;
mod known;
mod message_rows;
mod migrate;
mod open;
mod options;
mod outbox_rows;
mod owner;
mod probe;
mod queue;
mod reader;
mod record;
mod repository;
mod rows;
mod search_index;
mod search_rows;
mod watcher;
mod writer;

#[cfg(test)]
mod plans;

pub use self::{
    options::{Executor, SqliteOptions, Synchronous},
    repository::SqliteRepository,
};
