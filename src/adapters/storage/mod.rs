//! What every store does alike: looking for a text, and outliving a job that panics.

pub(crate) mod fold;
pub(crate) mod guarded;
