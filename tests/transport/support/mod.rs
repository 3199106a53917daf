//! A scripted server and a client for it.

pub mod client;
pub mod server;

pub use client::{Tokens, config, connect, id, outgoing, service, service_with, within};
pub use server::{Reply, Seen, Server};
