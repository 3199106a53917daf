//! The backend from outside: real loopback, real HTTP, real WebSockets, and no sleeps.

// A failed expectation is how a test fails; slicing text we just made ourselves is safe.
#![allow(clippy::expect_used, clippy::string_slice)]

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
