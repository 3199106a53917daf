//! How to reach the service and how it calls things, checked once.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use url::Url;

use super::{
    WireError, WireLimits,
    engineio::Endpoint,
    packet::{Namespace, RESERVED},
};
use crate::{
    adapters::{
        http::{HttpClient, HttpLimits, OriginError, parse_origin},
        net::{Connector, TlsSetupError, TrustRoots},
        websocket::{Dialer, WebSocketLimits},
    },
    domain::ports::Platform,
};

/// The largest REST body that is read: a hundred messages of the longest text, many times over.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// The longest a poll may wait; servers answer within their ping interval, 25 s by default.
const LONGEST_POLL: Duration = Duration::from_secs(180);

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The address of the service.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The trust roots.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// The namespace.
    #[error("the namespace begins with a slash and holds no comma")]
    Namespace,
    /// A name that the protocol keeps for itself, or none at all.
    #[error("no event can have the name given for {0}")]
    Event(&'static str),
    /// No setting has this key.
    #[error("there is no setting of this backend named {0:?}")]
    UnknownSetting(String),
    /// A setting's text that it cannot take.
    #[error("{key} takes {expected}")]
    BadSetting {
        /// The setting.
        key: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// Neither transport is allowed.
    #[error("at least one of WebSocket and polling must be allowed")]
    NoCarrier,
    /// A figure out of its bounds.
    #[error("{name} must lie between {low} and {high}")]
    OutOfBounds {
        /// The setting.
        name: &'static str,
        /// Its least value.
        low: u64,
        /// Its greatest value.
        high: u64,
    },
}

/// Which transports may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carriers {
    /// A WebSocket: tried first.
    pub websocket: bool,
    /// Long-polling, where the WebSocket is refused; it moves to a WebSocket where one is offered.
    pub polling: bool,
}

impl Default for Carriers {
    fn default() -> Self {
        Self {
            websocket: true,
            polling: true,
        }
    }
}

/// The names of the events, as the gateway calls them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventNames {
    /// Ours: look at a channel.
    pub join: String,
    /// Ours: look away.
    pub leave: String,
    /// Ours: a message.
    pub send: String,
    /// Ours: take a message back.
    pub delete: String,
    /// Both ways: read up to a moment.
    pub read: String,
    /// Both ways: somebody types.
    pub typing: String,
    /// The server's: a new message.
    pub message: String,
    /// The server's: a message was taken back.
    pub deleted: String,
    /// The server's: somebody came or went.
    pub presence: String,
    /// The server's: a channel changed.
    pub channel: String,
    /// The server's: it refuses a request.
    pub exception: String,
}

impl Default for EventNames {
    fn default() -> Self {
        Self {
            join: "channel:join".into(),
            leave: "channel:leave".into(),
            send: "message:send".into(),
            delete: "message:delete".into(),
            read: "channel:read".into(),
            typing: "typing".into(),
            message: "message:new".into(),
            deleted: "message:deleted".into(),
            presence: "presence".into(),
            channel: "channel:updated".into(),
            exception: "exception".into(),
        }
    }
}

impl EventNames {
    fn named(&self) -> [(&'static str, &String); 11] {
        [
            ("join", &self.join),
            ("leave", &self.leave),
            ("send", &self.send),
            ("delete", &self.delete),
            ("read", &self.read),
            ("typing", &self.typing),
            ("message", &self.message),
            ("deleted", &self.deleted),
            ("presence", &self.presence),
            ("channel", &self.channel),
            ("exception", &self.exception),
        ]
    }
}

/// What is said on the socket, and how much of it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Where everything happens.
    pub namespace: Namespace,
    /// The names of the events.
    pub events: EventNames,
    /// The bounds of one packet.
    pub limits: WireLimits,
}

impl Profile {
    /// How many values an event of this name declares; `None` where it is not one of ours.
    #[must_use]
    pub fn arity(&self, name: &str) -> Option<usize> {
        let ours = self.events.named().into_iter().any(|(_, own)| own == name);
        ours.then_some(1)
    }
}

/// How the transport is reached.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    pub(super) endpoint: Endpoint,
    pub(super) dialer: Dialer,
    pub(super) polls: HttpClient,
    pub(super) carriers: Carriers,
    pub(super) open_within: Duration,
}

/// How to reach the service and how it calls things. Prints no address.
#[derive(Clone)]
pub struct SocketIoConfig {
    /// The service: scheme, host, port.
    pub origin: String,
    /// Where the socket is, where that is another place.
    pub socket_origin: Option<String>,
    /// Sent as `X-API-Key` with every REST call.
    pub api_key: Option<SecretString>,
    /// The path of the socket.
    pub path: String,
    /// What stands in the query of every request of the socket. Never a token: it would be logged.
    pub query: Vec<(String, String)>,
    /// The namespace.
    pub namespace: String,
    /// The names of the events.
    pub events: EventNames,
    /// Which transports may be used.
    pub carriers: Carriers,
    /// The claim of the token that names this account.
    pub account_claim: String,
    /// This account, where the token does not tell.
    pub account: Option<String>,
    /// Whether the server recognises a repeated message by the key we send with it.
    pub dedupes: bool,
    /// Whether disputes are read and written by their own two calls where no socket is up, as the
    /// gateway's documents have them; else as channels like others.
    pub dispute_calls: bool,
    /// Whether this account may read what deleted messages said. The server decides; where it has no
    /// such read, leave this off.
    pub audit: bool,
    /// The longest text, in Unicode scalars. No server says: fifty thousand fit one frame of a
    /// default server however they are escaped.
    pub max_text: usize,
    /// Longest dial: name, TCP, TLS and upgrade (10 s: a phone on a bad network needs five).
    pub dial_timeout: Duration,
    /// Longest wait to be let in (20 s, as every client of this protocol).
    pub connect_timeout: Duration,
    /// Longest wait for an answer (30 s).
    pub answer_timeout: Duration,
    /// Longest REST call, to the last byte of the answer (30 s).
    pub http_timeout: Duration,
    /// How long to stay away from the socket after the server put us out on purpose (60 s): polls
    /// of the history go on meanwhile.
    pub eviction_hold: Duration,
    /// How long somebody types who says no more (6 s: twice as long as goes by between two words of
    /// one who goes on).
    pub typing_lasts: Duration,
    /// Messages or channels asked for at once (100, the server's most).
    pub page: usize,
    /// Whose certificates are trusted.
    pub trust: TrustRoots,
    /// The WebSocket's bounds.
    pub socket: WebSocketLimits,
    /// The bounds of one packet.
    pub limits: WireLimits,
}

impl std::fmt::Debug for SocketIoConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SocketIoConfig")
            .field("namespace", &self.namespace)
            .field("carriers", &self.carriers)
            .field("dedupes", &self.dedupes)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

impl SocketIoConfig {
    /// The defaults for this origin.
    #[must_use]
    pub fn new(origin: impl Into<String>) -> Self {
        Self {
            origin: origin.into(),
            socket_origin: None,
            api_key: None,
            path: "/socket.io/".into(),
            query: Vec::new(),
            namespace: "/".into(),
            events: EventNames::default(),
            carriers: Carriers::default(),
            account_claim: "userId".into(),
            account: None,
            dedupes: false,
            dispute_calls: false,
            audit: false,
            max_text: 50_000,
            dial_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(20),
            answer_timeout: Duration::from_secs(30),
            http_timeout: Duration::from_secs(30),
            eviction_hold: Duration::from_secs(60),
            typing_lasts: Duration::from_secs(6),
            page: 100,
            trust: TrustRoots::Platform,
            socket: WebSocketLimits::default(),
            limits: WireLimits::default(),
        }
    }

    /// Checks all of it.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.profile()?;
        parse_origin(&self.origin)?;
        self.socket_origin()?;
        if !self.carriers.websocket && !self.carriers.polling {
            return Err(ConfigError::NoCarrier);
        }
        within("page", self.page as u64, 1, 100)?;
        within("max_text", self.max_text as u64, 1, 1_000_000)?;
        for (name, value) in [
            ("dial.timeout", self.dial_timeout),
            ("connect.timeout", self.connect_timeout),
            ("answer.timeout", self.answer_timeout),
            ("http.timeout", self.http_timeout),
        ] {
            let millis = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
            within(name, millis, 1, 600_000)?;
        }
        Ok(())
    }

    pub(super) fn profile(&self) -> Result<Profile, ConfigError> {
        let unusable = |name: &str| name.is_empty() || RESERVED.contains(&name);
        let named = self.events.named();
        if let Some((which, _)) = named.into_iter().find(|(_, name)| unusable(name)) {
            return Err(ConfigError::Event(which));
        }
        let namespace = Namespace::parse(&self.namespace);
        Ok(Profile {
            namespace: namespace.map_err(|_: WireError| ConfigError::Namespace)?,
            events: self.events.clone(),
            limits: self.limits,
        })
    }

    pub(super) fn reach(
        &self,
        origin: &Url,
        connector: Connector,
        platform: &Arc<dyn Platform>,
    ) -> Result<Reach, ConfigError> {
        let polls = HttpLimits {
            connect: self.dial_timeout,
            total: LONGEST_POLL,
            body: LARGEST_BODY,
        };
        let elsewhere = self.socket_origin()?;
        let socket = elsewhere.as_ref().unwrap_or(origin);
        Ok(Reach {
            endpoint: Endpoint::new(socket, &self.path, self.query.clone()),
            polls: HttpClient::new(connector.clone(), polls, Arc::clone(platform)),
            dialer: Dialer::new(connector, self.dial_timeout, self.socket),
            carriers: self.carriers,
            open_within: self.dial_timeout,
        })
    }

    /// Where the socket is; `ws` stands for `http`, which is what polls of it go by.
    fn socket_origin(&self) -> Result<Option<Url>, ConfigError> {
        let Some(given) = &self.socket_origin else {
            return Ok(None);
        };
        let told = match given.strip_prefix("ws") {
            Some(rest) => parse_origin(&format!("http{rest}")),
            None => parse_origin(given),
        };
        Ok(Some(told?))
    }

    pub(super) const fn rest_limits(&self) -> HttpLimits {
        HttpLimits {
            connect: self.dial_timeout,
            total: self.http_timeout,
            body: LARGEST_BODY,
        }
    }

    /// The trust roots; where nothing is encrypted the system's need not even be readable.
    pub(super) fn trust_for(&self, origin: &Url) -> TrustRoots {
        match &self.trust {
            TrustRoots::Platform if origin.scheme() == "http" => TrustRoots::Webpki,
            chosen => chosen.clone(),
        }
    }
}

const fn within(name: &'static str, value: u64, low: u64, high: u64) -> Result<(), ConfigError> {
    if low <= value && value <= high {
        return Ok(());
    }
    Err(ConfigError::OutOfBounds { name, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_checked_and_named() {
        let good = SocketIoConfig::new("https://chat.example.com");
        assert_eq!(good.validate(), Ok(()));
        let mut config = good.clone();
        config.namespace = "chat".into();
        assert_eq!(config.validate(), Err(ConfigError::Namespace));
        let mut config = good.clone();
        config.events.send = "disconnect".into();
        assert_eq!(config.validate(), Err(ConfigError::Event("send")));
        let mut config = good.clone();
        config.carriers = Carriers {
            websocket: false,
            polling: false,
        };
        assert_eq!(config.validate(), Err(ConfigError::NoCarrier));
        let mut config = good;
        config.page = 101;
        let error = config.validate().expect_err("page");
        assert_eq!(error.to_string(), "page must lie between 1 and 100");
    }

    #[test]
    fn the_socket_may_be_at_another_place_by_either_name() {
        let mut config = SocketIoConfig::new("https://api.example.com");
        for (given, meant) in [
            ("wss://chat.example.com", "https://chat.example.com/"),
            ("https://chat.example.com", "https://chat.example.com/"),
            ("ws://127.0.0.1:9", "http://127.0.0.1:9/"),
        ] {
            config.socket_origin = Some(given.into());
            let told = config.socket_origin().expect("an origin").expect("given");
            assert_eq!(told.as_str(), meant);
        }
        config.socket_origin = Some("ftp://chat.example.com".into());
        assert!(matches!(config.validate(), Err(ConfigError::Origin(_))));
    }

    #[test]
    fn l99_debug_shows_no_address() {
        let config = SocketIoConfig::new("https://secret-host.example");
        assert!(!format!("{config:?}").contains("secret"));
    }

    #[test]
    fn own_events_declare_one_value_and_others_are_unknown() {
        let profile = SocketIoConfig::new("http://h").profile().expect("profile");
        assert_eq!(profile.arity("message:new"), Some(1));
        assert_eq!(profile.arity("chat.message.created"), None);
    }
}
