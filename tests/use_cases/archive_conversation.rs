//! archive_conversation
