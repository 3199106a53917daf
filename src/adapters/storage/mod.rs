//! What every store does alike: outliving a job that panics.

pub(crate) mod guarded;
