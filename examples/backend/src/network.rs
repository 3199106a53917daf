//! The TCP side of the public endpoint: one listener that can vanish, connections that can die.

mod listener;
mod port;
mod wire;

pub(crate) use listener::Door;
pub(crate) use port::Port;
pub(crate) use wire::{Flow, Wire, WireInfo};

use serde::{Deserialize, Serialize};

/// What the network between clients and this backend does.
///
/// Changing it is immediate: when the call returns, a new connection already meets the new state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// All is well.
    #[default]
    Up,
    /// Connections are refused, the existing ones are reset.
    Refuse,
    /// Connections open, then nothing moves in either direction, in the existing ones too. They
    /// stay silent for good, as after a NAT forgot them; new ones work once the network is up.
    Blackhole,
    /// HTTP works; WebSockets are cut and upgrades dropped, as some middleboxes do.
    NoWebsocket,
}
