//! delete_message
