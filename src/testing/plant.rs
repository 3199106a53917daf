//! Planted bugs, for the simulation to find; see [`sow`] and [`PLANTS`].

pub use crate::domain::plant::{PLANTS, SYNC_PLANTS, planted, sow};
