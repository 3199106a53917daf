//! How a conversation is connected, as it crosses.

use tidings::domain::connection as core;

/// One conversation's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ConnectionState {
    /// Not opened.
    Idle,
    /// The first dial is under way.
    Connecting,
    /// The socket carries both ways.
    Live,
    /// The socket is silent beyond belief; it is being probed or replaced.
    Stale,
    /// No socket; history is polled and answers.
    Polling,
    /// Neither works; the next try has a time.
    Backoff,
    /// There is no network.
    Offline,
    /// In the background, everything released.
    Suspended,
    /// The token was refused.
    SignInRequired,
    /// Closed for good.
    Closed,
}

/// What carries messages now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Transport {
    /// The realtime session.
    WebSocket,
    /// Reads of the history.
    Polling,
    /// Nothing.
    None,
}

/// The three colours an app shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Light {
    /// Live.
    Green,
    /// Messages arrive, later than live.
    Yellow,
    /// Nothing arrives.
    Red,
}

/// State, transport, and what happens next.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ConnectionStatus {
    /// The state.
    pub state: ConnectionState,
    /// What carries messages now.
    pub transport: Transport,
    /// The colour for it.
    pub light: Light,
    /// When the socket is dialled next, where that is planned.
    pub retry_at_ms: Option<i64>,
    /// Why it is so: a stable code.
    pub reason: Option<String>,
}

impl From<core::ConnectionState> for ConnectionState {
    fn from(state: core::ConnectionState) -> Self {
        use core::ConnectionState as S;
        match state {
            S::Idle => Self::Idle,
            S::Connecting => Self::Connecting,
            S::Live => Self::Live,
            S::Stale => Self::Stale,
            S::Polling => Self::Polling,
            S::Backoff => Self::Backoff,
            S::Offline => Self::Offline,
            S::Suspended => Self::Suspended,
            S::SignInRequired => Self::SignInRequired,
            S::Closed => Self::Closed,
        }
    }
}

impl From<core::ConnectionStatus> for ConnectionStatus {
    fn from(status: core::ConnectionStatus) -> Self {
        Self {
            light: match status.light() {
                core::Light::Green => Light::Green,
                core::Light::Yellow => Light::Yellow,
                core::Light::Red => Light::Red,
            },
            state: status.state.into(),
            transport: match status.transport {
                core::Transport::WebSocket => Transport::WebSocket,
                core::Transport::Polling => Transport::Polling,
                core::Transport::None => Transport::None,
            },
            retry_at_ms: status.retry_at.map(|at| at.as_millis()),
            reason: status.reason,
        }
    }
}
