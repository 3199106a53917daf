//! Server time: nanoseconds since the epoch inside, RFC 3339 on the wire.

use jiff::Timestamp;

/// Nanoseconds since the Unix epoch.
pub(crate) type Nanos = i64;

/// The server's time now.
pub(crate) fn now() -> Nanos {
    Nanos::try_from(Timestamp::now().as_nanosecond()).unwrap_or(Nanos::MAX)
}

/// RFC 3339 with as many fraction digits as the value needs (Go trims trailing zeros too).
pub(crate) fn precise(at: Nanos) -> String {
    stamp(at).to_string()
}

/// RFC 3339 in whole seconds, as reads and WebSocket frames carry it.
pub(crate) fn seconds(at: Nanos) -> String {
    Timestamp::from_second(at.div_euclid(1_000_000_000))
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

/// The server's time now, in whole seconds.
pub(crate) fn seconds_now() -> String {
    seconds(now())
}

fn stamp(at: Nanos) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(at)).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::{precise, seconds};

    #[test]
    fn reads_show_whole_seconds_and_creations_show_nanoseconds() {
        let at = 1_763_629_198_151_465_961;
        assert_eq!(precise(at), "2025-11-20T08:59:58.151465961Z");
        assert_eq!(seconds(at), "2025-11-20T08:59:58Z");
    }
}
