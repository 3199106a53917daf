//! The interop server as a process of its own, ended with the test that started it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

/// A running server. It ends when its standard input does, whatever becomes of the test.
pub(crate) struct Node {
    process: Child,
    // Apart from the process: waiting for that would close it, and so end what is waited for.
    input: Option<ChildStdin>,
    port: u16,
    admin: u16,
    switches: Vec<String>,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        drop(self.input.take());
    }
}

impl Node {
    /// Starts a server on a free port.
    pub(crate) fn start(switches: &[&str]) -> Self {
        install();
        let switches: Vec<_> = switches.iter().map(|&switch| switch.to_owned()).collect();
        let (mut process, port, admin) = spawn(&switches, 0);
        Self {
            input: process.stdin.take(),
            process,
            port,
            admin,
            switches,
        }
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("killed");
        self.wait();
    }

    /// Waits until it has died.
    pub(crate) fn wait(&mut self) {
        self.process.wait().expect("gone");
    }

    /// Another process in its place: same port, same switches.
    pub(crate) fn start_again(&mut self) {
        (self.process, self.port, self.admin) = spawn(&self.switches, self.port);
        self.input = self.process.stdin.take();
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where golden scenarios tell it what to do, where it was started for them.
    #[allow(dead_code, reason = "only the command's tests play them")]
    pub(crate) fn admin(&self) -> u16 {
        self.admin
    }

    /// Stops it without a word, as a lost network would.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Tells the admin endpoint of a server at this port, and waits for its answer.
pub(crate) fn admin(port: u16, verb: &str, body: &Value) -> Value {
    post(port, &format!("/admin/{verb}"), None, body)
}

/// Posts to a server at this port, and waits for its answer.
pub(crate) fn post(port: u16, path: &str, token: Option<&str>, body: &Value) -> Value {
    let body = body.to_string();
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n"));
    // Of the old version, so that the answer comes whole and in no parts.
    let request = format!(
        "POST {path} HTTP/1.0\r\nhost: localhost\r\n{}content-length: {}\r\n\r\n{body}",
        token.unwrap_or_default(),
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server");
    stream.write_all(request.as_bytes()).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, said) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains(" 20"), "{path}: {head}");
    serde_json::from_str(said).expect("json")
}

fn spawn(switches: &[String], port: u16) -> (Child, u16, u16) {
    let mut process = Command::new("node")
        .arg("server.mjs")
        .args(switches)
        .arg(format!("--port={port}"))
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts: these tests need Node 20");
    let output = process.stdout.take().expect("its output");
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).expect("a line");
    let said: Value = serde_json::from_str(&line).expect("its address");
    let at = |name: &str| {
        said[name]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
    };
    let admin = at("admin").unwrap_or_default();
    (process, at("port").expect("a port"), admin)
}

/// Where the server lies, whichever package of the workspace these tests belong to.
fn folder() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places = own
        .ancestors()
        .map(|at| at.join("examples/interop/socketio"));
    places.find(|at| at.is_dir()).expect("the interop server")
}

/// Installs what the lock file names, once.
fn install() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let done = Command::new("node")
            .arg("install.mjs")
            .current_dir(folder())
            .status();
        let done = done.expect("node starts: these tests need Node 20");
        assert!(done.success(), "npm ci failed");
    });
}
