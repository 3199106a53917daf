//! The WebSocket side: frames out, frames in, and the session between them.

pub(crate) mod frames;
mod inbound;
pub(crate) mod outbound;
mod session;
mod upgrade;

pub(crate) use frames::Document;
pub(crate) use upgrade::{UpgradePlan, upgrade};

/// Something for a socket to send.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// Documents that share one frame; fault rules apply to each.
    Frame(Vec<Document>),
    /// Bytes sent as they are, past the fault rules.
    Verbatim {
        /// The content.
        bytes: Vec<u8>,
        /// A binary frame instead of a text frame.
        binary: bool,
    },
    /// The closing handshake.
    Close {
        /// The close code.
        code: u16,
        /// The reason.
        reason: String,
    },
}
