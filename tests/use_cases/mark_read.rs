//! mark_read
