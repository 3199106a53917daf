//! create_conversation
