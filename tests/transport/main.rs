//! The network adapters against real loopback servers, friendly and hostile.
//!
//! Nothing here measures time or sleeps to synchronise: waits end with an event, bounded
//! generously, and deadlines under test are short by configuration.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test crate: no users, and a failed expectation is a failed test"
)]

mod support;

mod auth;
mod connections;
mod extensions;
mod history;
mod hostile;
mod rest;
mod socket;
mod tls;
