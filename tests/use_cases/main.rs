//! One file a use case: the whole core over a scripted backend, on a paused clock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

mod accounts;
mod actions;
mod answers;
mod archive_conversation;
mod background;
mod begin_conversation;
mod catch_up;
mod connect;
mod create_conversation;
mod delete_conversation;
mod delete_message;
mod fallback;
mod import_conversation;
mod list_conversations;
mod mark_read;
mod observe;
mod panics;
mod queue;
mod read_history;
mod reconcile;
mod restart;
mod retention;
mod retry_and_cancel;
mod salvaged;
mod search_messages;
mod send_chat_message;
mod send_direct;
mod sign_in;
mod store_trouble;
mod support;
mod synchronise;
