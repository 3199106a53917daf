//! Writing packets: never one that a server would end the connection for.

use serde_json::value::RawValue;

use super::{Arguments, Body, GREATEST_ACK, Packet, RESERVED, header::Kind};
use crate::adapters::socketio::{WireError, engineio::Frame, limits::MOST_ATTACHMENTS};

/// The messages of a packet: its text, then its attachments.
///
/// # Errors
/// [`WireError`] for what a server would answer by ending the connection: an event with a reserved
/// name, more attachments than its parser takes, a refusal (which only servers send).
pub fn write(packet: &Packet) -> Result<Vec<Frame>, WireError> {
    let (kind, ack, json) = parts(&packet.body)?;
    let attachments = packet.arguments().map_or(&[][..], Arguments::attachments);
    if attachments.len() > MOST_ATTACHMENTS {
        return Err(WireError::TooLarge);
    }
    let mut text = String::with_capacity(json.len() + 24);
    text.push(kind.digit());
    if !attachments.is_empty() {
        text.push_str(&format!("{}-", attachments.len()));
    }
    if !packet.namespace.is_default() {
        text.push_str(packet.namespace.as_str());
        text.push(',');
    }
    if let Some(ack) = ack {
        text.push_str(&ack.to_string());
    }
    text.push_str(&json);
    let mut messages = vec![Frame::Text(text)];
    messages.extend(attachments.iter().cloned().map(Frame::Binary));
    Ok(messages)
}

fn parts(body: &Body) -> Result<(Kind, Option<u64>, String), WireError> {
    match body {
        Body::Connect(data) => {
            let data = data.as_ref().map(|raw| raw.get().to_owned());
            Ok((Kind::Connect, None, data.unwrap_or_default()))
        }
        Body::Disconnect => Ok((Kind::Disconnect, None, String::new())),
        Body::Event {
            ack,
            name,
            arguments,
        } => {
            if RESERVED.contains(&name.as_str()) {
                return Err(WireError::BadEvent);
            }
            let kind = either(arguments, Kind::Event, Kind::BinaryEvent);
            let ack = ack.map(|ack| numbered(ack.0)).transpose()?;
            let name = serde_json::to_string(name).map_err(|_| WireError::BadEvent)?;
            Ok((kind, ack, list(Some(&name), arguments.values())))
        }
        Body::Ack { ack, arguments } => {
            let kind = either(arguments, Kind::Ack, Kind::BinaryAck);
            Ok((kind, Some(numbered(ack.0)?), list(None, arguments.values())))
        }
        Body::ConnectError(_) => Err(WireError::UnknownType),
    }
}

/// A packet without attachments is a plain one: current servers refuse a count of zero.
fn either(arguments: &Arguments, plain: Kind, binary: Kind) -> Kind {
    if arguments.attachments().is_empty() {
        plain
    } else {
        binary
    }
}

const fn numbered(ack: u64) -> Result<u64, WireError> {
    match ack {
        0..=GREATEST_ACK => Ok(ack),
        _ => Err(WireError::BadAck),
    }
}

fn list(name: Option<&str>, values: &[Box<RawValue>]) -> String {
    let items: Vec<&str> = name
        .into_iter()
        .chain(values.iter().map(|raw| raw.get()))
        .collect();
    format!("[{}]", items.join(","))
}
