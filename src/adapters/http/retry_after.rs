//! `Retry-After`: seconds or a date, read against the server's own clock, never believed blindly.

use std::time::{Duration, UNIX_EPOCH};

use crate::domain::time::WallTime;

/// Shorter waits are lengthened: a zero would be a busy loop.
pub const SHORTEST: Duration = Duration::from_secs(1);

/// Longer waits are cut: no server means to lock an app out for longer than an hour.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// How long the server wants to be left alone; `None` where it says nothing readable.
///
/// A date is measured from the reply's own `Date` where it has one: the device's clock may be a
/// day off.
#[must_use]
pub fn parse(value: &str, reply_date: Option<&str>, now: WallTime) -> Option<Duration> {
    let value = value.trim();
    let wait = seconds(value).or_else(|| until_date(value, reply_date, now))?;
    Some(wait.clamp(SHORTEST, LONGEST))
}

fn seconds(value: &str) -> Option<Duration> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    // A number too long for the type is simply a long wait.
    digits.then(|| Duration::from_secs(value.parse().unwrap_or(u64::MAX)))
}

fn until_date(value: &str, reply_date: Option<&str>, now: WallTime) -> Option<Duration> {
    let target = http_date(value)?;
    let base = reply_date.and_then(http_date).unwrap_or(now);
    Some(base.until(target))
}

fn http_date(text: &str) -> Option<WallTime> {
    let moment = httpdate::parse_http_date(text.trim()).ok()?;
    let since = moment.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis())
        .ok()
        .map(WallTime::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallTime = WallTime::from_millis(0);

    #[test]
    fn f21_seconds_are_taken_and_absurd_ones_capped() {
        for (value, expected) in [
            ("7", 7),
            (" 30 ", 30),
            ("0", 1),
            ("86400", 3600),
            ("99999999999999999999999999", 3600),
        ] {
            let wait = parse(value, None, NOW);
            assert_eq!(wait, Some(Duration::from_secs(expected)), "{value}");
        }
    }

    #[test]
    fn f21_a_date_is_measured_from_the_servers_own_date() {
        let wait = parse(
            "Fri, 21 Nov 2025 10:00:20 GMT",
            Some("Fri, 21 Nov 2025 10:00:00 GMT"),
            NOW,
        );
        assert_eq!(wait, Some(Duration::from_secs(20)));
        let past = parse(
            "Fri, 21 Nov 2025 09:00:00 GMT",
            Some("Fri, 21 Nov 2025 10:00:00 GMT"),
            NOW,
        );
        assert_eq!(past, Some(SHORTEST));
    }

    #[test]
    fn f21_without_a_date_header_the_device_clock_serves() {
        let now = WallTime::from_millis(1_763_719_200_000);
        let wait = parse("Fri, 21 Nov 2025 10:01:00 GMT", Some("nonsense"), now);
        assert_eq!(wait, Some(Duration::from_secs(60)));
    }

    #[test]
    fn f21_unreadable_values_say_nothing() {
        for bad in ["", "soon", "-5", "1.5s", "Fri, 99 Nov 2025"] {
            assert_eq!(parse(bad, None, NOW), None, "{bad}");
        }
    }
}
