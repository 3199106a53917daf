//! The Socket.IO backend in real time, against the real server behind a slow line.
//!
//! `cargo bench --bench socketio --features socketio -- [--seconds N] [--idle N] [--no-bounds]`
//!
//! - `observed`: 100 messages a second (for 60 s, unless `--seconds` says otherwise) at 100 ms round
//!   trip, from one client's send to the other's observer. Messages of one conversation go one after
//!   the other, each after the answer to the one before; so they are spread over enough of them.
//! - `calls`: what twenty turns cost (a message, a reply, half a minute in which nothing happens),
//!   against asking every two seconds. The half minute is waited for once (`--idle`).
//!
//! Ends with 1 where a bound does not hold.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a benchmark measures real time, and stops where its set-up fails"
)]

#[path = "socketio/calls.rs"]
mod calls;
#[path = "socketio/line.rs"]
mod line;
#[path = "../tests/socketio/node.rs"]
#[allow(dead_code, reason = "tests do more with it")]
mod node;
#[path = "socketio/observed.rs"]
mod observed;
#[path = "socketio/people.rs"]
mod people;

use std::{process::ExitCode, time::Duration};

/// What the command line asks for.
struct Options {
    seconds: u64,
    idle: u64,
    no_bounds: bool,
}

/// A figure and what it must not exceed.
struct Finding {
    name: &'static str,
    told: String,
    holds: bool,
}

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(complaint) => {
            eprintln!("bench: {complaint}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let findings = [
        runtime.block_on(observed::run(options.seconds)),
        runtime.block_on(calls::run(Duration::from_secs(options.idle))),
    ];
    for Finding { name, told, holds } in &findings {
        println!("{name:<10} {} {told}", if *holds { "ok  " } else { "OVER" });
    }
    match options.no_bounds || findings.iter().all(|finding| finding.holds) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

impl Options {
    fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            seconds: 60,
            idle: 30,
            no_bounds: false,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut number = || {
                let next = words.next().and_then(|word| word.parse().ok());
                next.ok_or_else(|| format!("{word} takes a number of seconds"))
            };
            match word.as_str() {
                "--seconds" => options.seconds = number()?,
                "--idle" => options.idle = number()?,
                "--no-bounds" => options.no_bounds = true,
                // Cargo's own.
                "--bench" => {}
                _ => return Err(format!("unknown option {word}")),
            }
        }
        Ok(options)
    }
}
