//! What belongs into one transaction: each rule once, over the store's row primitives.
//!
//! Use cases and the runtime call these inside [`ChatRepository::transact`]; adapters never do.
//! Every rule that changes a message goes through [`editor::Editor`], the only place that inserts
//! one, so that counts, list previews and the journal stay true.
//!
//! [`ChatRepository::transact`]: crate::domain::ports::ChatRepository

pub mod accept;
pub mod answer;
pub mod attempt;
pub mod conversations;
pub mod editor;
pub mod merge;
pub mod placement;
pub mod reading;
pub mod salvage;
pub mod settle;
pub mod user;

#[cfg(test)]
mod tests;
