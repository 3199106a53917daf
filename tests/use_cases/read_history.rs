//! read_history
