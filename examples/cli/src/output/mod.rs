//! Printing: JSON lines, or the same records as text for people.
//!
//! Every line is flushed as it is printed. A reader that went away is noticed, never a panic.

mod convert;
mod human;
pub(crate) mod records;

use std::{
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::Value;
use tokio::sync::Notify;

pub(crate) use self::convert::{event, sign_in_required, timeline};
use self::records::{Line, Record};
use crate::failure::Failure;

/// Where the command prints.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    gone: AtomicBool,
    left: Notify,
}

impl Output {
    /// Prints JSON lines, or text.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            gone: AtomicBool::new(false),
            left: Notify::new(),
        }
    }

    /// Prints one line.
    pub(crate) fn print(&self, record: &Record) {
        self.answer(record, None);
    }

    /// Prints one line that answers a session command.
    pub(crate) fn answer(&self, record: &Record, reference: Option<&Value>) {
        if self.json {
            return self.print_json(record, reference);
        }
        match (human::text(record), record) {
            (Some(text), Record::Error(_)) => write_to_stderr(&text),
            (Some(text), _) => self.write(&text),
            (None, _) => {}
        }
    }

    /// Prints one JSON line, whatever was asked for.
    pub(crate) fn print_json(&self, record: &Record, reference: Option<&Value>) {
        match serde_json::to_string(&Line { record, reference }) {
            Ok(line) => self.write(&line),
            Err(_) => write_to_stderr("a line could not be put into JSON"),
        }
    }

    /// Prints what went wrong, unless that was done already.
    pub(crate) fn fail(&self, failure: &Failure, reference: Option<&Value>) {
        if !failure.reported {
            self.answer(&Record::Error(failure.into()), reference);
        }
    }

    /// Prints text as it is.
    pub(crate) fn write(&self, text: &str) {
        if self.gone.load(Ordering::Relaxed) {
            return;
        }
        let mut stdout = std::io::stdout().lock();
        let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        if written.is_err() {
            self.gone.store(true, Ordering::Relaxed);
            self.left.notify_one();
        }
    }

    /// Waits until nobody reads any more.
    pub(crate) async fn abandoned(&self) {
        self.left.notified().await;
    }
}

/// A reader of stderr that went away is nobody's trouble.
pub(crate) fn write_to_stderr(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
