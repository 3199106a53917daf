//! Engine.IO, protocol 4: packets, how long-polling joins them, the opening handshake, the deadline
//! of the server's silence, and the move from polling to a WebSocket.

pub mod address;
pub mod handshake;
pub mod heartbeat;
pub mod packet;
pub mod payload;
pub mod upgrade;

pub use address::{Carrier, Endpoint};
pub use handshake::Handshake;
pub use heartbeat::{Heartbeat, Moment};
pub use packet::{Frame, Packet};
pub use payload::{Batch, packets};
pub use upgrade::{Upgrade, UpgradeInput, UpgradeStep};

/// The protocol's number, as it stands in every address.
pub const PROTOCOL: &str = "4";
