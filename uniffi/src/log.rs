//! The SDK's log, handed to the app in batches from a thread of its own.

use std::{
    collections::VecDeque,
    fmt::Write,
    sync::{
        Arc, Condvar, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    thread,
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::error::ChatError;

/// Records kept for a slow sink before further ones are dropped and counted.
const KEPT: usize = 1024;

/// Records in one batch at most.
const BATCH: usize = 64;

/// How much a record matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Something is broken.
    Error,
    /// Something went wrong and was dealt with.
    Warn,
    /// What a maintainer wants to see of a healthy run.
    Info,
    /// Each step.
    Debug,
}

/// One record. Never holds a token, a key, a header or a message's text.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LogRecord {
    /// How much it matters.
    pub level: LogLevel,
    /// The module it comes from.
    pub module: String,
    /// The event's stable name, then its fields.
    pub line: String,
    /// Records that were dropped before this one because the sink was slow.
    pub dropped: i64,
}

/// Where the app wants the log. Called on one thread, one batch at a time; it may block and throw.
#[uniffi::export(foreign)]
pub trait LogSink: Send + Sync {
    /// Takes the next records, in order.
    fn log(&self, records: Vec<LogRecord>) -> Result<(), ChatError>;
}

type Target = Arc<dyn LogSink>;

#[derive(Default)]
struct Logger {
    queue: Queue,
    /// The sink, held by the logging thread for the length of a call.
    sink: Slot,
    level: AtomicU8,
    dropped: AtomicU64,
}

/// Records on their way to the logging thread.
#[derive(Default)]
struct Queue {
    records: Mutex<VecDeque<LogRecord>>,
    arrived: Condvar,
}

impl Queue {
    /// Whether there was room.
    fn offer(&self, record: LogRecord) -> bool {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let room = records.len() < KEPT;
        if room {
            records.push_back(record);
            self.arrived.notify_one();
        }
        room
    }

    /// Waits for records; never empty.
    fn batch(&self) -> Vec<LogRecord> {
        let held = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let arrived = self.arrived.wait_while(held, |records| records.is_empty());
        let mut records = arrived.unwrap_or_else(PoisonError::into_inner);
        let size = records.len().min(BATCH);
        records.drain(..size).collect()
    }
}

#[derive(Default)]
struct Slot {
    sink: Mutex<Option<Target>>,
}

impl Slot {
    fn current(&self) -> Option<Target> {
        self.sink
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn replace(&self, sink: Option<Target>) {
        let mut held = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *held, sink);
        drop(held);
        // The app's object goes without a lock held.
        drop(old);
    }
}

const OFF: u8 = 0;

const fn rank(level: LogLevel) -> u8 {
    match level {
        LogLevel::Error => 1,
        LogLevel::Warn => 2,
        LogLevel::Info => 3,
        LogLevel::Debug => 4,
    }
}

fn level_of(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        _ => LogLevel::Debug,
    }
}

/// Sends the SDK's log of this process to `sink`, from `level` up; without a sink it is off.
///
/// A batch that is being taken when the sink is replaced is finished; no further one begins.
#[uniffi::export]
pub fn set_log_sink(sink: Option<Arc<dyn LogSink>>, level: LogLevel) -> Result<(), ChatError> {
    let logger = logger()?;
    let level = if sink.is_some() { rank(level) } else { OFF };
    logger.sink.replace(sink);
    logger.level.store(level, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
    Ok(())
}

/// The process's logger; installed once, and only where the app has no subscriber of its own.
fn logger() -> Result<&'static Logger, ChatError> {
    static LOGGER: OnceLock<Option<&'static Logger>> = OnceLock::new();
    let started = LOGGER.get_or_init(|| {
        let logger: &'static Logger = Box::leak(Box::default());
        tracing::subscriber::set_global_default(logger).ok()?;
        thread::Builder::new()
            .name("tidings-log".to_owned())
            .spawn(|| logger.deliver())
            .ok()?;
        Some(logger)
    });
    started.ok_or_else(|| ChatError::internal("log_taken"))
}

impl Logger {
    fn deliver(&self) {
        loop {
            let batch = self.queue.batch();
            if let Some(sink) = self.sink.current() {
                // What the app throws is its own affair; a panic of the glue must not end the log.
                let call = std::panic::AssertUnwindSafe(|| sink.log(batch));
                let _ = std::panic::catch_unwind(call);
            }
        }
    }
}

impl Subscriber for &'static Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && metadata.target().starts_with("tidings")
            && rank(level_of(*metadata.level())) <= self.level.load(Ordering::Relaxed)
            && *metadata.level() != Level::TRACE
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        let record = LogRecord {
            level: level_of(*event.metadata().level()),
            module: event.metadata().target().to_owned(),
            line: line.0,
            dropped: crate::records::large(dropped),
        };
        if !self.queue.offer(record) {
            self.dropped.fetch_add(dropped + 1, Ordering::Relaxed);
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The event's name, then `key=value` for each field.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let space = if self.0.is_empty() { "" } else { " " };
        let _ = match field.name() {
            "message" => write!(self.0, "{space}{value:?}"),
            name => write!(self.0, "{space}{name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: usize) -> LogRecord {
        LogRecord {
            level: LogLevel::Info,
            module: "tidings".to_owned(),
            line: line.to_string(),
            dropped: 0,
        }
    }

    #[test]
    fn queue_keeps_the_order_and_takes_no_more_than_there_is_room_for() {
        let queue = Queue::default();
        let taken = (0..=KEPT).filter(|line| queue.offer(record(*line)));
        assert_eq!(taken.count(), KEPT);
        for first in (0..KEPT).step_by(BATCH) {
            let batch = queue.batch();
            let wanted: Vec<LogRecord> = (first..first + BATCH).map(record).collect();
            assert_eq!(batch, wanted);
        }
        assert!(queue.offer(record(KEPT)));
        assert_eq!(queue.batch(), [record(KEPT)]);
    }

    #[test]
    fn queue_that_is_empty_is_waited_for() {
        let queue = Arc::new(Queue::default());
        let waiting = Arc::clone(&queue);
        let batch = thread::spawn(move || waiting.batch());
        assert!(queue.offer(record(1)));
        assert_eq!(batch.join().expect("a batch"), [record(1)]);
    }
}
