//! Jobs are code of others: one that panics must not take the store's thread or lock with it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::domain::ports::{
    RepositoryError, Rows,
    chat_repository::{Job, RowResult},
};

/// Runs the job; a panic becomes an error, so that the caller rolls back as for any other.
pub(crate) fn run(job: Job, rows: &mut dyn Rows) -> RowResult<()> {
    // Sound to go on: whatever the job left half done is rolled back with its transaction.
    catch_unwind(AssertUnwindSafe(|| job(rows))).unwrap_or_else(|_| Err(panicked()))
}

fn panicked() -> RepositoryError {
    RepositoryError::Internal("a transaction panicked and was rolled back".to_owned())
}
