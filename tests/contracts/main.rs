//! Every implementation of a port passes that port's contract.
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

mod agreement;
mod chat_repository;
mod transcripts;
