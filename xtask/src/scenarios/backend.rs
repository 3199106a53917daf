//! A backend as a process of its own, ended with the scenario.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::Kind;
use crate::{cargo, node};

/// A running backend.
pub(super) struct Backend {
    pub(super) origin: String,
    pub(super) admin: String,
    process: Child,
}

/// Where it answers, and where its admin endpoint does.
type Addresses = (String, String);

impl Backend {
    /// Starts one on free ports.
    pub(super) fn start(kind: Kind, options: &[String]) -> Result<Self, String> {
        let (mut command, read): (_, fn(&str) -> Option<Addresses>) = match kind {
            Kind::Reference => (reference(options), addresses),
            Kind::Socketio => (gateway(options), ports),
        };
        // Its input stays open: the gateway ends with it.
        let mut process = command
            .stdin(Stdio::piped())
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
        let (origin, admin) = read(&line).ok_or("the backend named no address")?;
        Ok(Self {
            origin,
            admin,
            process,
        })
    }
}

/// Words come quickly where the options do not say otherwise.
fn reference(options: &[String]) -> Command {
    let mut command = Command::new(cargo::root().join("target/debug/tidings-backend"));
    command.args(["--listen", "127.0.0.1:0"]).args(options);
    if !options.iter().any(|option| option == "--word-delay") {
        command.args(["--word-delay", "2ms"]);
    }
    command
}

/// Of a scenario's options only its tokens mean something here.
fn gateway(options: &[String]) -> Command {
    let mut command = node::server();
    command.arg("--scenarios");
    let tokens = options.windows(2).filter(|pair| pair[0] == "--token");
    command.args(tokens.map(|pair| format!("--token={}", pair[1])));
    command
}

fn addresses(line: &str) -> Option<Addresses> {
    let mut found = line
        .split_whitespace()
        .filter(|word| word.starts_with("http://"))
        .map(str::to_owned);
    Some((found.next()?, found.next()?))
}

fn ports(line: &str) -> Option<Addresses> {
    let told: Value = serde_json::from_str(line).ok()?;
    let at = |name| Some(format!("http://127.0.0.1:{}", told[name].as_u64()?));
    Some((at("port")?, at("admin")?))
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
        let due = Some((
            "http://127.0.0.1:1".to_owned(),
            "http://127.0.0.1:2".to_owned(),
        ));
        assert_eq!(addresses(line), due);
        assert_eq!(ports(r#"{"port":1,"admin":2}"#), due);
        assert_eq!(ports("an error"), None);
    }
}
