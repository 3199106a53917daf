//! synchronise
