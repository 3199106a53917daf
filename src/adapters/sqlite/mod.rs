//! The durable store: one SQLite file in WAL mode.
//!
//! | part | job |
//! |---|---|
//! | `probe` | looks at a file without touching it |
//! | `open`, `migrate` | connections with our settings, the schema by numbered steps |
//! | `cipher` | the key, and stores that come under one |
//! | `writer` | group commit: the waiting jobs in one transaction, a savepoint each |
//! | `reader` | one consistent view for each job, on connections of its own |
//! | `rows`, `*_rows` | the primitives, statement by statement |
//! | `asking`, `codec` | a question's rows, and a row's columns |
//! | `record`, `known` | an update writes what changed of the row that the transaction knows |
//! | `search_index`, `search_rows` | full text: what the writer takes in when idle, and the question |
//! | `search_repair` | an index whose pages are damaged is made again |
//! | `spare`, `salvage`, `generic` | the second copy of what is unsent, and what it is for |
//! | `users` | who has the file open, so that nobody moves it under another |
//! | `owner`, `watcher` | which process sends, and what other processes changed |
//! | `session` | the file while it is open, and the order in which all of it ends |
//! | `repository` | the port, over suspensions |
//!
//! Nothing here knows a rule of the domain (the salvage asks it to complete the rows), and no SQLite
//! call runs on a thread of the async runtime, save where [`Executor::Inline`] asks for just that.

mod action_columns;
mod asking;
mod cipher;
mod codec;
mod conversation_rows;
mod error;
mod generic;
mod housekeeping;
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
mod salvage;
mod search_index;
mod search_repair;
mod search_rows;
mod session;
mod spare;
mod users;
mod watcher;
mod writer;

#[cfg(test)]
mod plans;
#[cfg(test)]
mod queries;

#[cfg(feature = "testing")]
pub use self::cipher::on_sealing;
pub use self::{
    housekeeping::StorageStatistics,
    options::{Executor, SqliteOptions, Synchronous},
    repository::SqliteRepository,
};
