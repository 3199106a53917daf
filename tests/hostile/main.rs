//! The whole client against networks and servers that misbehave: real TCP, HTTP, WebSocket, SQLite.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test program says what it expects, and starts what it needs"
)]

mod conversations;
mod device;
#[path = "../transport/support/server.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the scripted server of the transport tests, of which this program uses a part"
)]
mod raw;
mod server;

mod acks;
mod auth;
mod frames;
mod history;
mod idle;
mod limits;
mod network;
mod odd;
mod refusals;
mod s34;
mod turns;
mod upgrade;
