//! `killed`, `recovered`: a client dies between the server's apply and its ack.

use std::process::{ExitStatus, Stdio};

use tidings::domain::{delivery::DeliveryState, ids::ClientMessageId};
use tidings_backend::Network;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use super::stage::{LOOK, Stage};
use crate::failure::{Exit, Failure};

const TEXT: &str = "One more thing before my battery dies.";

/// Cause: SIGKILL. Withheld: the child lives on, and the server's answer is let through.
pub(super) async fn killed(stage: &mut Stage, withheld: bool) -> Result<String, Failure> {
    // The store belongs to the child now.
    stage.leave().await;
    stage.server.hold(true)?;
    let mut child = spawn(stage)?;
    let mut lines = lines_of(&mut child)?;
    let accepted = accepted_id(&mut lines).await?;
    let conversation = stage.conversation.clone().ok_or_else(Failure::internal)?;
    let applied = loop {
        let record = stage.server.record(&conversation).await;
        if let Some(row) = record.into_iter().find(|row| row.content == TEXT) {
            break row.id;
        }
        tokio::time::sleep(LOOK).await;
    };
    if withheld {
        stage.server.hold(false)?;
    } else {
        child.start_kill().map_err(|error| child_failed(&error))?;
    }
    let ended = child.wait().await.map_err(|error| child_failed(&error))?;
    stage.server.hold(false)?;
    if !was_killed(ended) {
        let text = format!("the child was not killed: it ended with {ended}");
        return Err(Failure::new(Exit::GaveUp, "demo.not_seen", text));
    }
    if told_sent(&mut lines).await? {
        let text = "the child heard of its message's arrival before it was killed";
        return Err(Failure::new(Exit::GaveUp, "demo.not_seen", text));
    }
    stage.orphan = Some((accepted, applied.clone()));
    Ok(format!(
        "another client accepted {accepted}; the server applied it as {applied} and its answer was \
         held back; SIGKILL; that client never heard of it"
    ))
}

/// Cause: a client starts on the same store and can ask the server. Withheld: it cannot.
pub(super) async fn recovered(stage: &mut Stage, withheld: bool) -> Result<String, Failure> {
    let (id, applied) = stage.orphan.clone().ok_or_else(Failure::internal)?;
    if withheld {
        stage.network(Network::Refuse)?;
    }
    let left_as = state_now(stage, id).await?;
    let client = stage.start_client().await?;
    stage.enter(client).await?;
    stage
        .until(|look| {
            let row = look.rows.iter().find(|row| row.id == id)?;
            let bound = row.server_id.as_ref()?.as_str() == applied && row.state.is_on_server();
            look.answer_to(TEXT)?;
            (bound && look.copies(TEXT) == 1 && look.agree()).then(|| {
                format!(
                    "{id} was left as {}; the next client found it on the server as {applied} and \
                     did not send it again; store and server agree on {} messages, each there once",
                    left_as.as_str(),
                    look.server.len()
                )
            })
        })
        .await
}

/// How the dead client left the message.
async fn state_now(stage: &Stage, id: ClientMessageId) -> Result<DeliveryState, Failure> {
    let onlooker = stage.start_onlooker().await?;
    let story = onlooker.explain(id).await;
    onlooker.shutdown().await;
    let row = story?.message.ok_or_else(Failure::no_message)?;
    Ok(row.state)
}

/// The same program, as another process on the same store.
fn spawn(stage: &Stage) -> Result<Child, Failure> {
    let program = std::env::current_exe().map_err(|error| child_failed(&error))?;
    let (global, conversation) = (&stage.global, stage.conversation.as_ref());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TIDINGS_") {
            command.env_remove(name);
        }
    }
    command.arg("--json").arg("send");
    if !stage.server.streams() {
        // Over a request its answer can be held back.
        command.args(["--backend", "socketio", "--no-websocket"]);
    }
    let secrets = [
        ("TIDINGS_TOKEN", &global.token),
        ("TIDINGS_TOKEN_COMMAND", &global.token_command),
        ("TIDINGS_API_KEY", &global.api_key),
    ];
    for (name, secret) in secrets {
        // Where others can list arguments, they cannot list these.
        if let Some(secret) = secret {
            command.env(name, secret.reveal());
        }
    }
    if let Some(user) = &global.user {
        command.arg("--user").arg(user);
    }
    if let (Some(url), Some(store)) = (&global.url, &global.store) {
        command.arg("--url").arg(url).arg("--store").arg(store);
    }
    for pair in &global.settings {
        command.arg("--config").arg(pair);
    }
    let conversation = conversation.ok_or_else(Failure::internal)?;
    command.arg(conversation.as_str()).arg(TEXT);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command.kill_on_drop(true);
    command.spawn().map_err(|error| child_failed(&error))
}

type ChildLines = Lines<BufReader<ChildStdout>>;

fn lines_of(child: &mut Child) -> Result<ChildLines, Failure> {
    let stdout = child.stdout.take().ok_or_else(Failure::internal)?;
    Ok(BufReader::new(stdout).lines())
}

async fn next(lines: &mut ChildLines) -> Result<Option<serde_json::Value>, Failure> {
    let line = lines
        .next_line()
        .await
        .map_err(|error| child_failed(&error))?;
    Ok(line.and_then(|line| serde_json::from_str(&line).ok()))
}

/// Waits for the child's `accepted` line.
async fn accepted_id(lines: &mut ChildLines) -> Result<ClientMessageId, Failure> {
    while let Some(line) = next(lines).await? {
        if line["type"] == "accepted" {
            let id = line["id"].as_str().and_then(ClientMessageId::parse);
            return id.ok_or_else(Failure::internal);
        }
    }
    let text = "the child ended without accepting the message";
    Err(Failure::new(Exit::GaveUp, "demo.not_seen", text))
}

/// Whether one of the child's last lines says that the message was sent.
async fn told_sent(lines: &mut ChildLines) -> Result<bool, Failure> {
    while let Some(line) = next(lines).await? {
        if line["type"] == "delivery" && line["state"] == "sent" {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(9)
}

#[cfg(not(unix))]
fn was_killed(status: ExitStatus) -> bool {
    !status.success()
}

fn child_failed(error: &std::io::Error) -> Failure {
    let text = format!("the second client could not be run: {}", error.kind());
    Failure::new(Exit::GaveUp, "demo.child", text)
}
