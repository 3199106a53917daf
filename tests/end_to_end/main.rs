//! The main job against the reference backend: real HTTP, real WebSocket, real SQLite file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test program says what it expects, and starts what it needs"
)]

mod actions;
mod fallback;
mod sharing;
mod support;
mod uncertain;
