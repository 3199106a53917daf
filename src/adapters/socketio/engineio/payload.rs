//! Long-polling's bodies: packets joined by a separator, binary data as base64.

use data_encoding::BASE64;

use super::packet::{Frame, Packet};
use crate::adapters::socketio::WireError;

/// Stands between two packets; in JSON it can only stand escaped.
const SEPARATOR: char = '\u{1e}';

/// Marks a packet of binary data.
const BINARY: char = 'b';

/// The packets of a body, read one by one: a body of nothing but separators costs no memory.
///
/// After the first error nothing follows that could be relied on.
pub fn packets(body: &str) -> impl Iterator<Item = Result<Packet, WireError>> + '_ {
    body.split(SEPARATOR).map(parse)
}

fn parse(text: &str) -> Result<Packet, WireError> {
    let Some(encoded) = text.strip_prefix(BINARY) else {
        return Packet::parse(text);
    };
    let bytes = BASE64.decode(encoded.as_bytes());
    let bytes = bytes.map_err(|_| WireError::BadBase64)?;
    Ok(Packet::Message(Frame::Binary(bytes)))
}

/// A body in the making, never longer than the server takes.
#[derive(Debug)]
pub struct Batch {
    body: String,
    most: usize,
}

impl Batch {
    /// An empty body that may grow to `most` bytes.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self {
            body: String::new(),
            most,
        }
    }

    /// Adds a packet where there is room for it; whether there was.
    ///
    /// # Errors
    /// [`WireError::TooLarge`] for a packet that fits no body of this server;
    /// [`WireError::BadPayload`] for one that holds the separator itself.
    pub fn push(&mut self, packet: &Packet) -> Result<bool, WireError> {
        let text = written(packet);
        if text.contains(SEPARATOR) {
            return Err(WireError::BadPayload);
        }
        if text.len() > self.most {
            return Err(WireError::TooLarge);
        }
        let joint = usize::from(!self.body.is_empty());
        if self.body.len() + joint + text.len() > self.most {
            return Ok(false);
        }
        if joint == 1 {
            self.body.push(SEPARATOR);
        }
        self.body.push_str(&text);
        Ok(true)
    }

    /// Whether nothing was added.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// The body.
    #[must_use]
    pub fn into_body(self) -> String {
        self.body
    }
}

/// The bytes that a packet takes in a body.
#[must_use]
pub fn size(packet: &Packet) -> usize {
    match packet {
        Packet::Message(Frame::Binary(bytes)) => 1 + BASE64.encode_len(bytes.len()),
        other => other.size(),
    }
}

fn written(packet: &Packet) -> String {
    match packet.clone().into_frame() {
        Frame::Text(text) => text,
        Frame::Binary(bytes) => format!("{BINARY}{}", BASE64.encode(&bytes)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet() -> impl Strategy<Value = Packet> {
        let text = "[^\u{1e}]{0,40}";
        prop_oneof![
            text.prop_map(Packet::Open),
            Just(Packet::Close),
            text.prop_map(Packet::Ping),
            text.prop_map(Packet::Pong),
            text.prop_map(Packet::text),
            prop::collection::vec(any::<u8>(), 0..40)
                .prop_map(|bytes| Packet::Message(Frame::Binary(bytes))),
            Just(Packet::Upgrade),
            Just(Packet::Noop),
        ]
    }

    fn join(queue: &[Packet], most: usize) -> Vec<String> {
        let mut bodies = Vec::new();
        let mut batch = Batch::new(most);
        for packet in queue {
            if !batch.push(packet).expect("fits a body") {
                bodies.push(std::mem::replace(&mut batch, Batch::new(most)).into_body());
                assert!(batch.push(packet).expect("fits a body"));
            }
        }
        bodies.push(batch.into_body());
        bodies
    }

    proptest! {
        #[test]
        fn what_is_joined_comes_apart_again(queue in prop::collection::vec(packet(), 1..8)) {
            let most = 200;
            let bodies = join(&queue, most);
            prop_assert!(bodies.iter().all(|body| body.len() <= most));
            let read: Result<Vec<Packet>, _> = bodies.iter().flat_map(|body| packets(body)).collect();
            prop_assert_eq!(read, Ok(queue));
        }

        #[test]
        fn the_size_foretold_is_the_size_written(packet in packet()) {
            prop_assert_eq!(size(&packet), written(&packet).len());
        }

        #[test]
        fn no_body_makes_it_panic(body in "\\PC{0,40}|[0-6b\u{1e}A-Z=/+]{0,40}") {
            for read in packets(&body) {
                let _ = read.map(|packet| format!("{packet:?}"));
            }
        }
    }

    #[test]
    fn binary_is_a_b_and_padded_base64() {
        let packet = Packet::Message(Frame::Binary(vec![1, 2, 3, 4]));
        let mut batch = Batch::new(100);
        assert_eq!(batch.push(&Packet::text("hello")), Ok(true));
        assert_eq!(batch.push(&packet), Ok(true));
        let body = batch.into_body();
        assert_eq!(body, "4hello\u{1e}bAQIDBA==");
        let read: Vec<_> = packets(&body).collect();
        assert_eq!(read, [Ok(Packet::text("hello")), Ok(packet)]);
        let first = |body| packets(body).next();
        assert_eq!(first("bA"), Some(Err(WireError::BadBase64)));
        assert_eq!(first("b****"), Some(Err(WireError::BadBase64)));
    }

    #[test]
    fn a_body_counts_bytes_and_separators() {
        let mut batch = Batch::new(9);
        assert_eq!(batch.push(&Packet::text("äb")), Ok(true), "four bytes");
        assert_eq!(batch.push(&Packet::text("abcd")), Ok(false), "4 + 1 + 5");
        assert_eq!(batch.push(&Packet::text("abc")), Ok(true), "4 + 1 + 4");
        assert_eq!(batch.into_body().len(), 9);
        let mut batch = Batch::new(9);
        assert_eq!(
            batch.push(&Packet::text("123456789")),
            Err(WireError::TooLarge)
        );
        assert!(batch.is_empty());
    }

    #[test]
    fn a_packet_that_holds_the_separator_is_not_written() {
        let packet = Packet::text("a\u{1e}4b");
        assert_eq!(Batch::new(100).push(&packet), Err(WireError::BadPayload));
    }

    #[test]
    fn an_empty_part_is_fatal() {
        for body in ["", "\u{1e}", "4a\u{1e}", "\u{1e}4a"] {
            assert!(
                packets(body).any(|read| read == Err(WireError::Empty)),
                "{body:?}"
            );
        }
    }
}
