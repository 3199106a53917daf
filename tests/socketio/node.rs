//! The interop server as a process of its own, ended with the test that started it.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

/// A running server. It ends when its standard input does, whatever becomes of the test.
pub(crate) struct Node {
    process: Child,
    port: u16,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Node {
    /// Starts a server on a free port.
    pub(crate) fn start(switches: &[&str]) -> Self {
        install();
        let mut process = Command::new("node")
            .arg("server.mjs")
            .args(switches)
            .current_dir(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts: these tests need Node 20");
        let output = process.stdout.take().expect("its output");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("a line");
        let said: Value = serde_json::from_str(&line).expect("its address");
        let port = said["port"].as_u64().expect("a port");
        Self {
            process,
            port: u16::try_from(port).expect("a port"),
        }
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

/// Where the server lies, whichever package of the workspace these tests belong to.
fn folder() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places = own
        .ancestors()
        .map(|at| at.join("examples/interop/socketio"));
    places.find(|at| at.is_dir()).expect("the interop server")
}

/// Installs what the lock file names, once, and again when it names something else.
fn install() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let wanted = std::fs::read(folder().join("package-lock.json")).expect("the lock file");
        let mark = folder().join("node_modules/.installed-lock.json");
        if std::fs::read(&mark).is_ok_and(|installed| installed == wanted) {
            return;
        }
        let done = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(folder())
            .stdout(Stdio::null())
            .status();
        assert!(done.is_ok_and(|status| status.success()), "npm ci failed");
        std::fs::write(mark, wanted).expect("the mark");
    });
}
