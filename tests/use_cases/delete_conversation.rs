//! delete_conversation
