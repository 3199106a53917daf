//! The addresses of a session: mandatory query, own query, and a nonce on polls.

use url::Url;

use super::PROTOCOL;

/// What carries the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// One WebSocket.
    WebSocket,
    /// Requests, one of which waits.
    Polling,
}

impl Carrier {
    const fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Polling => "polling",
        }
    }
}

/// An endpoint: where it is, and what stands in every query.
#[derive(Clone)]
pub struct Endpoint {
    /// With the scheme `http` or `https`, the path included.
    address: Url,
    query: Vec<(String, String)>,
}

/// Prints neither address nor query.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Endpoint")
    }
}

impl Endpoint {
    /// An endpoint below an origin; the path's last slash is there, as servers expect it.
    #[must_use]
    pub fn new(origin: &Url, path: &str, query: Vec<(String, String)>) -> Self {
        let mut address = origin.clone();
        address.set_path(&format!("/{}/", path.trim_matches('/')));
        Self { address, query }
    }

    /// The address for one request or one socket.
    #[must_use]
    pub fn address(&self, carrier: Carrier, sid: Option<&str>, nonce: u64) -> Url {
        let mut url = self.address.clone();
        let mut pairs = url.query_pairs_mut();
        pairs.append_pair("EIO", PROTOCOL);
        pairs.append_pair("transport", carrier.name());
        for (name, value) in &self.query {
            pairs.append_pair(name, value);
        }
        if let Some(sid) = sid {
            pairs.append_pair("sid", sid);
        }
        if carrier == Carrier::Polling {
            pairs.append_pair("t", &format!("{nonce:x}"));
        }
        drop(pairs);
        if carrier == Carrier::WebSocket {
            let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
            // Both are schemes of the web: the change cannot be refused.
            let _ = url.set_scheme(scheme);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(origin: &str, path: &str) -> Endpoint {
        let query = vec![("tenant".to_owned(), "a b".to_owned())];
        Endpoint::new(&Url::parse(origin).expect("url"), path, query)
    }

    #[test]
    fn the_own_query_stands_on_every_request_and_the_nonce_on_polls_only() {
        let endpoint = endpoint("https://chat.example.com:8443", "/socket.io");
        assert_eq!(
            endpoint.address(Carrier::Polling, Some("s1"), 255).as_str(),
            "https://chat.example.com:8443/socket.io/?EIO=4&transport=polling&tenant=a+b&sid=s1&t=ff"
        );
        assert_eq!(
            endpoint.address(Carrier::WebSocket, None, 255).as_str(),
            "wss://chat.example.com:8443/socket.io/?EIO=4&transport=websocket&tenant=a+b"
        );
    }

    #[test]
    fn the_path_is_configurable_and_a_plain_origin_dials_a_plain_socket() {
        let endpoint = endpoint("http://127.0.0.1:3000", "chat/ws/");
        let url = endpoint.address(Carrier::WebSocket, Some("s"), 0);
        assert_eq!(
            url.as_str(),
            "ws://127.0.0.1:3000/chat/ws/?EIO=4&transport=websocket&tenant=a+b&sid=s"
        );
    }
}
