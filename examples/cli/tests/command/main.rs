//! The built command, run from outside against the reference backend in process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so at once"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes and servers"
)]

mod support;

mod actions;
mod demo;
mod doctor;
mod encrypted;
mod errors;
mod fallback;
mod gateway;
#[allow(dead_code, reason = "the SDK's own tests do more with it")]
#[path = "../../../../tests/socketio/node.rs"]
mod node;
mod offline;
mod privacy;
mod processes;
mod scenarios;
mod sending;
mod session;
mod socketio;
mod storage;
mod store_key;
mod stored;
mod usage;
