//! The device: its clocks and its entropy. The only way time and chance enter the core.

use std::fmt;

use crate::domain::{
    ids::ClientMessageId,
    time::{Tick, WallTime},
};

/// Clocks and entropy.
pub trait Platform: Send + Sync + fmt::Debug {
    /// Now, on the monotonic scale.
    fn tick(&self) -> Tick;

    /// Now, by the wall clock; may jump.
    fn wall(&self) -> WallTime;

    /// Fills the buffer with unpredictable bytes.
    fn fill_entropy(&self, buffer: &mut [u8]);

    /// A fresh message key.
    fn mint(&self) -> ClientMessageId {
        let mut entropy = [0; 10];
        self.fill_entropy(&mut entropy);
        ClientMessageId::mint(self.wall(), entropy)
    }
}
