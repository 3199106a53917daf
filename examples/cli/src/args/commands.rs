//! The commands.

use std::{path::PathBuf, time::Duration};

use clap::Subcommand;

use super::{
    details::{CreateArgs, DemoArgs, HistoryArgs, SearchArgs, SendArgs, WatchArgs},
    values::{ExportFormat, seconds},
};

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the reference backend in process and chat with it; --script plays a conversation
    Demo(DemoArgs),
    /// Full-screen terminal chat
    Chat {
        /// Which conversation to open first
        conversation: Option<String>,
    },
    /// Create a conversation, or return the one that exists
    Create(CreateArgs),
    /// List conversations, newest activity first
    Conversations {
        /// Ask the server first
        #[arg(long)]
        refresh: bool,
    },
    /// Print a page of a conversation, oldest first
    History(HistoryArgs),
    /// Send one or more messages, in order
    Send(SendArgs),
    /// One client for a whole script: JSON commands on stdin, events on stdout
    #[command(after_help = SESSION_HELP)]
    Session,
    /// Print what happens in conversations until told to stop
    Watch(WatchArgs),
    /// Print every unsent message and every other action that waits
    Outbox,
    /// Put a failed message or action back into the queue, and wait for it
    Retry {
        /// The message's or action's id
        message: String,
        /// How long to wait, in seconds
        #[arg(long, value_name = "S", value_parser = seconds, default_value = "60")]
        timeout: Duration,
    },
    /// Take an unsent message or a waiting action back
    Cancel {
        /// The message's id
        message: String,
    },
    /// Deliver all that is queued, or say what is left and why
    Flush {
        /// How long to try, in seconds
        #[arg(long, value_name = "S", value_parser = seconds, default_value = "60")]
        timeout: Duration,
    },
    /// Tell a message's whole history
    Explain {
        /// The message's id
        message: String,
    },
    /// Search stored messages
    Search(SearchArgs),
    /// Mark a conversation as read
    Read {
        /// Which conversation
        conversation: String,
    },
    /// Hide a conversation from the ordinary list
    Archive {
        /// Which conversation
        conversation: String,
        /// Show it again
        #[arg(long)]
        undo: bool,
    },
    /// Change a message, where the backend can; an unsent one anywhere
    EditMessage {
        /// The message's id
        message: String,
        /// Its new text
        text: String,
        /// How long to wait for the server, in seconds; it stays queued after that
        #[arg(long, value_name = "S", value_parser = seconds, default_value = "60")]
        timeout: Duration,
    },
    /// Delete a message, where the backend can; an unsent one anywhere
    DeleteMessage {
        /// The message's id
        message: String,
        /// How long to wait for the server, in seconds; it stays queued after that
        #[arg(long, value_name = "S", value_parser = seconds, default_value = "60")]
        timeout: Duration,
    },
    /// Keep unsent input with its conversation; without a text, forget it
    Draft {
        /// Which conversation
        conversation: String,
        /// The input
        text: Option<String>,
    },
    /// Stop the answer to the newest message, where the backend can
    Stop {
        /// Which conversation
        conversation: String,
        /// How long to wait for the server, in seconds; it stays queued after that
        #[arg(long, value_name = "S", value_parser = seconds, default_value = "60")]
        timeout: Duration,
    },
    /// End a conversation
    Complete {
        /// Which conversation
        conversation: String,
        /// How long to wait for the server, in seconds; it stays queued after that
        #[arg(long, value_name = "S", value_parser = seconds, default_value = "60")]
        timeout: Duration,
    },
    /// Delete a conversation on the server and here
    Delete {
        /// Which conversation
        conversation: String,
    },
    /// Print all of a stored conversation
    Export {
        /// Which conversation
        conversation: String,
        /// As what
        #[arg(long, value_enum, default_value = "json")]
        format: ExportFormat,
    },
    /// Read a conversation that `export` printed as JSON into the store; nothing is sent
    Import {
        /// The file, or - for stdin
        file: PathBuf,
    },
    /// Print how large the store is and what is in it
    Storage,
    /// Give the store's free space back to the system
    Vacuum,
    /// Remove everything stored on this device, unsent messages too
    Wipe {
        /// Yes, everything
        #[arg(long)]
        yes: bool,
    },
    /// Print every setting: name, default, unit, bounds, reason
    Config,
    /// Check step by step what stands between this machine and the backend
    Doctor {
        /// Probe this conversation [default: the newest]
        conversation: Option<String>,
    },
}

const SESSION_HELP: &str = "\
One JSON object a line, e.g. {\"cmd\":\"open\",\"conversation\":\"c1\",\"ref\":1}. `ref` is optional and echoed on
the results; each command ends with one `result` line. Without `conversation` the one shown is meant.
  open {conversation, keep?}     show it, as an app does: leaves the others, unless `keep` is true
  close {conversation}           leave it
  create {persona, context_type?, context_id?, first?}   create it, or get the existing one, and show it
  send {text, conversation?, mode?}   `durable` (default) or `direct`; opens the conversation if need be
  cancel {message} · retry {message} · stop {conversation} · typing {active} · read {conversation}
  history {limit?, before?, refresh?, include_deleted?}
  background {deadline}          milliseconds, or text such as \"3s\"; its result comes when suspended
  foreground · network {change}  `up`, `down` or `changed`
  quit                           as the end of the input";
