//! send_chat_message
