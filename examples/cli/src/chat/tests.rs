//! The chat as people see it.
