//! A real gateway under the demo: one that is named, or the repository's own, started here.
//!
//! Its record is read by the account itself, past the demo's network; and since nobody else is
//! there, another device of the account answers.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;
use tidings::domain::{
    cursor::HistoryRange,
    ids::ConversationId,
    ports::{ChatService, Outgoing, Platform},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use url::Url;

use super::{
    relay::Relay,
    server::{Kept, answer_to},
};
use crate::{
    args::Global,
    failure::{Exit, Failure},
    setup::{self, Access, Settings},
};

/// How often its record is read at most: a real service counts requests.
const LOOK: Duration = Duration::from_millis(400);

/// What is read of it: more than the demo says.
const RECORD: usize = 100;

/// Where the repository has the gateway that is started where none is named.
const FOLDER: &str = "examples/interop/socketio";

/// The account, and its token, of a gateway that is started here.
const ACCOUNT: (&str, &str) = ("me", "demo");

/// The gateway, and the network before it.
pub(super) struct Gateway {
    pub(super) relay: Relay,
    direct: Arc<dyn ChatService>,
    platform: Arc<dyn Platform>,
    kept: Vec<Kept>,
    looked: Option<Instant>,
    pub(super) answers: bool,
    /// The process, where it is ours; it ends with the demo.
    _process: Option<Child>,
}

impl Gateway {
    /// Finds the server, and puts the demo's network before it. The options come back as the demo's
    /// clients need them.
    pub(super) async fn build(
        global: &Global,
        platform: &Arc<dyn Platform>,
    ) -> Result<(Self, Global), Failure> {
        let (process, direct) = match &global.url {
            Some(_) => (None, global.clone()),
            None => {
                let (process, port) = start().await?;
                (Some(process), at(global, port))
            }
        };
        let settings = Settings::read(&direct)?;
        let service = setup::service(&direct, &settings, platform, Access::Network)?;
        let upstream = upstream(&direct)?;
        let relay = Relay::start(upstream, settings.socketio.path().to_owned()).await;
        let relay = relay.map_err(|error| no_network(&error))?;
        let global = Global {
            url: Some(relay.url()),
            ..direct
        };
        let gateway = Self {
            relay,
            direct: service,
            platform: Arc::clone(platform),
            kept: Vec::new(),
            looked: None,
            answers: true,
            _process: process,
        };
        Ok((gateway, global))
    }

    /// What the server has of the conversation, as of a moment ago.
    pub(super) async fn record(&mut self, conversation: &ConversationId) -> Vec<Kept> {
        if self.looked.is_none_or(|last| last.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            let newest = HistoryRange::Newest;
            if let Ok(page) = self.direct.history(conversation, &newest, RECORD).await {
                let rows = page.messages.into_iter();
                self.kept = rows
                    .map(|row| Kept::new(row.id.as_str(), row.text))
                    .collect();
            }
            if self.answers {
                self.answer(conversation).await;
            }
        }
        self.kept.clone()
    }

    /// Answers what has no answer yet.
    async fn answer(&self, conversation: &ConversationId) {
        let said = |text: &str| self.kept.iter().any(|row| row.content == text);
        let asked = self.kept.iter().filter(|row| row.asked);
        let due = asked.map(|row| answer_to(&row.content));
        for text in due.filter(|text| !said(text)) {
            let outgoing = Outgoing {
                id: self.platform.mint(),
                conversation: conversation.clone(),
                text,
                wire_id: None,
            };
            // What fails is tried again at the next look.
            let _ = self.direct.send(&outgoing).await;
        }
    }
}

/// Host and port of the server.
fn upstream(global: &Global) -> Result<String, Failure> {
    if global.ws_url.is_some() {
        let text = "the demo has one network of its own to break: leave --ws-url out";
        return Err(Failure::usage(text).field("ws_url"));
    }
    let url = global.url.as_deref().and_then(|url| Url::parse(url).ok());
    let plain = url.filter(|url| url.scheme() == "http");
    let parts = plain.as_ref().and_then(|url| {
        let host = url.host_str()?;
        Some(format!("{host}:{}", url.port_or_known_default()?))
    });
    parts.ok_or_else(|| {
        let text = "the demo breaks the network between itself and the server, which takes a \
                    --url that is not encrypted: http://host:port";
        Failure::usage(text).field("url")
    })
}

/// The options for a gateway of our own.
fn at(global: &Global, port: u64) -> Global {
    let dedupes = ["socketio.dedupes=true".to_owned()].into_iter();
    Global {
        url: Some(format!("http://127.0.0.1:{port}")),
        user: Some(ACCOUNT.0.to_owned()),
        token: Some(ACCOUNT.1.into()),
        token_command: None,
        settings: dedupes.chain(global.settings.iter().cloned()).collect(),
        ..global.clone()
    }
}

/// Starts the repository's gateway, where it is there with what it needs.
async fn start() -> Result<(Child, u64), Failure> {
    let folder = folder().ok_or_else(needs_a_server)?;
    let mut command = Command::new("node");
    command
        .arg("server.mjs")
        .arg(format!("--token={}={}", ACCOUNT.1, ACCOUNT.0))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut process = command.spawn().map_err(|_| needs_a_server())?;
    let output = process.stdout.take().ok_or_else(Failure::internal)?;
    let line = BufReader::new(output).lines().next_line().await;
    let said = line
        .ok()
        .flatten()
        .and_then(|line| serde_json::from_str(&line).ok());
    let port = said.and_then(|said: Value| said["port"].as_u64());
    Ok((process, port.ok_or_else(needs_a_server)?))
}

/// Above the working directory, with its packages.
fn folder() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let mut places = here.ancestors().map(|at| at.join(FOLDER));
    places.find(|at| at.join("node_modules").is_dir())
}

fn needs_a_server() -> Failure {
    let text = "the demo on this backend needs a server: name one with --url and --token, or run it \
                in the repository with Node 20 after `npm ci` in examples/interop/socketio";
    Failure::usage(text).field("url")
}

fn no_network(error: &std::io::Error) -> Failure {
    let text = format!("the demo's own network did not start: {}", error.kind());
    Failure::new(Exit::GaveUp, "demo.backend", text)
}
