//! The commands, one a file.

mod actions;
mod archive;
mod audit;
mod cancel;
mod complete;
mod config;
mod conversations;
mod create;
mod delete;
mod delete_message;
mod doctor;
mod draft;
mod edit_message;
mod explain;
mod export;
mod flush;
mod history;
mod import;
mod outbox;
mod read;
mod retry;
mod search;
mod send;
mod session;
mod shared;
mod stop;
mod storage;
mod watch;

use crate::{
    args::Command,
    chat,
    context::Context,
    demo,
    failure::{Exit, Failure},
    signals,
};

/// Runs the command to its end, or until the user or the system ends it.
pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let ends_by_signal = matches!(
        command,
        Command::Watch(_) | Command::Session | Command::Chat { .. }
    );
    tokio::select! {
        ended = perform(context, command) => ended,
        () = signals::asked_to_end() => match ends_by_signal {
            true => Ok(()),
            false => {
                let text = "interrupted: what was accepted stays queued";
                Err(Failure::new(Exit::GaveUp, "interrupted", text))
            }
        },
    }
}

async fn perform(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(args) => Box::pin(demo::run(context, args)).await,
        Command::Chat { conversation } => Box::pin(chat::run(context, conversation)).await,
        Command::Create(args) => create::run(context, args).await,
        Command::Conversations { refresh } => conversations::run(context, refresh).await,
        Command::History(args) => history::run(context, args).await,
        Command::Send(args) => Box::pin(send::run(context, args)).await,
        Command::Session => Box::pin(session::run(context)).await,
        Command::Watch(args) => Box::pin(watch::run(context, args)).await,
        Command::Outbox => outbox::run(context).await,
        Command::Retry { message, timeout } => retry::run(context, &message, timeout).await,
        Command::Cancel { message } => cancel::run(context, &message).await,
        Command::Flush { timeout } => flush::run(context, timeout).await,
        Command::Explain { message } => explain::run(context, &message).await,
        Command::Search(args) => search::run(context, args).await,
        Command::Read { conversation } => read::run(context, &conversation).await,
        Command::Archive { conversation, undo } => {
            archive::run(context, &conversation, !undo).await
        }
        Command::EditMessage {
            message,
            text,
            timeout,
        } => edit_message::run(context, &message, text, timeout).await,
        Command::DeleteMessage { message, timeout } => {
            delete_message::run(context, &message, timeout).await
        }
        Command::Draft { conversation, text } => draft::run(context, &conversation, text).await,
        Command::Stop {
            conversation,
            timeout,
        } => stop::run(context, &conversation, timeout).await,
        Command::Complete {
            conversation,
            timeout,
        } => complete::run(context, &conversation, timeout).await,
        Command::Delete { conversation } => delete::run(context, &conversation).await,
        Command::Export {
            conversation,
            format,
        } => export::run(context, &conversation, format).await,
        Command::Import { file } => import::run(context, &file).await,
        Command::Storage => storage::run(context).await,
        Command::Vacuum => storage::vacuum(context).await,
        Command::Wipe { yes } => storage::wipe(context, yes).await,
        Command::Config => config::run(context),
        Command::Doctor { conversation } => Box::pin(doctor::run(context, conversation)).await,
    }
}
