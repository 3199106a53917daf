//! What the command line says: options, commands and their help.

mod commands;
mod details;
mod values;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, builder::FalseyValueParser};

pub(crate) use self::{
    commands::Command,
    details::{CreateArgs, DemoArgs, HistoryArgs, SearchArgs, SendArgs, WatchArgs},
    values::{BackendKind, ExportFormat, Mode, Secret, Step, Wait, WsAuth},
};

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
    /// A file with the raw key of an encrypted store: 32 bytes, or 64 hexadecimal digits. A plain
    /// store is encrypted with it at its first opening; needs a build with the feature `encryption`
    #[arg(long, global = true, env = "TIDINGS_KEY_FILE", value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// A file with the key before that one: a store that is under it is encrypted anew
    #[arg(
        long,
        global = true,
        env = "TIDINGS_PREVIOUS_KEY_FILE",
        value_name = "FILE",
        requires = "key_file"
    )]
    pub(crate) previous_key_file: Option<PathBuf>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
