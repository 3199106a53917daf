//! retry_and_cancel
