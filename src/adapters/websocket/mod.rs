//! WebSocket, shared by every backend: our own dial, bounded frames, one session over any codec.

pub mod codec;
pub mod dial;
mod frames;
pub mod session;

pub use codec::{Decoder, Encoder};
pub use dial::{DialError, Dialer, WebSocketLimits};
pub use session::WebSocketSession;
