//! Runs one program with a time limit, its output going to a log file.
//!
//! The output goes to a file, not a pipe: a child that outlives its parent would keep a pipe open
//! and the reader waiting. Each program leads its own process group, so that the limit also ends
//! what the program itself started.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running program is looked at: short against a second, long against a core's time.
const LOOK: Duration = Duration::from_millis(20);

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// None when the time limit ended it.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) duration: Duration,
    pub(crate) output: String,
}

impl Finished {
    /// Whether the program ended by itself, and well.
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Runs `command` to its end or to `limit`, whichever is first; `log` holds what it printed.
pub(crate) fn run(command: &mut Command, log: &Path, limit: Duration) -> io::Result<Finished> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::create(log)?;
    command.stderr(file.try_clone()?);
    run_into(command, file, log, limit)
}

/// The same, with what it complains of in another file: the output is all its own.
pub(crate) fn run_apart(
    command: &mut Command,
    log: &Path,
    complaints: &Path,
    limit: Duration,
) -> io::Result<Finished> {
    command.stderr(File::create(complaints)?);
    run_into(command, File::create(log)?, log, limit)
}

fn run_into(
    command: &mut Command,
    file: File,
    log: &Path,
    limit: Duration,
) -> io::Result<Finished> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file)
        .process_group(0)
        .spawn()?;
    let status = wait(&mut child, started, limit)?;
    let output = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    Ok(Finished {
        status,
        duration: started.elapsed(),
        output,
    })
}

fn wait(child: &mut Child, started: Instant, limit: Duration) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= limit {
            kill_group(child.id())?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// The standard library can only kill one process; the system's `kill` takes a whole group.
fn kill_group(leader: u32) -> io::Result<()> {
    Command::new("kill")
        .args(["-KILL", "--", &format!("-{leader}")])
        .status()
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> std::path::PathBuf {
        crate::cargo::root()
            .join("target/xtask/self-test")
            .join(name)
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_of_both_streams_is_kept() {
        let mut command = shell("echo one; echo two >&2; exit 3");
        let finished = run(&mut command, &log("streams"), Duration::from_secs(60)).expect("runs");
        assert_eq!(finished.output, "one\ntwo\n");
        assert_eq!(finished.status.and_then(|status| status.code()), Some(3));
        assert!(!finished.succeeded());
    }

    #[test]
    fn program_past_its_limit_is_ended_with_its_children() {
        let mut command = shell("sleep 600 & echo $!; wait");
        let finished = run(&mut command, &log("limit"), Duration::from_secs(2)).expect("runs");
        assert!(finished.status.is_none());
        let child = finished.output.trim().to_owned();
        // The signal was sent; the system takes its time, and a zombie is as dead as it gets.
        let is_alive = || {
            let state = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            !state.is_empty() && !state.contains(") Z ")
        };
        let started = Instant::now();
        while is_alive() {
            assert!(started.elapsed() < Duration::from_secs(60), "still running");
            thread::yield_now();
        }
    }
}
