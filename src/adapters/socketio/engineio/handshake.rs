//! What the server says when it opens a session.

use std::{fmt, time::Duration};

use crate::adapters::{json::Object, socketio::WireError};

/// The longest session id that is taken; servers use twenty characters.
const LONGEST_SID: usize = 256;

/// The longest interval that is believed: a day. A figure beyond it would never find a dead peer.
const LONGEST_INTERVAL: i64 = 24 * 60 * 60 * 1000;

/// What a server takes at once where it does not say: its default.
const DEFAULT_PAYLOAD: usize = 1_000_000;

/// The session's figures.
#[derive(Clone, PartialEq, Eq)]
pub struct Handshake {
    /// The transport's session. It is not the name of any Socket.IO socket.
    pub sid: String,
    /// Whether the session can move to a WebSocket.
    pub upgrades: bool,
    /// How often the server asks for a sign of life.
    pub ping_interval: Duration,
    /// How long it waits for one.
    pub ping_timeout: Duration,
    /// The most bytes that the server takes in one body or frame.
    pub max_payload: usize,
}

/// Prints no session id: who holds it holds the session.
impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("upgrades", &self.upgrades)
            .field("ping_interval", &self.ping_interval)
            .field("ping_timeout", &self.ping_timeout)
            .field("max_payload", &self.max_payload)
            .finish_non_exhaustive()
    }
}

impl Handshake {
    /// Reads what an opening packet carries.
    ///
    /// # Errors
    /// [`WireError::BadHandshake`] where the session has no id, or no figures to find its end by.
    pub fn parse(data: &str) -> Result<Self, WireError> {
        Object::parse(data)
            .and_then(|object| Self::read(&object))
            .ok_or(WireError::BadHandshake)
    }

    fn read(object: &Object<'_>) -> Option<Self> {
        let upgrades = object.list(&["upgrades"]).unwrap_or_default();
        Some(Self {
            sid: object.text(&["sid"]).filter(|sid| is_sid(sid))?,
            upgrades: upgrades.items.contains(&"\"websocket\""),
            ping_interval: interval(object, "pingInterval")?,
            ping_timeout: interval(object, "pingTimeout")?,
            max_payload: max_payload(object),
        })
    }

    /// The silence after which the server is gone.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.ping_interval.saturating_add(self.ping_timeout)
    }
}

fn is_sid(sid: &str) -> bool {
    let fits = !sid.is_empty() && sid.len() <= LONGEST_SID;
    fits && sid.bytes().all(|byte| byte.is_ascii_graphic())
}

fn interval(object: &Object<'_>, name: &str) -> Option<Duration> {
    let millis = object.number(&[name])?;
    let sane = (1..=LONGEST_INTERVAL).contains(&millis);
    let millis = u64::try_from(millis).ok().filter(|_| sane)?;
    Some(Duration::from_millis(millis))
}

/// Zero would mean that nothing can ever be sent: no server means that.
fn max_payload(object: &Object<'_>) -> usize {
    let said = object.count(&["maxPayload"]).filter(|most| *most > 0);
    said.unwrap_or(DEFAULT_PAYLOAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_handshake_is_read() {
        let text = r#"{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        let read = Handshake::parse(text).expect("handshake");
        assert_eq!(read.sid, "lv_VI97HAXpY6yYWAAAC");
        assert!(read.upgrades);
        assert_eq!(read.patience(), Duration::from_secs(45));
        assert_eq!(read.max_payload, 1_000_000);
        assert!(!format!("{read:?}").contains("lv_"));
    }

    #[test]
    fn over_a_websocket_there_is_nothing_to_upgrade_to() {
        let text = r#"{"sid":"a","upgrades":[],"pingInterval":300,"pingTimeout":200}"#;
        let read = Handshake::parse(text).expect("handshake");
        assert!(!read.upgrades);
        assert_eq!(read.max_payload, DEFAULT_PAYLOAD);
    }

    #[test]
    fn a_session_without_an_id_or_an_end_is_refused() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"sid":"","pingInterval":1,"pingTimeout":1}"#,
            r#"{"sid":"a b","pingInterval":1,"pingTimeout":1}"#,
            r#"{"sid":"a","pingInterval":0,"pingTimeout":1}"#,
            r#"{"sid":"a","pingInterval":-1,"pingTimeout":1}"#,
            r#"{"sid":"a","pingInterval":1e30,"pingTimeout":1}"#,
            r#"{"sid":"a","pingTimeout":1}"#,
        ] {
            assert_eq!(Handshake::parse(bad), Err(WireError::BadHandshake), "{bad}");
        }
        let long = format!(
            r#"{{"sid":"{}","pingInterval":1,"pingTimeout":1}}"#,
            "a".repeat(257)
        );
        assert_eq!(Handshake::parse(&long), Err(WireError::BadHandshake));
    }
}
