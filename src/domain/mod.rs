//! The domain: values, rules, order, delivery states and the ports the outside plugs into.
//!
//! Pure and synchronous: nothing in here awaits, reads a clock, draws randomness or knows a backend.

mod calendar;
pub mod capabilities;
pub mod connection;
pub mod conversation;
pub mod cursor;
pub mod delivery;
pub mod event;
pub mod ids;
pub mod journal;
pub mod message;
pub mod order;
pub mod outbox;
#[cfg(feature = "testing")]
pub mod plant;
#[cfg(not(feature = "testing"))]
pub(crate) mod plant;
pub mod ports;
pub mod retry;
pub mod rules;
pub mod search;
pub(crate) mod sorted_map;
pub(crate) mod sorting;
pub mod text;
pub mod time;
pub mod timeline;
pub mod transcript;
