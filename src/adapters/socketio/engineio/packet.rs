//! One packet: a digit and what it carries; binary data has no digit on a WebSocket.

use std::fmt;

use crate::adapters::socketio::WireError;

/// What a WebSocket carries in one message.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

/// Prints no content.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
        }
    }
}

/// One packet of the transport.
#[derive(Clone, PartialEq, Eq)]
pub enum Packet {
    /// The server opens the session; the handshake is unread.
    Open(String),
    /// The session is over.
    Close,
    /// A question for a sign of life, from the server only; a client asks none but the probe.
    Ping(String),
    /// The answer to one.
    Pong(String),
    /// What the transport is there for.
    Message(Frame),
    /// The client moves the session to this transport.
    Upgrade,
    /// Nothing: sets a waiting poll free.
    Noop,
}

/// Prints the kind only.
impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(_) => f.write_str("Open"),
            Self::Close => f.write_str("Close"),
            Self::Ping(_) => f.write_str("Ping"),
            Self::Pong(_) => f.write_str("Pong"),
            Self::Message(frame) => f.debug_tuple("Message").field(frame).finish(),
            Self::Upgrade => f.write_str("Upgrade"),
            Self::Noop => f.write_str("Noop"),
        }
    }
}

impl Packet {
    /// A message of text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Message(Frame::Text(text.into()))
    }

    /// Reads the text of one packet.
    ///
    /// # Errors
    /// [`WireError`]: the connection is over then.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let mut rest = text.chars();
        let kind = rest.next().ok_or(WireError::Empty)?;
        let data = rest.as_str().to_owned();
        match kind {
            '0' => Ok(Self::Open(data)),
            '1' => Ok(Self::Close),
            '2' => Ok(Self::Ping(data)),
            '3' => Ok(Self::Pong(data)),
            '4' => Ok(Self::text(data)),
            '5' => Ok(Self::Upgrade),
            '6' => Ok(Self::Noop),
            _ => Err(WireError::UnknownType),
        }
    }

    /// Reads what a WebSocket brought; bytes are a message without a digit.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_frame(frame: Frame) -> Result<Self, WireError> {
        match frame {
            Frame::Text(text) => Self::parse(&text),
            bytes @ Frame::Binary(_) => Ok(Self::Message(bytes)),
        }
    }

    /// What a WebSocket carries for it.
    #[must_use]
    pub fn into_frame(self) -> Frame {
        match self {
            Self::Open(data) => Frame::Text(format!("0{data}")),
            Self::Close => Frame::Text("1".to_owned()),
            Self::Ping(data) => Frame::Text(format!("2{data}")),
            Self::Pong(data) => Frame::Text(format!("3{data}")),
            Self::Message(Frame::Text(text)) => Frame::Text(format!("4{text}")),
            Self::Message(bytes) => bytes,
            Self::Upgrade => Frame::Text("5".to_owned()),
            Self::Noop => Frame::Text("6".to_owned()),
        }
    }

    /// The bytes that a server counts of it on a WebSocket.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Open(data) | Self::Ping(data) | Self::Pong(data) => 1 + data.len(),
            Self::Message(Frame::Text(text)) => 1 + text.len(),
            Self::Message(Frame::Binary(bytes)) => bytes.len(),
            Self::Close | Self::Upgrade | Self::Noop => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_has_one_digit() {
        for (text, packet) in [
            ("0{}", Packet::Open("{}".into())),
            ("1", Packet::Close),
            ("2", Packet::Ping(String::new())),
            ("2probe", Packet::Ping("probe".into())),
            ("3", Packet::Pong(String::new())),
            ("4", Packet::text("")),
            ("42[\"e\"]", Packet::text("2[\"e\"]")),
            ("5", Packet::Upgrade),
            ("6", Packet::Noop),
        ] {
            assert_eq!(Packet::parse(text), Ok(packet.clone()), "{text}");
            assert_eq!(packet.size(), text.len(), "{text}");
            assert_eq!(packet.into_frame(), Frame::Text(text.into()));
        }
    }

    #[test]
    fn bytes_on_a_websocket_are_a_message_without_a_digit() {
        let bytes = Frame::Binary(vec![b'1', 0, 255]);
        let packet = Packet::from_frame(bytes.clone()).expect("a message");
        assert_eq!(packet, Packet::Message(bytes.clone()));
        assert_eq!((packet.size(), packet.into_frame()), (3, bytes));
    }

    #[test]
    fn an_unknown_leading_character_is_fatal() {
        for bad in ["7", "b", "x4", " 4", "\u{0}", "é", "\u{1e}", "b4AQ="] {
            assert_eq!(Packet::parse(bad), Err(WireError::UnknownType), "{bad:?}");
        }
        assert_eq!(Packet::parse(""), Err(WireError::Empty));
    }

    #[test]
    fn nothing_of_a_packet_is_printed() {
        let packet = Packet::text("2[\"secret\"]");
        assert!(!format!("{packet:?}").contains("secret"));
        assert!(!format!("{:?}", Packet::Open("secret".into())).contains("secret"));
    }
}
