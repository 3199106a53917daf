//! What stands before a packet's JSON.

use super::{AckId, GREATEST_ACK, Namespace};
use crate::adapters::socketio::WireError;

/// The types, by their digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
    BinaryEvent,
    BinaryAck,
}

impl Kind {
    pub(super) const fn digit(self) -> char {
        match self {
            Self::Connect => '0',
            Self::Disconnect => '1',
            Self::Event => '2',
            Self::Ack => '3',
            Self::ConnectError => '4',
            Self::BinaryEvent => '5',
            Self::BinaryAck => '6',
        }
    }

    const fn of(digit: char) -> Option<Self> {
        match digit {
            '0' => Some(Self::Connect),
            '1' => Some(Self::Disconnect),
            '2' => Some(Self::Event),
            '3' => Some(Self::Ack),
            '4' => Some(Self::ConnectError),
            '5' => Some(Self::BinaryEvent),
            '6' => Some(Self::BinaryAck),
            _ => None,
        }
    }

    const fn is_binary(self) -> bool {
        matches!(self, Self::BinaryEvent | Self::BinaryAck)
    }
}

/// A header that was read, and the JSON behind it.
pub(super) struct Header<'a> {
    pub(super) kind: Kind,
    pub(super) attachments: usize,
    pub(super) namespace: Namespace,
    pub(super) ack: Option<AckId>,
    pub(super) json: &'a str,
}

impl<'a> Header<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, WireError> {
        let mut rest = text.chars();
        let digit = rest.next().ok_or(WireError::Empty)?;
        let kind = Kind::of(digit).ok_or(WireError::UnknownType)?;
        let (attachments, rest) = attachments(kind, rest.as_str())?;
        let (namespace, rest) = namespace(rest)?;
        let (ack, json) = ack(rest)?;
        Ok(Self {
            kind,
            attachments,
            namespace,
            ack,
            json,
        })
    }
}

/// Only packets with binary data have a count; zero is a legal one.
fn attachments(kind: Kind, text: &str) -> Result<(usize, &str), WireError> {
    if !kind.is_binary() {
        return Ok((0, text));
    }
    let (count, rest) = text.split_once('-').ok_or(WireError::BadAttachments)?;
    let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let count = count.parse().ok().filter(|_| digits);
    Ok((count.ok_or(WireError::BadAttachments)?, rest))
}

fn namespace(text: &str) -> Result<(Namespace, &str), WireError> {
    if !text.starts_with('/') {
        return Ok((Namespace::default(), text));
    }
    let (name, rest) = text.split_once(',').unwrap_or((text, ""));
    Ok((Namespace::parse(name)?, rest))
}

fn ack(text: &str) -> Result<(Option<AckId>, &str), WireError> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.strip_suffix(rest).unwrap_or_default();
    if digits.is_empty() {
        return Ok((None, rest));
    }
    let number = digits.parse().ok().filter(|n| *n <= GREATEST_ACK);
    let number = number.ok_or(WireError::BadAck)?;
    Ok((Some(AckId(number)), rest))
}
