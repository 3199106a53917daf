//! What a connection takes and what it wants done.

use std::time::Duration;

use crate::domain::{
    connection::{ConnectionState, Transport},
    event::CloseReason,
    retry::ServiceError,
    time::Tick,
};

/// What happens to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The conversation is wanted.
    Open {
        /// Whether a socket may be used; where not, only polling.
        socket: bool,
    },
    /// It is no longer wanted.
    Close,
    /// The upgrade succeeded.
    Dialled {
        /// Of which dial.
        generation: u64,
        /// Whether this backend greets with a ready frame.
        ready_frame: bool,
    },
    /// The dial failed.
    DialFailed {
        /// Of which dial.
        generation: u64,
        /// How.
        error: ServiceError,
    },
    /// The answer to [`Output::Verify`].
    Verified(Result<bool, ServiceError>),
    /// The backend's ready frame.
    Ready {
        /// On which socket.
        generation: u64,
    },
    /// Any sign of life from the peer.
    Heard {
        /// On which socket.
        generation: u64,
    },
    /// The socket is gone.
    SocketClosed {
        /// Which.
        generation: u64,
        /// Why.
        reason: CloseReason,
    },
    /// Something expected on the socket is overdue.
    Overdue,
    /// A frame could not be read: history must make up for it.
    Undecodable,
    /// A poll or catch-up ended.
    CaughtUp(Result<(), ServiceError>),
    /// The server asked for so long a quiet, of whichever conversation's read.
    Quiet(Duration),
    /// Messages came or went: poll more often for a while.
    Activity,
    /// The device has a network again.
    NetworkUp,
    /// The device has none.
    NetworkDown,
    /// The path changed.
    NetworkChanged,
    /// The app is back in the foreground.
    Foreground,
    /// The app is in the background: probe less.
    Background,
    /// Release everything.
    Suspend,
    /// The token was refused elsewhere.
    SignInRequired,
    /// A deadline may have passed.
    Tick,
}

/// What a connection wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Dial; the number comes back with everything this socket says.
    Dial {
        /// The number.
        generation: u64,
    },
    /// Close this socket, or give up its dial.
    Hangup {
        /// Which.
        generation: u64,
    },
    /// Ask this socket's peer for a sign of life.
    Probe {
        /// Which.
        generation: u64,
    },
    /// Read what is new on the server, as a poll.
    Poll,
    /// Read what is new on the server, because the socket is new or a frame was lost.
    CatchUp,
    /// Ask the server by a request whether the conversation is really closed to us.
    Verify,
    /// Polling began or ended.
    Polling(bool),
    /// The status changed.
    Status(Status),
}

/// The status, with deadlines on the monotonic scale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The state.
    pub state: ConnectionState,
    /// What carries messages now.
    pub transport: Transport,
    /// When the socket is dialled next.
    pub retry_at: Option<Tick>,
    /// Why: a stable code.
    pub reason: Option<String>,
}
