//! The runtime: the only place that spawns tasks and the only loop.
//!
//! `driver` feeds inputs to the engines and performs their outputs; `supervisor` owns every
//! task; [`observers`] read the store for the app.

pub mod command;
pub(crate) mod driver;
pub(crate) mod events;
pub mod observers;
mod parts;
pub(crate) mod supervisor;

pub use events::EventStream;
pub use parts::ChatClientParts;
