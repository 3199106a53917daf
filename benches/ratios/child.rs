//! A benchmark's other half in a process of its own: memory is measured in one that did nothing
//! before.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio},
};

use crate::{missed, passive};

/// The first argument of such a process.
const FLAG: &str = "--child";

/// A running child; it is told lines, and tells lines.
pub(crate) struct Other {
    child: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
}

impl Other {
    /// Starts this program again as a child.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(FLAG)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(child.stdout.take().unwrap());
        let hears = child.stdin.take().unwrap();
        Self { child, says, hears }
    }

    /// Lets the child go on, and waits for the number that it tells next.
    pub(crate) fn ask(&mut self) -> f64 {
        writeln!(self.hears, "go").unwrap();
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim().parse().expect("the child tells a number")
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the parent says so.
pub(crate) fn wait() {
    let mut line = String::new();
    let heard = std::io::stdin().read_line(&mut line).unwrap();
    assert!(heard > 0, "the parent has gone");
}

/// Whether this process is such a child.
pub(crate) fn is_asked_for() -> bool {
    std::env::args().nth(1).as_deref() == Some(FLAG)
}

/// Does what the arguments say.
pub(crate) fn run() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["missed", origin, path] => missed::client(origin, path),
        ["passive", path] => passive::client(path),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}
