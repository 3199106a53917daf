//! The interop server of the Socket.IO backend: Node, and what npm installs of its lock file.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cargo;

fn folder() -> PathBuf {
    cargo::root().join("examples/interop/socketio")
}

/// The server, still without its switches.
pub(crate) fn server() -> Command {
    let mut command = Command::new("node");
    command.arg("server.mjs").current_dir(folder());
    command
}

/// What is missing to run it on this machine.
pub(crate) fn missing_tool() -> Option<&'static str> {
    let lacks = |tool| answers(tool, "--version").is_none();
    if lacks("node") {
        return Some("node is not installed");
    }
    lacks("npm").then_some("npm is not installed")
}

/// Installs what the lock file names, unless that is there.
pub(crate) fn install() -> Result<(), String> {
    let mut command = Command::new("node");
    command.arg("install.mjs").current_dir(folder());
    match command.status().is_ok_and(|status| status.success()) {
        true => Ok(()),
        false => Err("npm ci failed in examples/interop/socketio".to_owned()),
    }
}

/// The system's Redis, by which two nodes of the server meet: on a Debian machine of one's own it is
/// installed; elsewhere the test that needs it says that it is missing.
pub(crate) fn prepare_redis() {
    if answers("redis-server", "--version").is_some() || answers("id", "-u").as_deref() != Some("0")
    {
        return;
    }
    println!("installing redis-server");
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "--no-install-recommends", "redis-server"]);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    let done = install.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !done.is_ok_and(|status| status.success()) {
        println!("redis-server could not be installed");
    }
}

/// What a tool says to one question, where it is there.
fn answers(tool: &str, question: &str) -> Option<String> {
    let asked = Command::new(tool).arg(question).output().ok()?;
    let said = String::from_utf8(asked.stdout).ok()?;
    asked.status.success().then(|| said.trim().to_owned())
}
