//! The `tidings` command: a chat in the terminal, a probe for integrators, and the handle by which
//! the SDK is tested from outside.
//!
//! It uses nothing but the SDK's public crate (and, for `demo`, the reference backend), so whatever
//! it can do, an app can do. Its JSON lines and exit codes are a contract: [`output::records`] and
//! [`failure::Exit`] hold all of it.
//!
//! A defect never ends the process with a panic's exit code: it is reported as the error
//! `internal`, exit 4, with the place in the code, and no content, on stderr.

#![deny(missing_docs)]
// The laws these lints guard (time, tasks and order enter from outside) bind the SDK, which is
// simulated; a command is real: it reads the clock, spawns and selects.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

mod args;
mod chat;
mod commands;
mod context;
mod demo;
mod failure;
mod feed;
mod input;
mod logging;
mod output;
mod setup;
mod signals;

use std::{
    panic::{self, PanicHookInfo},
    process::ExitCode,
};

use clap::{Parser, error::ErrorKind};
use futures_util::FutureExt;

use crate::{args::Cli, context::Context, failure::Failure};

fn main() -> ExitCode {
    panic::set_hook(Box::new(report_panic));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    logging::start(cli.global.verbose);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(run(cli));
            // A thread that waits for stdin must not hold up the end.
            runtime.shutdown_background();
            code
        }
        Err(_) => {
            output::write_to_stderr("error: the system gave no threads (internal)");
            ExitCode::from(failure::Exit::GaveUp as u8)
        }
    }
}

async fn run(cli: Cli) -> ExitCode {
    let context = Context::new(cli.global);
    let work = panic::AssertUnwindSafe(commands::run(&context, cli.command)).catch_unwind();
    let ended = tokio::select! {
        biased;
        ended = work => ended.unwrap_or_else(|_| Err(Failure::internal())),
        () = context.out.abandoned() => Ok(()),
    };
    let closing = panic::AssertUnwindSafe(context.shutdown()).catch_unwind();
    let closed = closing.await.map_err(|_| Failure::internal());
    match ended.and(closed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            context.out.fail(&failure, None);
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Says where, never what: the message of a panic may quote anything.
fn report_panic(info: &PanicHookInfo<'_>) {
    chat::restore_terminal();
    let place = info.location().map_or_else(String::new, |place| {
        format!(" at {}:{}", place.file(), place.line())
    });
    output::write_to_stderr(&format!("internal error{place}: please report it"));
}

/// Help and version are no errors; everything else is usage. With `--json` it is a line too.
fn refuse(error: &clap::Error) -> ExitCode {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let wants_json = std::env::args_os().any(|arg| arg == "--json")
        || std::env::var("TIDINGS_JSON").is_ok_and(|value| matches!(value.as_str(), "1" | "true"));
    if !asked && wants_json {
        let rendered = error.render().to_string();
        let lines = rendered.lines().map(str::trim);
        let sentence: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        let text = sentence.join(" ");
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        output::Output::new(true).fail(&Failure::usage(text), None);
    }
    let _ = error.print();
    match asked {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(failure::Exit::Usage as u8),
    }
}
