//! Logs: the SDK's own events to stderr, with ids only.
//!
//! Only targets of the SDK are shown at any verbosity: libraries below it print headers and bodies.

use tracing::{Level, Metadata};
use tracing_subscriber::{Layer, filter::filter_fn, fmt, layer::SubscriberExt};

/// Starts logging: 0 nothing, 1 INFO, 2 and more DEBUG.
pub(crate) fn start(verbosity: u8) {
    let most = match verbosity {
        0 => return,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    let ours = filter_fn(move |event| *event.level() <= most && is_ours(event));
    let layer = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_filter(ours);
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
}

fn is_ours(event: &Metadata<'_>) -> bool {
    let target = event.target();
    target == "tidings" || target.starts_with("tidings::")
}
