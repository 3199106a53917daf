//! Socket.IO, protocol 5: what the transport's messages mean.
//!
//! `<type>[<attachments>-][<namespace>,][<acknowledgement>][<JSON>]`, and after it as many binary
//! messages as it has attachments. Reading is lazy: arguments stay the JSON they came as, so that a
//! hostile one costs no more memory than its own size, and an odd one spoils only itself.

pub mod arguments;
mod attachments;
mod header;
pub mod namespace;
pub mod reader;
pub mod writer;

use std::fmt;

use serde_json::value::RawValue;

use crate::adapters::printable;

pub use arguments::Arguments;
pub use namespace::Namespace;
pub use reader::PacketReader;
pub use writer::write;

/// The number of an acknowledgement: unique in its namespace while it is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AckId(pub u64);

/// The greatest number that every peer can count to: they count in doubles.
pub const GREATEST_ACK: u64 = (1 << 53) - 1;

/// The names that the protocol keeps for itself; a server ends the connection of who sends one.
pub const RESERVED: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

/// One packet.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Whom it is for.
    pub namespace: Namespace,
    /// What it says.
    pub body: Body,
}

/// What a packet says.
#[derive(Clone)]
pub enum Body {
    /// From us: let us in. From the server: you are.
    Connect(Option<Box<RawValue>>),
    /// The sender has left the namespace.
    Disconnect,
    /// Something happened.
    Event {
        /// The number to answer with, where an answer is wanted.
        ack: Option<AckId>,
        /// Its name.
        name: String,
        /// What it carries.
        arguments: Arguments,
    },
    /// The answer to an event.
    Ack {
        /// Which.
        ack: AckId,
        /// What it carries.
        arguments: Arguments,
    },
    /// The server does not let us in. The connection stays open.
    ConnectError(Refusal),
}

/// Why a namespace refused us.
#[derive(Clone, Default)]
pub struct Refusal {
    /// The server's words; may reach the app, never a log.
    pub message: String,
    /// What the server added, where it did.
    pub data: Option<Box<RawValue>>,
}

/// Prints no content.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal(data: {})", self.data.is_some())
    }
}

/// Prints no content, and of an event its name.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(_) => f.write_str("Connect"),
            Self::Disconnect => f.write_str("Disconnect"),
            Self::Event { ack, name, .. } => {
                write!(f, "Event({}, {ack:?})", printable::name(name))
            }
            Self::Ack { ack, .. } => write!(f, "Ack({})", ack.0),
            Self::ConnectError(refusal) => refusal.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
