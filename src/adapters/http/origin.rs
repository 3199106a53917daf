//! The one address in the configuration: a scheme, a host, a port, and nothing more.

use url::Url;

/// Why a text is no origin. The text itself is not repeated: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Not a URL.
    #[error("the address is not a URL: write it like https://chat.example.com")]
    Unreadable,
    /// Another scheme.
    #[error("the address must begin with {expected}")]
    Scheme {
        /// What it must begin with.
        expected: &'static str,
    },
    /// No host.
    #[error("the address names no host")]
    Host,
    /// A user name or a password.
    #[error("the address holds a user name or password: tokens have an option of their own")]
    Credentials,
    /// A path: the service's own paths are added by the SDK.
    #[error(
        "the address has a path: give only scheme, host and port, like https://chat.example.com"
    )]
    Path,
    /// A query or a fragment.
    #[error("the address has a query or fragment: give only scheme, host and port")]
    Query,
}

/// Reads an origin for REST: `http` or `https`.
///
/// # Errors
/// [`OriginError`] for everything that is more, or less, than an origin.
pub fn parse_origin(text: &str) -> Result<Url, OriginError> {
    let url = checked(text)?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(OriginError::Scheme {
            expected: "http:// or https://",
        }),
    }
}

/// Reads an origin for the socket: `ws` or `wss`; `http` and `https` stand for the same.
///
/// # Errors
/// [`OriginError`].
#[cfg(any(feature = "consultations", test))]
pub(crate) fn parse_ws_origin(text: &str) -> Result<Url, OriginError> {
    to_ws(checked(text)?)
}

/// The socket's origin, where it is REST's own.
#[cfg(any(feature = "consultations", test))]
pub(crate) fn to_ws(mut url: Url) -> Result<Url, OriginError> {
    let wrong = OriginError::Scheme {
        expected: "ws:// or wss://",
    };
    let scheme = match url.scheme() {
        "http" | "ws" => "ws",
        "https" | "wss" => "wss",
        _ => return Err(wrong),
    };
    url.set_scheme(scheme).map_err(|()| wrong)?;
    Ok(url)
}

fn checked(text: &str) -> Result<Url, OriginError> {
    let url = Url::parse(text.trim()).map_err(|_| OriginError::Unreadable)?;
    if url.cannot_be_a_base() || url.host_str().is_none_or(str::is_empty) {
        return Err(OriginError::Host);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OriginError::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(OriginError::Query);
    }
    match url.path() {
        "" | "/" => Ok(url),
        _ => Err(OriginError::Path),
    }
}

/// The address of one of the service's resources, below the path that all of them share. Segments
/// are escaped; one that would change the path is refused.
#[cfg(any(feature = "consultations", feature = "socketio", test))]
pub(crate) fn resource(origin: &Url, below: &[&str], segments: &[&str]) -> Option<Url> {
    let moving = |segment: &&str| matches!(*segment, "" | "." | "..");
    if segments.iter().any(moving) {
        return None;
    }
    let mut url = origin.clone();
    url.path_segments_mut()
        .ok()?
        .clear()
        .extend(below)
        .extend(segments);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l10_address_with_a_path_is_refused() {
        for (bad, why) in [
            ("wss://h/ws/meal-logs", OriginError::Path),
            ("ws://h?token=t", OriginError::Query),
            ("ws://h/#x", OriginError::Query),
            ("wss://user:secret@h", OriginError::Credentials),
        ] {
            assert_eq!(parse_ws_origin(bad).err(), Some(why), "{bad}");
            let rest = bad.replacen("ws", "http", 1).replacen("httpss", "https", 1);
            assert_eq!(parse_origin(&rest).err(), Some(why), "{rest}");
        }
        assert_eq!(
            parse_origin("chat.example.com").err(),
            Some(OriginError::Unreadable)
        );
        assert_eq!(parse_origin("mailto:a@b").err(), Some(OriginError::Host));
        assert!(matches!(
            parse_origin("ftp://h"),
            Err(OriginError::Scheme { .. })
        ));
    }

    #[test]
    fn l16_every_request_goes_to_the_configured_origin() {
        let origin = parse_origin("http://127.0.0.1:8080/").expect("origin");
        let url = resource(&origin, &["api", "v1"], &["a/b c?", "messages"]).expect("resource");
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:8080/api/v1/a%2Fb%20c%3F/messages"
        );
        for id in ["..", ".", ""] {
            assert_eq!(resource(&origin, &[], &[id]), None, "{id}");
        }
        let ws = to_ws(origin).expect("ws");
        assert_eq!(ws.as_str(), "ws://127.0.0.1:8080/");
    }
}
