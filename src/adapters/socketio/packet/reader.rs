//! Reading packets: the text of one, and then its attachments.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    Arguments, Body, Namespace, Packet, RESERVED, Refusal,
    header::{Header, Kind},
};
use crate::adapters::{
    json::{self, Object},
    socketio::{WireError, WireLimits, engineio::Frame},
};

/// A packet whose attachments are not all there.
#[derive(Debug)]
struct Waiting {
    packet: Packet,
    due: usize,
    bytes: usize,
    attachments: Vec<Vec<u8>>,
}

/// Reads the messages of one transport. After an error it is of no more use: the connection is over.
#[derive(Debug)]
pub struct PacketReader {
    limits: WireLimits,
    waiting: Option<Waiting>,
}

impl PacketReader {
    /// A reader with these bounds.
    #[must_use]
    pub const fn new(limits: WireLimits) -> Self {
        Self {
            limits,
            waiting: None,
        }
    }

    /// Takes one message; the packet, where it is whole now.
    ///
    /// # Errors
    /// [`WireError`]: the connection is over.
    pub fn read(&mut self, message: Frame) -> Result<Option<Packet>, WireError> {
        match message {
            Frame::Text(text) => self.text(&text),
            Frame::Binary(bytes) => self.attachment(bytes),
        }
    }

    fn text(&mut self, text: &str) -> Result<Option<Packet>, WireError> {
        if self.waiting.is_some() {
            return Err(WireError::AttachmentDue);
        }
        if text.len() > self.limits.text {
            return Err(WireError::TooLarge);
        }
        let header = Header::parse(text)?;
        let due = header.attachments;
        if due > self.limits.attachments {
            return Err(WireError::TooLarge);
        }
        let has_attachments = matches!(header.kind, Kind::BinaryEvent | Kind::BinaryAck);
        let packet = self.packet(header)?;
        if has_attachments {
            return self.collect(packet, due);
        }
        Ok(Some(packet))
    }

    /// The placeholders are judged before any attachment is held.
    fn collect(&mut self, packet: Packet, due: usize) -> Result<Option<Packet>, WireError> {
        if let Some(arguments) = packet.arguments() {
            super::attachments::check(arguments.values(), due)?;
        }
        if due == 0 {
            return Ok(Some(packet));
        }
        self.waiting = Some(Waiting {
            packet,
            due,
            bytes: 0,
            attachments: Vec::with_capacity(due),
        });
        Ok(None)
    }

    fn attachment(&mut self, bytes: Vec<u8>) -> Result<Option<Packet>, WireError> {
        let waiting = self.waiting.as_mut().ok_or(WireError::AttachmentUnasked)?;
        waiting.bytes = waiting.bytes.saturating_add(bytes.len());
        if waiting.bytes > self.limits.attached {
            return Err(WireError::TooLarge);
        }
        waiting.attachments.push(bytes);
        if waiting.attachments.len() < waiting.due {
            return Ok(None);
        }
        Ok(self.waiting.take().map(Waiting::join))
    }

    fn packet(&self, header: Header<'_>) -> Result<Packet, WireError> {
        let json = header.json;
        let body = match header.kind {
            Kind::Connect => Body::Connect(connect(json)?),
            Kind::Disconnect if json.is_empty() => Body::Disconnect,
            Kind::Disconnect => return Err(WireError::BadPayload),
            Kind::ConnectError => Body::ConnectError(refusal(json)?),
            Kind::Event | Kind::BinaryEvent => {
                let (name, arguments) = event(self.values(json)?)?;
                let ack = header.ack;
                Body::Event {
                    ack,
                    name,
                    arguments,
                }
            }
            Kind::Ack | Kind::BinaryAck => Body::Ack {
                ack: header.ack.ok_or(WireError::BadAck)?,
                arguments: Arguments::raw(self.values(json)?),
            },
        };
        Ok(Packet {
            namespace: header.namespace,
            body,
        })
    }

    fn values(&self, json: &str) -> Result<Vec<Box<RawValue>>, WireError> {
        let list: Values = serde_json::from_str(json).map_err(|_| WireError::BadPayload)?;
        match list.0.len() {
            length if length > self.limits.arguments => Err(WireError::TooLarge),
            _ => Ok(list.0),
        }
    }
}

impl Waiting {
    fn join(self) -> Packet {
        let mut packet = self.packet;
        if let Some(arguments) = packet.arguments_mut() {
            arguments.attach(self.attachments);
        }
        packet
    }
}

impl Packet {
    /// What it carries, where it is of a kind that does.
    #[must_use]
    pub const fn arguments(&self) -> Option<&Arguments> {
        match &self.body {
            Body::Event { arguments, .. } | Body::Ack { arguments, .. } => Some(arguments),
            Body::Connect(_) | Body::Disconnect | Body::ConnectError(_) => None,
        }
    }

    const fn arguments_mut(&mut self) -> Option<&mut Arguments> {
        match &mut self.body {
            Body::Event { arguments, .. } | Body::Ack { arguments, .. } => Some(arguments),
            Body::Connect(_) | Body::Disconnect | Body::ConnectError(_) => None,
        }
    }

    /// A packet for a namespace.
    #[must_use]
    pub const fn new(namespace: Namespace, body: Body) -> Self {
        Self { namespace, body }
    }
}

fn connect(json: &str) -> Result<Option<Box<RawValue>>, WireError> {
    if json.is_empty() {
        return Ok(None);
    }
    object(json).map(Some)
}

fn object(json: &str) -> Result<Box<RawValue>, WireError> {
    let raw: Box<RawValue> = serde_json::from_str(json).map_err(|_| WireError::BadPayload)?;
    match raw.get().starts_with('{') {
        true => Ok(raw),
        false => Err(WireError::BadPayload),
    }
}

/// An object with words and perhaps more; older servers send the words alone.
fn refusal(json: &str) -> Result<Refusal, WireError> {
    if let Some(message) = json::string(json) {
        return Ok(Refusal {
            message,
            data: None,
        });
    }
    let object = Object::parse(json).ok_or(WireError::BadPayload)?;
    let data = object.raw(&["data"]).map(str::to_owned);
    Ok(Refusal {
        message: object.text(&["message"]).unwrap_or_default(),
        data: data.and_then(|data| RawValue::from_string(data).ok()),
    })
}

fn event(mut values: Vec<Box<RawValue>>) -> Result<(String, Arguments), WireError> {
    if values.is_empty() {
        return Err(WireError::BadEvent);
    }
    let raw = values.remove(0);
    let name = name(raw.get()).ok_or(WireError::BadEvent)?;
    if RESERVED.contains(&name.as_str()) {
        return Err(WireError::BadEvent);
    }
    Ok((name, Arguments::raw(values)))
}

/// A name is text, or a number's own digits.
fn name(raw: &str) -> Option<String> {
    let digits = raw.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    json::string(raw).or_else(|| digits.then(|| raw.to_owned()))
}

/// A list of unread values.
struct Values(Vec<Box<RawValue>>);

/// No packet of ours comes near; without a bound a list of zeros takes many times its own size.
const MOST_VALUES: usize = 1024;

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(ValuesVisitor)
    }
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            if values.len() == MOST_VALUES {
                return Err(A::Error::custom("too many values"));
            }
            values.push(value);
        }
        Ok(Values(values))
    }
}
