//! Every implementation of a port passes that port's contract.

mod chat_repository;
