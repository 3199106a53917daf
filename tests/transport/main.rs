//! The network adapters against real loopback servers, friendly and hostile.
//!
//! Nothing here measures time or sleeps to synchronise: waits end with an event, bounded
//! generously, and deadlines under test are short by configuration.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "a test crate has no users"
)]

mod support;

mod auth;
mod history;
mod hostile;
mod rest;
mod socket;
