//! list_conversations
