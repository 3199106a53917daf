//! What belongs into one transaction: each rule once, over the store's row primitives.
//!
//! Use cases and the runtime call these inside [`ChatRepository::transact`]; adapters never do.
//! Every rule that changes a message goes through [`editor::Editor`], the only place that inserts
//! one, so that counts, list previews and the journal stay true.
//!
//! [`ChatRepository::transact`]: crate::domain::ports::ChatRepository

pub mod accept;
pub mod act;
pub mod answer;
mod asked;
pub mod attempt;
pub mod binding;
mod changes;
pub mod conversations;
pub mod editor;
pub mod gaps;
pub mod intents;
mod matcher;
pub mod merge;
mod partial;
pub mod placement;
pub mod queue;
pub mod reading;
pub mod repeat;
pub mod restore;
pub mod retention;
mod said;
pub mod salvage;
pub mod settle;
mod settle_down;
pub mod transcript;
pub mod user;

#[cfg(test)]
mod tests;
