//! What the command line says: options, commands and their help.

use std::{fmt, path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, builder::FalseyValueParser};

const EXITS: &str = "\
Exit codes: 0 done · 2 usage · 3 sign-in required or not allowed · 4 network, gave up (an internal
error and an interrupted wait too) · 5 rejected, by the server or by local validation · 6 store ·
7 not found · 124 --timeout ran out.

Try `tidings demo` first: it needs nothing.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "tidings",
    version,
    about = "An offline-first chat client: what was accepted is never lost, never doubled",
    after_help = EXITS,
    propagate_version = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Which kind of backend
    #[arg(
        long,
        global = true,
        env = "TIDINGS_BACKEND",
        value_enum,
        default_value = "consultations"
    )]
    pub(crate) backend: BackendKind,
    /// The backend's origin, e.g. <http://127.0.0.1:8080>; no path, no query
    #[arg(long, global = true, env = "TIDINGS_URL", value_name = "ORIGIN")]
    pub(crate) url: Option<String>,
    /// Origin of the realtime endpoint where it differs [default: derived from --url]
    #[arg(long, global = true, env = "TIDINGS_WS_URL", value_name = "ORIGIN")]
    pub(crate) ws_url: Option<String>,
    /// The bearer token
    #[arg(
        long,
        global = true,
        env = "TIDINGS_TOKEN",
        hide_env_values = true,
        conflicts_with = "token_command"
    )]
    pub(crate) token: Option<Secret>,
    /// A command that prints a fresh token; run on start and whenever the server refuses one.
    /// A non-zero exit, or no output, means that there is no session
    #[arg(
        long,
        global = true,
        env = "TIDINGS_TOKEN_COMMAND",
        hide_env_values = true,
        value_name = "COMMAND"
    )]
    pub(crate) token_command: Option<Secret>,
    /// Sent as X-API-Key
    #[arg(
        long,
        global = true,
        env = "TIDINGS_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub(crate) api_key: Option<Secret>,
    /// How the token reaches the WebSocket upgrade
    #[arg(
        long,
        global = true,
        env = "TIDINGS_WS_AUTH",
        value_enum,
        default_value = "header"
    )]
    pub(crate) ws_auth: WsAuth,
    /// Who we are, where the backend needs to be told [default: generated, kept in the store]
    #[arg(long, global = true, env = "TIDINGS_USER")]
    pub(crate) user: Option<String>,
    /// Which device this is, where the backend needs to be told [default: generated, kept]
    #[arg(long, global = true, env = "TIDINGS_DEVICE")]
    pub(crate) device: Option<String>,
    /// The SQLite file [default: in the platform's data directory]
    #[arg(long, global = true, env = "TIDINGS_STORE", value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Polling only, to try the fallback
    #[arg(
        long,
        global = true,
        env = "TIDINGS_NO_WEBSOCKET",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub(crate) no_websocket: bool,
    /// Any setting that `tidings config` lists; repeatable, or several separated by commas
    #[arg(
        long = "config",
        global = true,
        env = "TIDINGS_CONFIG",
        value_name = "KEY=VALUE",
        value_delimiter = ','
    )]
    pub(crate) settings: Vec<String>,
    /// One JSON object a line on stdout; logs go to stderr
    #[arg(
        long,
        global = true,
        env = "TIDINGS_JSON",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub(crate) json: bool,
    /// Log to stderr, ids only: -v connections and messages, -vv all there is
    #[arg(short = 'v', long = "verbose", global = true, env = "TIDINGS_VERBOSE", action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The kinds of backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BackendKind {
    /// AI coach: a WebSocket for each conversation.
    Consultations,
    /// Channels over Socket.IO.
    Socketio,
    /// An assistant behind an AWS API gateway.
    Apigateway,
    /// Rooms over a gRPC gateway.
    Gateway,
}

/// How the token reaches the WebSocket upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WsAuth {
    /// In the Authorization header.
    Header,
    /// In the query.
    Query,
    /// In both.
    Both,
}

/// Text that is never printed.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

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
    /// Print every unsent message
    Outbox,
    /// Put a failed message back into the queue, and wait for it
    Retry {
        /// The message's id
        message: String,
        /// How long to wait, in seconds
        #[arg(long, value_name = "S", value_parser = seconds, default_value = "60")]
        timeout: Duration,
    },
    /// Take an unsent message back
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
    Search {
        /// What for
        query: String,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
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
    /// Delete a message, where the backend can; an unsent one anywhere
    DeleteMessage {
        /// The message's id
        message: String,
    },
    /// Tell the server that a conversation is done
    Complete {
        /// Which conversation
        conversation: String,
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

/// `demo`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DemoArgs {
    /// Play the scripted conversation and print a line for each step
    #[arg(long)]
    pub(crate) script: bool,
    /// Play the script, but withhold this step's cause: the demo must then fail
    #[arg(long = "break", value_enum, value_name = "STEP")]
    pub(crate) broken: Option<Step>,
}

/// The steps of the scripted conversation, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Step {
    /// An answer arrives word by word over the WebSocket.
    Streamed,
    /// The WebSocket is cut.
    Cut,
    /// The reply comes by polling.
    Polling,
    /// The WebSocket is back.
    Reconnected,
    /// Offline, a message is accepted and waits.
    QueuedOffline,
    /// Back online, it goes out.
    Delivered,
    /// A client is killed between the server's apply and its ack.
    Killed,
    /// The next client settles it: nothing lost, nothing doubled.
    Recovered,
}

impl Step {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 8] = [
        Self::Streamed,
        Self::Cut,
        Self::Polling,
        Self::Reconnected,
        Self::QueuedOffline,
        Self::Delivered,
        Self::Killed,
        Self::Recovered,
    ];

    /// The stable name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Streamed => "streamed",
            Self::Cut => "cut",
            Self::Polling => "polling",
            Self::Reconnected => "reconnected",
            Self::QueuedOffline => "queued_offline",
            Self::Delivered => "delivered",
            Self::Killed => "killed",
            Self::Recovered => "recovered",
        }
    }
}

/// `create`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CreateArgs {
    /// Whom to talk to, e.g. `general_wellness`
    #[arg(long)]
    pub(crate) persona: String,
    /// What to bind the conversation to, e.g. `goal`
    #[arg(long, value_name = "TYPE")]
    pub(crate) context_type: Option<String>,
    /// Which one of that kind
    #[arg(long, value_name = "ID", requires = "context_type")]
    pub(crate) context_id: Option<String>,
    /// Send this as the first message
    #[arg(long, value_name = "TEXT")]
    pub(crate) first: Option<String>,
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

/// What a send promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// One attempt; on failure the text comes back as the error's draft.
    Direct,
    /// On disk before anything goes out, then retried until it is settled.
    Durable,
}

/// Until when a send waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    /// Until it is accepted.
    None,
    /// Until the server has it.
    Sent,
    /// Until the answer is stored.
    Reply,
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

/// What `export` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON document.
    Json,
    /// A readable page.
    Markdown,
}

/// Reads `2`, `0.5`, `250ms`, `3s`, `5m`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let plain = text.trim().parse::<f64>().ok();
    let read = match plain {
        Some(number) => Duration::try_from_secs_f64(number).ok(),
        None => tidings::config::parse_duration(text),
    };
    read.ok_or_else(|| "write seconds such as 2 or 0.5, or a time such as 250ms".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn seconds_are_read_with_and_without_a_unit() {
        assert_eq!(seconds("2"), Ok(Duration::from_secs(2)));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("250ms"), Ok(Duration::from_millis(250)));
        for bad in ["", "-1", "soon", "NaN", "inf", "1e30"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
