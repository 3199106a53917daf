//! What every store does alike: looking for a text, outliving a job that panics, telling of changes.

pub(crate) mod fold;
pub(crate) mod guarded;
pub(crate) mod revisions;
