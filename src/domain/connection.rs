//! How a conversation is connected, as the app sees it.

use crate::domain::time::WallTime;

/// One conversation's connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Not opened.
    #[default]
    Idle,
    /// The first dial is under way.
    Connecting,
    /// The socket carries both ways.
    Live,
    /// The socket is open but silent beyond belief; it is being probed or replaced.
    Stale,
    /// No socket; history is polled and answers.
    Polling,
    /// Neither socket nor polls succeed; the next try has a time.
    Backoff,
    /// There is no network.
    Offline,
    /// In the background, everything released.
    Suspended,
    /// The token was refused.
    SignInRequired,
    /// Closed for good: by the app, or because the server said so.
    Closed,
}

impl ConnectionState {
    /// The stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Polling => "polling",
            Self::Backoff => "backoff",
            Self::Offline => "offline",
            Self::Suspended => "suspended",
            Self::SignInRequired => "sign_in_required",
            Self::Closed => "closed",
        }
    }
}

/// What carries messages now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// The realtime session.
    WebSocket,
    /// Reads of the history.
    Polling,
    /// Nothing.
    #[default]
    None,
}

impl Transport {
    /// The stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Polling => "polling",
            Self::None => "none",
        }
    }
}

/// State, transport, and what happens next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// The state.
    pub state: ConnectionState,
    /// What carries messages now.
    pub transport: Transport,
    /// When the socket is dialled next, where that is planned.
    pub retry_at: Option<WallTime>,
    /// Why it is so: a stable code.
    pub reason: Option<String>,
}

/// The three colours an app shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Live.
    Green,
    /// Messages arrive, later than live.
    Yellow,
    /// Nothing arrives.
    Red,
}

impl ConnectionStatus {
    /// The colour for this status.
    #[must_use]
    pub fn light(&self) -> Light {
        match (self.state, self.transport) {
            (ConnectionState::Live, _) => Light::Green,
            (_, Transport::Polling) => Light::Yellow,
            _ => Light::Red,
        }
    }
}
