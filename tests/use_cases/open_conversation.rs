//! open_conversation
