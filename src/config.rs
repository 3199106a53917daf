//! Configuration: every value with its default, bounds and reason, validated once.

use std::time::Duration;

use crate::domain::rules::retention::Retention;

/// A configuration value that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No such key.
    #[error("there is no setting named {0:?}: `tidings config` lists them all")]
    UnknownKey(String),
    /// Not a value of the kind.
    #[error("{key} takes {expected}, not {given:?}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What it was given.
        given: String,
    },
    /// Outside its bounds.
    #[error("{key} must lie between {low} and {high}")]
    OutOfBounds {
        /// The key.
        key: &'static str,
        /// The least.
        low: String,
        /// The most.
        high: String,
    },
}

/// All timings and limits of the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether the poll cadence follows activity.
    pub poll_adaptive: bool,
    /// Poll cadence within 30 s of activity.
    pub poll_active: Duration,
    /// Poll cadence within 5 min of activity.
    pub poll_recent: Duration,
    /// Poll cadence after that.
    pub poll_idle: Duration,
    /// Poll cadence where adaptation is off.
    pub poll_fixed: Duration,
    /// Deadline of a dial: name, connection, encryption and upgrade together.
    pub dial_timeout: Duration,
    /// Deadline of the ready frame.
    pub ready_timeout: Duration,
    /// Silence after which an idle socket is probed.
    pub keepalive_interval: Duration,
    /// Silence after which the open conversation's socket is probed.
    pub probe_after: Duration,
    /// Deadline of a probe's answer.
    pub probe_timeout: Duration,
    /// First redial delay.
    pub reconnect_base: Duration,
    /// Longest redial delay.
    pub reconnect_max: Duration,
    /// Redials in a row before only polling goes on; zero for no limit.
    pub reconnect_max_attempts: u32,
    /// How long a socket must be live to be called stable.
    pub reconnect_stable: Duration,
    /// Deadline of one attempt to send.
    pub send_attempt_timeout: Duration,
    /// First resend delay.
    pub send_base: Duration,
    /// Longest resend delay.
    pub send_max: Duration,
    /// Attempts before a message fails; zero for no limit.
    pub send_max_attempts: u32,
    /// How long a message may wait.
    pub send_expiry: Duration,
    /// Time between the two reads that prove a send's absence.
    pub reconcile_grace: Duration,
    /// Silence that ends a turn.
    pub turn_inactivity: Duration,
    /// Deadline of a whole request.
    pub http_timeout: Duration,
    /// Messages in a page of history.
    pub history_page: u32,
    /// Sockets open at once.
    pub max_live: u32,
    /// Whether a realtime session is used at all.
    pub websocket: bool,
    /// Age up to which messages stay on this device; zero for ever.
    pub retention_age: Duration,
    /// Messages of a conversation that stay on this device; zero for all.
    pub retention_messages: u32,
    /// Megabytes that the store may take before the oldest messages leave it; zero for any size.
    pub retention_megabytes: u32,
}

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            poll_adaptive: true,
            poll_active: secs(2),
            poll_recent: secs(5),
            poll_idle: secs(10),
            poll_fixed: secs(3),
            dial_timeout: secs(10),
            ready_timeout: secs(5),
            keepalive_interval: secs(25),
            probe_after: secs(7),
            probe_timeout: secs(4),
            reconnect_base: secs(2),
            reconnect_max: secs(60),
            reconnect_max_attempts: 0,
            reconnect_stable: secs(30),
            send_attempt_timeout: secs(30),
            send_base: secs(2),
            send_max: secs(60),
            send_max_attempts: 0,
            send_expiry: secs(7 * 24 * 3600),
            reconcile_grace: secs(10),
            turn_inactivity: secs(30),
            http_timeout: secs(30),
            history_page: 100,
            max_live: 10,
            websocket: true,
            retention_age: Duration::ZERO,
            retention_messages: 0,
            retention_megabytes: 0,
        }
    }
}

/// One setting, for a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key, as given to [`Config::set`].
    pub name: &'static str,
    /// The current value.
    pub value: String,
    /// The default.
    pub default: String,
    /// `duration`, `count` or `flag`.
    pub unit: &'static str,
    /// Least and most, where the value has an order.
    pub bounds: Option<(String, String)>,
    /// Why the default is what it is.
    pub reason: &'static str,
}

enum Field<'a> {
    Time(&'a mut Duration, Duration, Duration),
    Count(&'a mut u32, u32, u32),
    Flag(&'a mut bool),
}

const MS: fn(u64) -> Duration = Duration::from_millis;
const HOUR: u64 = 3600;
const MEGABYTE: u64 = 1_000_000;

/// Every key with the reason of its default; the one table that `set` and `settings` read.
const KEYS: &[(&str, &str)] = &[
    (
        "poll.adaptive",
        "people answer in bursts: poll often after activity, seldom otherwise",
    ),
    (
        "poll.active",
        "a reply shows well within 6 s of being stored",
    ),
    ("poll.recent", "someone who paused reads on within seconds"),
    (
        "poll.idle",
        "an idle chat costs six small requests a minute",
    ),
    ("poll.fixed", "a middle cadence where adaptation is off"),
    (
        "dial.timeout",
        "covers name, connection, encryption and upgrade on a slow mobile link",
    ),
    (
        "ready.timeout",
        "a server that accepted the upgrade greets within seconds, or is deaf",
    ),
    (
        "keepalive.interval",
        "below the 30 s after which common proxies drop an idle connection",
    ),
    (
        "probe.after",
        "with the probe's deadline, a dead link is found within 12 s",
    ),
    (
        "probe.timeout",
        "a slow but living link answers within this",
    ),
    (
        "reconnect.base",
        "the first redial does not hit a server that is restarting",
    ),
    ("reconnect.max", "a long outage costs one dial a minute"),
    (
        "reconnect.max_attempts",
        "0: never give up; polling goes on in any case",
    ),
    (
        "reconnect.stable",
        "a flapping link must not reset its delays",
    ),
    (
        "send.attempt_timeout",
        "the longest a healthy server takes to confirm",
    ),
    (
        "send.base",
        "the first resend does not hit a server that is restarting",
    ),
    ("send.max", "a long outage costs one attempt a minute"),
    ("send.max_attempts", "0: only age ends a message"),
    (
        "send.expiry",
        "after a week a message is more likely to confuse than to help",
    ),
    (
        "reconcile.grace",
        "a server that is still applying a lost request shows it by then",
    ),
    (
        "turn.inactivity",
        "models pause for tool calls; longer silence is an end",
    ),
    (
        "http.timeout",
        "over the whole response, so that a trickle cannot hold a call",
    ),
    ("history.page", "the most that servers give in one page"),
    (
        "max_live",
        "sockets cost battery and server memory; further conversations poll",
    ),
    ("websocket", "off: polling only"),
    (
        "retention.age",
        "0: what was read stays readable without a network, however old",
    ),
    (
        "retention.messages",
        "0: all; with a limit the newest 50 stay in any case",
    ),
    (
        "retention.megabytes",
        "0: any size; a phone's text of years is some tens of megabytes",
    ),
];

impl Config {
    /// Sets one value by its key, from text such as `250ms`, `3s`, `7d`, `100` or `true`.
    ///
    /// # Errors
    /// [`ConfigError`]; nothing was changed.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), ConfigError> {
        let Some((key, _)) = KEYS.iter().find(|(name, _)| *name == key) else {
            return Err(ConfigError::UnknownKey(key.to_owned()));
        };
        let bad = |expected| ConfigError::BadValue {
            key,
            expected,
            given: text.to_owned(),
        };
        match self.field(key) {
            None => Err(ConfigError::UnknownKey((*key).to_owned())),
            Some(Field::Time(slot, low, high)) => {
                let value =
                    parse_duration(text).ok_or_else(|| bad("a time such as 250ms or 3s"))?;
                if !(low..=high).contains(&value) {
                    return Err(out_of_bounds(key, show(low), show(high)));
                }
                *slot = value;
                Ok(())
            }
            Some(Field::Count(slot, low, high)) => {
                let value = text.trim().parse().map_err(|_| bad("a whole number"))?;
                if !(low..=high).contains(&value) {
                    return Err(out_of_bounds(key, low.to_string(), high.to_string()));
                }
                *slot = value;
                Ok(())
            }
            Some(Field::Flag(slot)) => {
                *slot = parse_flag(text).ok_or_else(|| bad("true or false"))?;
                Ok(())
            }
        }
    }

    /// What stays on this device of the history.
    #[must_use]
    pub fn retention(&self) -> Retention {
        let limit = |value: u32| Some(u64::from(value)).filter(|value| *value > 0);
        Retention {
            age: Some(self.retention_age).filter(|age| !age.is_zero()),
            messages: limit(self.retention_messages),
            bytes: limit(self.retention_megabytes).map(|megabytes| megabytes * MEGABYTE),
        }
    }

    /// Every setting with its current value, default, bounds and reason.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let (mut now, mut default) = (self.clone(), Self::default());
        let mut list = Vec::with_capacity(KEYS.len());
        for (name, reason) in KEYS {
            let (Some(field), Some(initial)) = (now.field(name), default.field(name)) else {
                continue;
            };
            let (unit, bounds) = match &field {
                Field::Time(_, low, high) => ("duration", Some((show(*low), show(*high)))),
                Field::Count(_, low, high) => ("count", Some((low.to_string(), high.to_string()))),
                Field::Flag(_) => ("flag", None),
            };
            let (value, default) = (field.show(), initial.show());
            list.push(Setting {
                name,
                value,
                default,
                unit,
                bounds,
                reason,
            });
        }
        list
    }

    // one match
    fn field(&mut self, key: &str) -> Option<Field<'_>> {
        let day = secs(24 * HOUR);
        let time = |slot, low, high| Some(Field::Time(slot, low, high));
        let count = |slot, low, high| Some(Field::Count(slot, low, high));
        match key {
            "poll.adaptive" => Some(Field::Flag(&mut self.poll_adaptive)),
            "poll.active" => time(&mut self.poll_active, secs(1), secs(600)),
            "poll.recent" => time(&mut self.poll_recent, secs(1), secs(600)),
            "poll.idle" => time(&mut self.poll_idle, secs(1), secs(HOUR)),
            "poll.fixed" => time(&mut self.poll_fixed, secs(1), secs(HOUR)),
            "dial.timeout" => time(&mut self.dial_timeout, MS(100), secs(120)),
            "ready.timeout" => time(&mut self.ready_timeout, MS(100), secs(120)),
            "keepalive.interval" => time(&mut self.keepalive_interval, MS(100), secs(600)),
            "probe.after" => time(&mut self.probe_after, MS(100), secs(600)),
            "probe.timeout" => time(&mut self.probe_timeout, MS(100), secs(120)),
            "reconnect.base" => time(&mut self.reconnect_base, MS(10), secs(HOUR)),
            "reconnect.max" => time(&mut self.reconnect_max, MS(10), secs(HOUR)),
            "reconnect.max_attempts" => count(&mut self.reconnect_max_attempts, 0, u32::MAX),
            "reconnect.stable" => time(&mut self.reconnect_stable, MS(100), secs(HOUR)),
            "send.attempt_timeout" => time(&mut self.send_attempt_timeout, MS(100), secs(600)),
            "send.base" => time(&mut self.send_base, MS(10), secs(HOUR)),
            "send.max" => time(&mut self.send_max, MS(10), secs(HOUR)),
            "send.max_attempts" => count(&mut self.send_max_attempts, 0, u32::MAX),
            "send.expiry" => time(&mut self.send_expiry, MS(100), day.saturating_mul(365)),
            "reconcile.grace" => time(&mut self.reconcile_grace, MS(10), secs(600)),
            "turn.inactivity" => time(&mut self.turn_inactivity, MS(100), secs(HOUR)),
            "http.timeout" => time(&mut self.http_timeout, MS(100), secs(600)),
            "history.page" => count(&mut self.history_page, 1, 100),
            "max_live" => count(&mut self.max_live, 1, 1000),
            "websocket" => Some(Field::Flag(&mut self.websocket)),
            "retention.age" => time(&mut self.retention_age, MS(0), day.saturating_mul(36_500)),
            "retention.messages" => count(&mut self.retention_messages, 0, u32::MAX),
            "retention.megabytes" => count(&mut self.retention_megabytes, 0, u32::MAX),
            _ => None,
        }
    }
}

impl Field<'_> {
    fn show(&self) -> String {
        match self {
            Self::Time(value, ..) => show(**value),
            Self::Count(value, ..) => value.to_string(),
            Self::Flag(value) => value.to_string(),
        }
    }
}

fn out_of_bounds(key: &'static str, low: String, high: String) -> ConfigError {
    ConfigError::OutOfBounds { key, low, high }
}

/// Reads `250ms`, `3s`, `5m`, `2h`, `7d`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => seconds(60),
        "h" => seconds(HOUR),
        "d" => seconds(24 * HOUR),
        _ => None,
    }
}

fn parse_flag(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "on" | "1" | "yes" => Some(true),
        "false" | "off" | "0" | "no" => Some(false),
        _ => None,
    }
}

fn show(value: Duration) -> String {
    let millis = value.as_millis();
    match millis {
        m if m % 1000 != 0 => format!("{m}ms"),
        m if m % 86_400_000 == 0 && m > 0 => format!("{}d", m / 86_400_000),
        m => format!("{}s", m / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_can_be_listed_and_set_to_its_own_default() {
        let mut config = Config::default();
        let settings = config.settings();
        assert_eq!(settings.len(), KEYS.len());
        for setting in settings {
            config
                .set(setting.name, &setting.default)
                .expect(setting.name);
        }
        assert_eq!(config, Config::default());
    }

    #[test]
    fn bad_values_change_nothing_and_say_what_is_expected() {
        let mut config = Config::default();
        assert!(matches!(
            config.set("poll.active", "10ms"),
            Err(ConfigError::OutOfBounds { .. })
        ));
        assert!(matches!(
            config.set("poll.active", "soon"),
            Err(ConfigError::BadValue { .. })
        ));
        assert!(matches!(
            config.set("poll.often", "1s"),
            Err(ConfigError::UnknownKey(_))
        ));
        assert_eq!(config, Config::default());
    }

    #[test]
    fn l59_no_poll_is_configured_below_the_floor() {
        let mut config = Config::default();
        for key in ["poll.active", "poll.recent", "poll.idle", "poll.fixed"] {
            assert!(config.set(key, "999ms").is_err(), "{key}");
        }
    }
}
