//! The Socket.IO backend against the real `socket.io` server, on loopback. Needs Node 20 and npm.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a test crate: no users, and a failed expectation is a failed test"
)]

mod app;
mod audit;
mod auth;
mod chat;
mod client;
mod lost;
mod missed;
mod node;
mod pair;
mod raw;
mod rest;
mod restart;
mod support;
mod wire;
