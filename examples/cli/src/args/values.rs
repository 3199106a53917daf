//! The values that options take.

use std::{fmt, time::Duration};

use clap::ValueEnum;

/// The kinds of backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BackendKind {
    /// AI coach: a WebSocket for each conversation.
    Consultations,
    /// Channels over Socket.IO.
    Socketio,
    /// An assistant behind an AWS API gateway.
    Apigateway,
    /// Rooms over a gRPC gateway.
    Gateway,
}

/// How the token reaches the WebSocket upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WsAuth {
    /// In the Authorization header.
    Header,
    /// In the query.
    Query,
    /// In both.
    Both,
}

/// Text that is never printed.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The steps of the scripted conversation, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Step {
    /// An answer arrives word by word over the WebSocket.
    Streamed,
    /// The WebSocket is cut.
    Cut,
    /// The reply comes by polling.
    Polling,
    /// The WebSocket is back.
    Reconnected,
    /// Offline, a message is accepted and waits.
    QueuedOffline,
    /// Back online, it goes out.
    Delivered,
    /// A client is killed between the server's apply and its ack.
    Killed,
    /// The next client settles it: nothing lost, nothing doubled.
    Recovered,
}

impl Step {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 8] = [
        Self::Streamed,
        Self::Cut,
        Self::Polling,
        Self::Reconnected,
        Self::QueuedOffline,
        Self::Delivered,
        Self::Killed,
        Self::Recovered,
    ];

    /// The stable name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Streamed => "streamed",
            Self::Cut => "cut",
            Self::Polling => "polling",
            Self::Reconnected => "reconnected",
            Self::QueuedOffline => "queued_offline",
            Self::Delivered => "delivered",
            Self::Killed => "killed",
            Self::Recovered => "recovered",
        }
    }
}

/// What a send promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// One attempt; on failure the text comes back as the error's draft.
    Direct,
    /// On disk before anything goes out, then retried until it is settled.
    Durable,
}

/// Until when a send waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    /// Until it is accepted.
    None,
    /// Until the server has it.
    Sent,
    /// Until the answer is stored.
    Reply,
}

/// What `export` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON document.
    Json,
    /// A readable page.
    Markdown,
}

/// Reads `2`, `0.5`, `250ms`, `3s`, `5m`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let plain = text.trim().parse::<f64>().ok();
    let read = match plain {
        Some(number) => Duration::try_from_secs_f64(number).ok(),
        None => tidings::config::parse_duration(text),
    };
    read.ok_or_else(|| "write seconds such as 2 or 0.5, or a time such as 250ms".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_with_and_without_a_unit() {
        assert_eq!(seconds("2"), Ok(Duration::from_secs(2)));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("250ms"), Ok(Duration::from_millis(250)));
        for bad in ["", "-1", "soon", "NaN", "inf", "1e30"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
