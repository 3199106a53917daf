//! The manual: what is promised, how each backend is spoken to, and why things are as they are.

#[doc = include_str!("guarantees.md")]
pub mod guarantees {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("defaults.md")]
pub mod defaults {}

#[doc = include_str!("consultations.md")]
pub mod consultations {}

#[doc = include_str!("socketio.md")]
pub mod socketio {}

#[doc = include_str!("catalogue.md")]
pub mod catalogue {}

#[doc = include_str!("transcripts.md")]
pub mod transcripts {}
