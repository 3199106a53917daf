//! What requests carry: the caller, and bodies checked against the protocol's limits.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use super::{Problem, auth};
use crate::app::Shared;

/// Who is asking.
#[derive(Debug)]
pub(super) struct Caller(pub(super) String);

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        auth::identify(app, &parts.headers, parts.uri.query())
            .await
            .map(Self)
    }
}

/// A JSON body, whatever its declared type; a missing one reads as `{}`.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, app)
            .await
            .map_err(|_| Problem::too_large())?;
        let json: &[u8] = if bytes.trim_ascii().is_empty() {
            b"{}"
        } else {
            &bytes
        };
        serde_json::from_slice(json)
            .map(Self)
            .map_err(|_| Problem::bad_request("invalid request body"))
    }
}

/// A number from the query, within bounds.
pub(super) fn bounded(
    name: &str,
    value: Option<&str>,
    bounds: std::ops::RangeInclusive<u32>,
    default: u32,
) -> Result<u32, Problem> {
    let Some(value) = value else {
        return Ok(default);
    };
    value
        .parse()
        .ok()
        .filter(|number| bounds.contains(number))
        .ok_or_else(|| Problem::bad_request(&format!("invalid {name}")))
}
