//! The reference backend as a command.

// See lib.rs: a server reads the clock and spawns.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::disallowed_types
)]

use std::{io::Write, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};
use tidings_backend::{
    Backend, BackendConfig, CoachConfig, ConflictPolicy, Dialect, OpenAiCoach, Secret, StaticToken,
};

/// A chat backend to talk to, to read as a contract, and to break on purpose.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where clients connect.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where the admin endpoint listens (loopback only) [default: a free port].
    #[arg(long, default_value = "127.0.0.1:0")]
    admin_listen: SocketAddr,
    /// The SQLite file; without one everything is forgotten at exit.
    #[arg(long)]
    store: Option<PathBuf>,
    /// The dialect to speak.
    #[arg(long, value_enum, default_value = "production")]
    dialect: DialectArg,
    /// A bearer token to accept, as TOKEN or TOKEN=USER; repeatable. Without any, all are.
    #[arg(long = "token")]
    tokens: Vec<String>,
    /// Accept only tokens from /auth/login (and --token).
    #[arg(long)]
    sign_in: bool,
    /// How long an access token from /auth/login lives.
    #[arg(long, default_value = "1h", value_parser = duration)]
    token_lifetime: Duration,
    /// The API key to require in X-API-Key.
    #[arg(long)]
    api_key: Option<String>,
    /// What a second consultation for the same purpose meets.
    #[arg(long, value_enum, default_value = "one-per-context")]
    conflicts: ConflictsArg,
    /// A first message from the coach.
    #[arg(long)]
    greeting: Option<String>,
    /// Pause before each word of an answer.
    #[arg(long, default_value = "40ms", value_parser = duration)]
    word_delay: Duration,
    /// Offer the Tidings extensions.
    #[arg(long, value_enum, default_value = "off")]
    extensions: Switch,
    /// A socket that says nothing for this long is cut.
    #[arg(long, default_value = "10m", value_parser = duration)]
    read_idle: Duration,
    /// A fault rule in JSON, or an array of them; repeatable.
    #[arg(long = "fault", value_name = "JSON")]
    faults: Vec<String>,
    /// Base URL of an OpenAI-compatible API to answer instead of the built-in coach.
    #[arg(long, requires = "openai_model")]
    openai_url: Option<String>,
    /// The model to ask for.
    #[arg(long)]
    openai_model: Option<String>,
    /// The environment variable that holds the API key.
    #[arg(long)]
    openai_key_env: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DialectArg {
    Production,
    S34,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ConflictsArg {
    OnePerContext,
    Many,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Args {
    fn into_config(self) -> BackendConfig {
        let coach = match (self.openai_url, self.openai_model) {
            (Some(url), Some(model)) => {
                let key = self
                    .openai_key_env
                    .and_then(|name| std::env::var(name).ok());
                CoachConfig::OpenAi(OpenAiCoach {
                    url,
                    model,
                    key: key.map(Secret::new),
                })
            }
            _ => CoachConfig::Scripted,
        };
        BackendConfig {
            listen: self.listen,
            admin_listen: self.admin_listen,
            store: self.store,
            dialect: match self.dialect {
                DialectArg::Production => Dialect::Production,
                DialectArg::S34 => Dialect::S34,
            },
            tokens: self
                .tokens
                .iter()
                .map(|given| static_token(given))
                .collect(),
            sign_in_required: self.sign_in,
            token_lifetime: self.token_lifetime,
            api_key: self.api_key.map(Secret::new),
            conflicts: match self.conflicts {
                ConflictsArg::OnePerContext => ConflictPolicy::OnePerContext,
                ConflictsArg::Many => ConflictPolicy::Many,
            },
            greeting: self.greeting,
            word_delay: self.word_delay,
            extensions: self.extensions == Switch::On,
            read_idle: self.read_idle,
            coach,
            ..BackendConfig::default()
        }
    }
}

/// Tokens without a user all belong to one.
fn static_token(given: &str) -> StaticToken {
    // From the right: a token may end in `=`, as base64 does, a user never contains one.
    match given.rsplit_once('=') {
        Some((token, user)) if !user.is_empty() => StaticToken::new(token, user),
        _ => StaticToken::new(given, "user-1"),
    }
}

/// `250ms`, `3s`, `10m`, `1h`.
fn duration(given: &str) -> Result<Duration, String> {
    let digits = given.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("`{given}` is not a duration"))?;
    let unit = match given.strip_prefix(digits) {
        Some("ms") => 1,
        Some("s") => 1_000,
        Some("m") => 60_000,
        Some("h") => 3_600_000,
        _ => return Err(format!("`{given}` needs a unit: ms, s, m or h")),
    };
    number
        .checked_mul(unit)
        .map(Duration::from_millis)
        .ok_or_else(|| "too long".to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();
    let backend = match start(args) {
        Ok(backend) => backend,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {}", chain(error.as_ref()));
            return ExitCode::FAILURE;
        }
    };
    let line = format!(
        "listening on {} · admin on {}",
        backend.url(),
        backend.admin_url()
    );
    // A parent process waits for this line; nobody reading it is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{line}");
    let _ = std::io::stdout().flush();
    let _ = tokio::signal::ctrl_c().await;
    backend.stop().await;
    ExitCode::SUCCESS
}

fn start(mut args: Args) -> Result<Backend, Box<dyn std::error::Error>> {
    let faults = std::mem::take(&mut args.faults);
    let backend = Backend::start(args.into_config())?;
    for json in faults {
        backend.faults().add_json(&json)?;
    }
    Ok(backend)
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
