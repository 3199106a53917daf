//! The backend from outside: real loopback, real HTTP, real WebSockets, and no sleeps.

// A failed expectation is how a test fails, text we just made ourselves can be sliced, and a delay
// of a real server is measured with a real clock.
#![allow(clippy::expect_used, clippy::string_slice, clippy::disallowed_methods)]

mod auth;
mod consultations;
mod dialect_s34;
mod extensions;
mod faults_http;
mod faults_in;
mod faults_out;
mod faults_upgrade;
mod lifecycle;
mod network;
mod openai;
mod streaming;
mod support;
