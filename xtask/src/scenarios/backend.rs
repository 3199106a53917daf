//! The reference backend as a process of its own, ended with the scenario.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::cargo;

/// A running backend.
pub(super) struct Backend {
    pub(super) origin: String,
    pub(super) admin: String,
    process: Child,
}

impl Backend {
    /// Starts one on free ports; words come quickly where the options do not say otherwise.
    pub(super) fn start(options: &[String]) -> Result<Self, String> {
        let mut command = Command::new(cargo::root().join("target/debug/tidings-backend"));
        command.args(["--listen", "127.0.0.1:0"]).args(options);
        if !options.iter().any(|option| option == "--word-delay") {
            command.args(["--word-delay", "2ms"]);
        }
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("the backend did not start: {error}"))?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output)
                .read_line(&mut line)
                .map_err(|error| error.to_string())?;
        }
        let mut addresses = addresses(&line);
        Ok(Self {
            origin: addresses.next().ok_or("the backend named no address")?,
            admin: addresses.next().ok_or("the backend named no address")?,
            process,
        })
    }
}

fn addresses(line: &str) -> impl Iterator<Item = String> + '_ {
    line.split_whitespace()
        .filter(|word| word.starts_with("http://"))
        .map(str::to_owned)
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_the_first_line() {
        let line = "listening on http://127.0.0.1:1 · admin on http://127.0.0.1:2\n";
        let found: Vec<String> = addresses(line).collect();
        assert_eq!(found, ["http://127.0.0.1:1", "http://127.0.0.1:2"]);
    }
}
