//! The calendar of RFC 3339: moments as text, read generously and printed in one way.
//!
//! A library of calendars and time zones would weigh 60 KB in an app, for these two functions. Years
//! have four digits; the Gregorian rules hold for all of them.

use std::fmt;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Days in four hundred years, after which the calendar repeats itself.
const ERA: i64 = 146_097;

/// From the first of March of the year 0 to the first of January 1970.
const EPOCH: i64 = 719_468;

/// Reads a moment as milliseconds since 1970; what is finer is cut off.
///
/// A `T` in either case or a space between date and time; minutes, seconds, fraction, all dashes of
/// the date and all colons of the time or of the offset may be missing. A leap second is the second
/// before it.
pub(super) fn parse(text: &str) -> Option<i64> {
    let mut text = Text(text.as_bytes());
    let year = text.number(4)?;
    let dash = text.take(b"-").is_some();
    let month = text.number(2)?;
    if dash {
        text.take(b"-")?;
    }
    let day = text.number(2)?;
    text.take(b"Tt ")?;
    let days = days_since_epoch(year, month, day)?;
    let time = text.time()?;
    let offset = text.offset()?;
    text.0.is_empty().then_some(days * DAY + time - offset)
}

/// Prints a moment in UTC with milliseconds; one outside of the years 0 to 9999 as the epoch.
pub(super) fn print(millis: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (mut days, mut time) = (millis.div_euclid(DAY), millis.rem_euclid(DAY));
    let mut date = date_of(days);
    if !(0..=9999).contains(&date.0) {
        (days, time) = (0, 0);
        date = date_of(days);
    }
    let (year, month, day) = date;
    let (hour, minute) = (time / HOUR, time / MINUTE % 60);
    let (second, fraction) = (time / SECOND % 60, time % SECOND);
    write!(
        f,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z"
    )
}

/// What is left to read.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    /// One of these bytes.
    fn take(&mut self, any: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        any.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// So many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let mut number = 0;
        for _ in 0..digits {
            number = number * 10 + i64::from(self.take(b"0123456789")? - b'0');
        }
        Some(number)
    }

    fn time(&mut self) -> Option<i64> {
        let hour = self.number(2).filter(|hour| *hour < 24)?;
        let colon = self.take(b":").is_some();
        if !colon && !self.digit_follows() {
            return Some(hour * HOUR);
        }
        let minute = self.number(2).filter(|minute| *minute < 60)?;
        let seconds = if colon {
            self.take(b":").is_some()
        } else {
            self.digit_follows()
        };
        let seconds = if seconds { self.seconds()? } else { 0 };
        Some(hour * HOUR + minute * MINUTE + seconds)
    }

    fn digit_follows(&self) -> bool {
        self.0.first().is_some_and(u8::is_ascii_digit)
    }

    fn seconds(&mut self) -> Option<i64> {
        let second = self.number(2).filter(|second| *second <= 60)?;
        let fraction = match self.take(b".,") {
            Some(_) => self.fraction()?,
            None => 0,
        };
        Some(second.min(59) * SECOND + fraction)
    }

    /// Any number of digits, at least one.
    fn fraction(&mut self) -> Option<i64> {
        let (mut millis, mut worth) = (self.number(1)? * 100, 10);
        while let Some(digit) = self.number(1) {
            millis += digit * worth;
            worth /= 10;
        }
        Some(millis)
    }

    fn offset(&mut self) -> Option<i64> {
        let sign = match self.take(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.number(2).filter(|hours| *hours < 26)?;
        let colon = self.take(b":");
        let minutes = match self.number(2) {
            Some(minutes) if minutes < 60 => minutes,
            None if colon.is_none() => 0,
            _ => return None,
        };
        Some(sign * (hours * HOUR + minutes * MINUTE))
    }
}

/// `None` where there is no such day. Years begin in March here, so that a leap day comes last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH;
    // A day that its month does not have is one of the next month.
    (date_of(days).2 == day).then_some(days)
}

/// Year, month and day.
fn date_of(days: i64) -> (i64, i64, i64) {
    let (era, of_era) = (
        (days + EPOCH).div_euclid(ERA),
        (days + EPOCH).rem_euclid(ERA),
    );
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::time::WallTime;

    /// The years 0 to 9999.
    const FIRST: i64 = -62_167_219_200_000;
    const LAST: i64 = 253_402_300_799_999;

    proptest! {
        #[test]
        fn every_moment_is_printed_as_a_calendar_library_prints_it(millis in FIRST..=LAST) {
            let moment = jiff::Timestamp::from_millisecond(millis).expect("in range");
            let printed = WallTime::from_millis(millis).to_string();
            prop_assert_eq!(&printed, &format!("{moment:.3}"));
            prop_assert_eq!(parse(&printed), Some(millis));
        }

        #[test]
        fn every_offset_is_read_as_a_calendar_library_reads_it(
            millis in FIRST + DAY..=LAST - DAY,
            offset in -1439_i64..=1439,
        ) {
            let local = WallTime::from_millis(millis + offset * MINUTE).to_string();
            let (sign, distance) = (if offset < 0 { '-' } else { '+' }, offset.abs());
            let (hours, minutes) = (distance / 60, distance % 60);
            let text = local.replace('Z', &format!("{sign}{hours:02}:{minutes:02}"));
            let moment: jiff::Timestamp = text.parse().expect("RFC 3339");
            prop_assert_eq!(parse(&text), Some(moment.as_millisecond()));
            prop_assert_eq!(parse(&text), Some(millis));
        }

        #[test]
        fn what_a_calendar_library_reads_is_read_and_nothing_else(
            text in "[0-8][0-9]{3}(-[01][0-9]-[0-3][0-9]|[01][0-9][0-3][0-9])[Tt ][0-2][0-9](:[0-6][0-9](:[0-6][0-9]([.,][0-9]{1,9})?)?|[0-6][0-9]([0-6][0-9]([.,][0-9]{1,9})?)?)?(Z|z|[+-][0-2][0-9](:?[0-6][0-9])?)",
            cut in any::<prop::sample::Index>(),
        ) {
            let end = cut.index(text.len() + 1);
            let _ = parse(text.get(..end).unwrap_or_default());
            let theirs: Option<jiff::Timestamp> = text.parse().ok();
            let distance = parse(&text).zip(theirs).map(|(ours, theirs)| ours - theirs.as_millisecond());
            prop_assert_eq!(parse(&text).is_some(), theirs.is_some(), "{}", text);
            // It cuts towards zero, we cut towards the past.
            prop_assert!(matches!(distance, None | Some(-1 | 0)), "{}", text);
        }
    }

    #[test]
    fn forms_that_servers_have() {
        let whole = parse("2024-02-29T23:59:59Z");
        assert_eq!(whole, Some(1_709_251_199_000));
        for same in [
            "2024-02-29 23:59:59Z",
            "2024-02-29t23:59:59z",
            "2024-02-29T23:59:60Z",
            "2024-03-01T00:59:59+0100",
            "2024-03-01T00:59:59+01",
            "2024-02-29T23:59:59.00000000000000000001Z",
            "20240229T235959Z",
            "2024-02-29T235959,0+0000",
        ] {
            assert_eq!(parse(same), whole, "{same}");
        }
        assert_eq!(parse("2024-02-29T23:59Z"), Some(1_709_251_140_000));
        assert_eq!(parse("2024-02-29T23Z"), Some(1_709_247_600_000));
    }

    #[test]
    fn days_that_are_not_there_are_no_moments() {
        for bad in [
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2024-04-31T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2024-01-00T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:61Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+1:00",
            "2024-01-01T00:00:00+01:",
            "2024-01-01T00:00:00Z ",
            "24-01-01T00:00:00Z",
            "2024-0101T00:00:00Z",
            "202401-01T00:00:00Z",
            "2024-01-01T0:00:00Z",
            "2024-01-01T00:0000Z",
            "2024-01-01T0000:00Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn moment_outside_of_the_years_is_printed_as_the_epoch() {
        for millis in [i64::MIN, FIRST - 1, LAST + 1, i64::MAX] {
            let printed = WallTime::from_millis(millis).to_string();
            assert_eq!(printed, "1970-01-01T00:00:00.000Z");
        }
    }
}
