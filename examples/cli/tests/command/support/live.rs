//! A running command: lines as they come, commands as they are needed.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use serde_json::Value;

use super::{LIMIT, contract};

/// A running command. Dropping it kills it.
pub(crate) struct Live {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What was read so far.
    pub(crate) seen: Vec<Value>,
}

impl Live {
    pub(crate) fn start(command: &mut Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("spawn");
        let stdout = BufReader::new(child.stdout.take().expect("stdout"));
        let (tx, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if tx.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Writes a line to its input.
    pub(crate) fn tell(&mut self, line: &Value) {
        self.tell_text(&line.to_string());
    }

    pub(crate) fn tell_text(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin");
        writeln!(stdin, "{line}").expect("write");
        stdin.flush().expect("flush");
    }

    /// Reads on until a line is as wanted.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let Ok(text) = self.lines.recv_timeout(LIMIT) else {
                panic!("never: {what}; seen: {:#?}", self.seen);
            };
            let line = contract::line(&text);
            self.seen.push(line.clone());
            if wanted(&line) {
                return line;
            }
        }
    }

    /// Reads on to the result of a session command.
    #[track_caller]
    pub(crate) fn result(&mut self, reference: &str) -> Value {
        self.until(reference, |line| {
            line["type"] == "result" && line["ref"] == reference
        })
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status();
        assert!(sent.expect("kill").success());
    }

    /// Kills it and waits for its death.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Waits for its end: the status, and what it wrote to stderr.
    pub(crate) fn end(mut self) -> (i32, String) {
        self.stdin = None;
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().expect("stderr");
        pipe.read_to_string(&mut stderr).expect("read");
        let status = self.child.wait().expect("wait");
        (contract::exit(status), stderr)
    }

    /// Closes our end of its output, then waits for its end.
    pub(crate) fn abandon(mut self) -> ExitStatus {
        self.stdin = None;
        self.child.wait().expect("wait")
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
