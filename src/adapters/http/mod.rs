//! HTTP, shared by every backend: one client, one mapping of what comes back, one token store.

pub mod auth;
pub mod authorized;
pub mod client;
mod connections;
pub mod jwt;
pub mod origin;
pub mod reply;
pub mod retry_after;
pub mod static_token;
pub mod status;

pub use auth::Authenticator;
pub use authorized::AuthorizedClient;
pub use client::{HttpClient, HttpLimits, HttpRequest};
pub use origin::{OriginError, parse_origin};
pub use reply::HttpReply;
pub use static_token::{NoToken, StaticToken};
pub use status::Effect;
