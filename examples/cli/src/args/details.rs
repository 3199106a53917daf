//! The options of single commands.

use std::time::Duration;

use clap::Args;

use super::values::{Mode, Step, Wait, seconds};

/// `demo`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DemoArgs {
    /// Play the scripted conversation and print a line for each step
    #[arg(long)]
    pub(crate) script: bool,
    /// Play the script, but withhold this step's cause: the demo must then fail
    #[arg(long = "break", value_enum, value_name = "STEP")]
    pub(crate) broken: Option<Step>,
    /// Where conversations belong to something: the kind of it [default: Booking]
    #[arg(long, value_name = "TYPE")]
    pub(crate) context_type: Option<String>,
    /// Which one of that kind [default: a new name]
    #[arg(long, value_name = "ID")]
    pub(crate) context_id: Option<String>,
}

/// `create`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CreateArgs {
    /// Whom to talk to, e.g. `general_wellness`; a backend without personas wants a context instead
    #[arg(long, required_unless_present = "context_type")]
    pub(crate) persona: Option<String>,
    /// What to bind the conversation to, e.g. `goal`
    #[arg(long, value_name = "TYPE")]
    pub(crate) context_type: Option<String>,
    /// Which one of that kind
    #[arg(long, value_name = "ID", requires = "context_type")]
    pub(crate) context_id: Option<String>,
    /// Send this as the first message
    #[arg(long, value_name = "TEXT")]
    pub(crate) first: Option<String>,
    /// Accept it on disk first, and create it when there is a network; prints the local id at once
    #[arg(long)]
    pub(crate) queue: bool,
    /// With --queue: how long to wait for the server, in seconds; it stays queued after that
    #[arg(long, value_name = "S", value_parser = seconds, default_value = "60")]
    pub(crate) timeout: Duration,
}

/// `history`.
#[derive(Clone, Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Which conversation
    pub(crate) conversation: String,
    /// At most this many messages
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// The page before this cursor: the `cursor` of an earlier page's first message
    #[arg(long, value_name = "CURSOR")]
    pub(crate) before: Option<String>,
    /// Synchronise with the server first, to the end
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Also show where a message was deleted
    #[arg(long)]
    pub(crate) include_deleted: bool,
    /// Ask the server what was written, deleted messages with their text: for auditors, where the
    /// backend has it
    #[arg(long, conflicts_with_all = ["refresh", "include_deleted"])]
    pub(crate) audit: bool,
}

/// `search`.
#[derive(Clone, Debug, Args)]
pub(crate) struct SearchArgs {
    /// What for: all of its words; "in quotes", words in a row; the last one may be unfinished
    pub(crate) query: String,
    /// Only in this conversation
    #[arg(long, value_name = "CONVERSATION")]
    pub(crate) conversation: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// The best hits first instead of the newest
    #[arg(long)]
    pub(crate) best: bool,
    /// The page after this cursor: the `cursor` of an earlier page's last hit
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

/// `send`.
#[derive(Clone, Debug, Args)]
#[command(
    override_usage = "tidings send [OPTIONS] <CONVERSATION> <TEXT>...\n       \
                            tidings send [OPTIONS] --context-type <TYPE> [--context-id <ID>] <TEXT>..."
)]
pub(crate) struct SendArgs {
    /// Which conversation (unless --context-type says it), then the texts; `-` reads lines from stdin
    #[arg(required = true, value_name = "CONVERSATION> <TEXT")]
    pub(crate) words: Vec<String>,
    /// What the messages are promised
    #[arg(long, value_enum, default_value = "durable")]
    pub(crate) mode: Mode,
    /// Until when to wait
    #[arg(long, value_enum, default_value = "sent")]
    pub(crate) wait: Wait,
    /// How long to wait, in seconds
    #[arg(long, value_name = "S", value_parser = seconds, default_value = "60")]
    pub(crate) timeout: Duration,
    /// Send to the conversation bound to this kind of entity
    #[arg(long, value_name = "TYPE")]
    pub(crate) context_type: Option<String>,
    /// Which one of that kind
    #[arg(long, value_name = "ID", requires = "context_type")]
    pub(crate) context_id: Option<String>,
    /// Whom to talk to, should the conversation have to be created
    #[arg(long, requires = "context_type")]
    pub(crate) persona: Option<String>,
}

/// `watch`.
#[derive(Clone, Debug, Args)]
pub(crate) struct WatchArgs {
    /// Which conversations
    #[arg(required = true)]
    pub(crate) conversations: Vec<String>,
    /// End after this many seconds
    #[arg(long = "for", value_name = "S", value_parser = seconds)]
    pub(crate) span: Option<Duration>,
    /// End as soon as each of them is synchronised
    #[arg(long)]
    pub(crate) until_synced: bool,
}
