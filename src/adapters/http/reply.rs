//! A whole HTTP reply, read within bounds, whatever its status.

use std::{fmt, time::Duration};

use crate::{adapters::http::retry_after, domain::time::WallTime};

/// What came back.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// The body; bytes that are not UTF-8 are replaced.
    pub body: String,
    pub(crate) content_type: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) date: Option<String>,
    /// When the server's patience begins anew, in seconds of its epoch: `X-RateLimit-Reset`.
    pub(crate) limit_reset: Option<String>,
    /// What it sets, as it stands: `Set-Cookie`.
    pub(crate) cookies: Vec<String>,
}

impl HttpReply {
    /// Whether the request was done.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Whether this is a page for people: our backends speak JSON, so someone else answered.
    #[must_use]
    pub fn is_page(&self) -> bool {
        let named = self.content_type.as_deref().unwrap_or_default();
        named.to_ascii_lowercase().contains("html") || self.body.trim_start().starts_with('<')
    }

    /// Whether the token was refused, by the backend itself and not by a portal's page.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status == 401 && !self.is_page()
    }

    /// How long the server wants to be left alone.
    #[must_use]
    pub fn retry_after(&self, now: WallTime) -> Option<Duration> {
        retry_after::parse(self.retry_after.as_deref()?, self.date.as_deref(), now)
    }
}

/// Prints no body and no header.
impl fmt::Debug for HttpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpReply({}, {} bytes)", self.status, self.body.len())
    }
}
