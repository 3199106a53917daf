//! What every store does alike: outliving a job that panics, telling of changes.

pub(crate) mod guarded;
pub(crate) mod revisions;
