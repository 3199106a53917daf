//! The configuration by key and text, for programs that read it from a command line or a file.

use super::config::{Carriers, ConfigError, SocketIoConfig};

/// One setting, for a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key, as given to [`SocketIoConfig::set`].
    pub name: &'static str,
    /// The current value.
    pub value: String,
    /// The default.
    pub default: String,
    /// `text`, `flag`, `count` or `choice`.
    pub unit: &'static str,
    /// Why it is there.
    pub reason: &'static str,
}

/// What a setting changes.
enum Slot<'a> {
    Text(&'a mut String),
    Flag(&'a mut bool),
    Count(&'a mut usize),
    Carriers(&'a mut Carriers),
}

type Find = for<'a> fn(&'a mut SocketIoConfig) -> Slot<'a>;

struct Key {
    name: &'static str,
    find: Find,
    reason: &'static str,
}

const fn key(name: &'static str, find: Find, reason: &'static str) -> Key {
    Key { name, find, reason }
}

const EITHER: [(&str, Carriers); 3] = [
    ("websocket+polling", carriers(true, true)),
    ("websocket", carriers(true, false)),
    ("polling", carriers(false, true)),
];

const fn carriers(websocket: bool, polling: bool) -> Carriers {
    Carriers { websocket, polling }
}

/// Every key; the one table that `set` and `settings` read.
const KEYS: [Key; 19] = [
    key(
        "socketio.path",
        |c| Slot::Text(&mut c.path),
        "where the server answers, behind its origin",
    ),
    key(
        "socketio.namespace",
        |c| Slot::Text(&mut c.namespace),
        "where the gateway's events are",
    ),
    key(
        "socketio.transports",
        |c| Slot::Carriers(&mut c.carriers),
        "websocket+polling, websocket or polling: what the network between lets through",
    ),
    key(
        "socketio.account_claim",
        |c| Slot::Text(&mut c.account_claim),
        "the claim of the token that names this account",
    ),
    key(
        "socketio.dedupes",
        |c| Slot::Flag(&mut c.dedupes),
        "whether the server recognises a repeated clientMessageId; else sends are looked for first",
    ),
    key(
        "socketio.dispute_calls",
        |c| Slot::Flag(&mut c.dispute_calls),
        "whether disputes have calls of their own, as the gateway's documents say",
    ),
    key(
        "socketio.audit",
        |c| Slot::Flag(&mut c.audit),
        "whether this account may read what deleted messages said",
    ),
    key(
        "socketio.max_text",
        |c| Slot::Count(&mut c.max_text),
        "the longest text, in Unicode scalars; the server names none",
    ),
    key(
        "socketio.event.channel_join",
        |c| Slot::Text(&mut c.events.join),
        "look at a channel",
    ),
    key(
        "socketio.event.channel_leave",
        |c| Slot::Text(&mut c.events.leave),
        "look away",
    ),
    key(
        "socketio.event.message_send",
        |c| Slot::Text(&mut c.events.send),
        "a message of ours",
    ),
    key(
        "socketio.event.message_delete",
        |c| Slot::Text(&mut c.events.delete),
        "take a message back",
    ),
    key(
        "socketio.event.channel_read",
        |c| Slot::Text(&mut c.events.read),
        "read up to a moment, both ways",
    ),
    key(
        "socketio.event.typing",
        |c| Slot::Text(&mut c.events.typing),
        "somebody types, both ways",
    ),
    key(
        "socketio.event.message_new",
        |c| Slot::Text(&mut c.events.message),
        "the server tells a message",
    ),
    key(
        "socketio.event.message_deleted",
        |c| Slot::Text(&mut c.events.deleted),
        "the server tells that one was taken back",
    ),
    key(
        "socketio.event.presence",
        |c| Slot::Text(&mut c.events.presence),
        "somebody came or went",
    ),
    key(
        "socketio.event.channel_updated",
        |c| Slot::Text(&mut c.events.channel),
        "a channel, or who is in it, changed",
    ),
    key(
        "socketio.event.exception",
        |c| Slot::Text(&mut c.events.exception),
        "the server refuses a request",
    ),
];

impl SocketIoConfig {
    /// Sets one value by its key. Whether the values fit together is checked by
    /// [`SocketIoConfig::validate`].
    ///
    /// # Errors
    /// [`ConfigError::UnknownSetting`] and [`ConfigError::BadSetting`].
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            return Err(ConfigError::UnknownSetting(name.to_owned()));
        };
        let bad = |expected| ConfigError::BadSetting {
            key: key.name,
            expected,
        };
        match (key.find)(self) {
            Slot::Text(slot) => text.clone_into(slot),
            Slot::Flag(slot) => *slot = flag(text).ok_or_else(|| bad("true or false"))?,
            Slot::Count(slot) => *slot = text.parse().map_err(|_| bad("a whole number"))?,
            Slot::Carriers(slot) => {
                let chosen = EITHER.iter().find(|(name, _)| *name == text);
                *slot = chosen
                    .ok_or_else(|| bad("websocket+polling, websocket or polling"))?
                    .1;
            }
        }
        Ok(())
    }

    /// All settings with their values, in the order of the table.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let (mut now, mut initial) = (self.clone(), Self::new(""));
        let line = |key: &Key| {
            let (slot, before) = ((key.find)(&mut now), (key.find)(&mut initial));
            Setting {
                name: key.name,
                unit: slot.unit(),
                value: slot.show(),
                default: before.show(),
                reason: key.reason,
            }
        };
        KEYS.iter().map(line).collect()
    }
}

impl Slot<'_> {
    const fn unit(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Flag(_) => "flag",
            Self::Count(_) => "count",
            Self::Carriers(_) => "choice",
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Text(text) => (*text).clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::Count(count) => count.to_string(),
            Self::Carriers(both) => {
                let chosen = EITHER.iter().find(|(_, one)| one == *both);
                chosen.map_or("none", |(name, _)| name).to_owned()
            }
        }
    }
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "on" | "1" | "yes" => Some(true),
        "false" | "off" | "0" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_changes_its_own_value_and_no_other() {
        let values = |unit| match unit {
            "flag" => "true",
            "count" => "7",
            "choice" => "polling",
            _ => "/another",
        };
        for setting in SocketIoConfig::new("").settings() {
            let mut config = SocketIoConfig::new("");
            config.set(setting.name, values(setting.unit)).expect("set");
            let changed: Vec<_> = config
                .settings()
                .into_iter()
                .filter(|now| now.value != now.default)
                .collect();
            assert_eq!(changed.len(), 1, "{}", setting.name);
            assert_eq!(changed[0].name, setting.name);
            assert_eq!(changed[0].value, values(setting.unit));
        }
    }

    #[test]
    fn what_a_setting_cannot_take_is_refused_by_name() {
        let mut config = SocketIoConfig::new("");
        let unknown = ConfigError::UnknownSetting("socketio.colour".into());
        assert_eq!(config.set("socketio.colour", "red"), Err(unknown));
        for (name, text) in [
            ("socketio.transports", "pigeon"),
            ("socketio.dedupes", "perhaps"),
            ("socketio.max_text", "-1"),
        ] {
            let refused = config.set(name, text).expect_err(name);
            assert!(refused.to_string().contains(name));
        }
    }
}
