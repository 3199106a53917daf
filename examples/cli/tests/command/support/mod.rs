//! Running the command, reading its lines, and holding each line against the contract.

mod contract;
mod live;

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tidings_backend::{Backend, BackendConfig, Network};

pub(crate) use self::live::Live;

/// Longer than anything that works takes, on any machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What `demo` uses too: a test need not wait as long as an app may.
const PACE: [&str; 5] = [
    "reconnect.base=200ms",
    "reconnect.max=1s",
    "send.base=200ms",
    "send.max=1s",
    "reconcile.grace=300ms",
];

/// A store, and a backend to talk to.
pub(crate) struct Place {
    directory: TempDir,
    pub(crate) backend: Backend,
}

/// What a run of the command left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) lines: Vec<Value>,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(BackendConfig {
            word_delay: Duration::from_millis(5),
            ..BackendConfig::default()
        })
    }

    pub(crate) fn with(config: BackendConfig) -> Self {
        Self {
            directory: TempDir::new().expect("directory"),
            backend: Backend::start(config).expect("backend"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The command on this place's store, without a server.
    pub(crate) fn offline(&self) -> Command {
        let mut command = bare();
        command
            .arg("--json")
            .arg("--store")
            .arg(self.path("store.sqlite3"));
        command
    }

    /// The command on this place's store and server.
    pub(crate) fn command(&self) -> Command {
        let mut command = self.offline();
        command.arg("--url").arg(self.backend.url());
        for pair in PACE {
            command.arg("--config").arg(pair);
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        run(self.command().args(args))
    }

    pub(crate) fn run_offline(&self, args: &[&str]) -> Ran {
        run(self.offline().args(args))
    }

    pub(crate) fn start(&self, args: &[&str]) -> Live {
        Live::start(self.command().args(args))
    }

    /// Creates a conversation.
    pub(crate) fn create(&self, persona: &str) -> String {
        let ran = self.run(&["create", "--persona", persona]);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.lines[0]["id"].as_str().expect("id").to_owned()
    }

    pub(crate) fn network(&self, network: Network) {
        self.backend.network(network).expect("network");
    }

    /// The server's messages of ours with that text.
    pub(crate) fn copies(&self, conversation: &str, text: &str) -> usize {
        let rows = self.backend.messages(conversation).into_iter();
        rows.filter(|row| row.role == "user" && row.content == text)
            .count()
    }

    /// Waits until something is true of the backend.
    pub(crate) fn until(&self, what: &str, holds: impl FnMut(&Backend) -> bool) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("runtime");
        let waiting = async { tokio::time::timeout(LIMIT, self.backend.wait_until(holds)).await };
        runtime
            .block_on(waiting)
            .unwrap_or_else(|_| panic!("never: {what}"));
    }

    /// Store and server have the same messages in the same order, each once.
    pub(crate) fn assert_agreement(&self, conversation: &str) {
        self.until("no answer is under way", |backend| {
            !backend.is_answering(conversation)
        });
        let ran = self.run(&["history", conversation, "--refresh", "--limit", "100000"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let here: Vec<Option<&str>> = ran
            .lines
            .iter()
            .map(|row| row["server_id"].as_str())
            .collect();
        let server = self.backend.messages(conversation);
        let there: Vec<Option<&str>> = server.iter().map(|row| Some(row.id.as_str())).collect();
        assert_eq!(here, there, "store and server differ");
        let places: Vec<u64> = ran
            .lines
            .iter()
            .map(|row| row["position"].as_u64().expect("place"))
            .collect();
        assert_eq!(places, (0..here.len() as u64).collect::<Vec<_>>());
    }
}

impl Ran {
    /// The lines of one type.
    pub(crate) fn of(&self, kind: &str) -> Vec<&Value> {
        self.lines
            .iter()
            .filter(|line| line["type"] == kind)
            .collect()
    }

    /// The error line.
    pub(crate) fn error(&self) -> &Value {
        let errors = self.of("error");
        assert_eq!(errors.len(), 1, "{self:?}");
        errors[0]
    }

    /// Exit code and error code.
    #[track_caller]
    pub(crate) fn assert_fails(&self, exit: i32, code: &str) {
        assert_eq!(
            (self.code, self.error()["code"].as_str()),
            (exit, Some(code)),
            "{self:?}"
        );
    }

    #[track_caller]
    pub(crate) fn assert_done(&self) {
        assert_eq!(self.code, 0, "{self:?}");
    }
}

/// The command without any option, and without those of this environment.
pub(crate) fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TIDINGS_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Runs it to its end; each line of its output must keep the contract.
pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.output().expect("run");
    let lines = contract::lines(&String::from_utf8(output.stdout.clone()).expect("UTF-8"));
    Ran {
        code: exit_code(&output),
        lines,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn exit_code(output: &Output) -> i32 {
    contract::exit(output.status)
}
