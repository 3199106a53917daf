//! Answers no honest server gives.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    http::{HeaderName, HeaderValue, header, response::Parts},
    response::Response,
};
use futures_util::stream;

use super::status_code;
use crate::{
    faults::{Action, replacement},
    network::Wire,
    ws::outbound::{oversized, pace},
};

/// The status of an answer whose connection is gone: unassigned, and never on the wire.
pub(super) const NEVER_SENT: u16 = 599;

const PORTAL: &str = "<!DOCTYPE html><html><head><title>Welcome</title></head>\
    <body><form action=\"/login\">Sign in to use this network</form></body></html>";

/// A placeholder for the answer to a connection that no longer exists.
pub(super) fn never_sent() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status_code(NEVER_SENT);
    response
}

/// The size of an answer's body, where it is known before sending.
pub(super) fn length(response: &Response) -> u64 {
    response.body().size_hint().exact().unwrap_or(0)
}

pub(super) fn status(
    code: u16,
    headers: &BTreeMap<String, String>,
    body: String,
    content_type: &str,
) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status_code(code);
    put(&mut response, "content-type", content_type);
    for (name, value) in headers {
        put(&mut response, name, &dated(value));
    }
    response
}

/// `http-date+5` becomes the date five seconds from now: `Retry-After` may be a date, and a rule is
/// written before it is used.
fn dated(value: &str) -> String {
    match value.strip_prefix("http-date+").map(str::parse) {
        Some(Ok(seconds)) => {
            httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(seconds))
        }
        _ => value.to_owned(),
    }
}

pub(super) fn captive() -> Response {
    status(
        200,
        &BTreeMap::new(),
        PORTAL.to_owned(),
        "text/html; charset=utf-8",
    )
}

pub(super) fn redirect(location: &str) -> Response {
    let headers = BTreeMap::from([("location".to_owned(), location.to_owned())]);
    status(302, &headers, String::new(), "text/html; charset=utf-8")
}

/// Spoils an honest answer on its way out.
pub(super) async fn spoil(wire: &Arc<Wire>, response: Response, action: Action) -> Response {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    match action {
        Action::Replace { text, base64 } => {
            let bytes = replacement(text.as_deref(), base64.as_deref());
            Response::from_parts(parts, Body::from(bytes))
        }
        Action::Oversize { bytes } => {
            let text = oversized(&String::from_utf8_lossy(&body), bytes);
            Response::from_parts(parts, Body::from(text))
        }
        Action::SlowBody { bytes_per_sec } => slow(parts, body, bytes_per_sec),
        Action::Truncate { bytes } => {
            // The connection ends right after; an error changes nothing.
            let _ = wire.write_raw(&partial(&parts, &body, bytes)).await;
            wire.finish();
            never_sent()
        }
        _ => {
            let _ = wire
                .write_raw(&partial(&parts, &body, body.len() / 2))
                .await;
            wire.reset();
            never_sent()
        }
    }
}

/// The head, which promises the whole body, and a part of it.
fn partial(parts: &Parts, body: &[u8], keep: usize) -> Vec<u8> {
    let status = parts.status;
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for (name, value) in &parts.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend(body.iter().take(keep));
    bytes
}

fn slow(mut parts: Parts, body: Bytes, bytes_per_sec: u32) -> Response {
    let (piece, pause) = pace(bytes_per_sec);
    let length = body.len();
    let pieces = stream::unfold((body, Duration::ZERO), move |(mut rest, wait)| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(wait).await;
        let next = rest.split_to(piece.min(rest.len()));
        Some((Ok::<_, std::io::Error>(next), (rest, pause)))
    });
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// Adds a header; one that is not valid is left out.
fn put(response: &mut Response, name: &str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
        response.headers_mut().insert(name, value);
    }
}
