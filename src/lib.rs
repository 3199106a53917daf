//! Tidings.
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

pub mod adapters;
pub mod domain;
