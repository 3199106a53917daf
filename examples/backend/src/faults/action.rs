//! What a rule does to the event it matches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::On;
use crate::network::Flow;

/// Which way a frozen connection is silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// What the client sends is lost; it still hears us.
    In,
    /// What we send is lost; we still hear the client.
    Out,
}

impl Direction {
    pub(crate) fn flows(self) -> (Flow, Flow) {
        match self {
            Self::Both => (Flow::Lost, Flow::Lost),
            Self::In => (Flow::Lost, Flow::Open),
            Self::Out => (Flow::Open, Flow::Lost),
        }
    }
}

/// What goes wrong. In JSON: `{"kind": "delay", "ms": 300}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Action {
    /// The connection is reset before anything happened.
    Refuse,
    /// An answer of its own; nothing happened.
    Status {
        /// The status code.
        code: u16,
        /// Response headers, e.g. `retry-after`. A value `http-date+5` becomes the date five
        /// seconds after the answer.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body; empty by default.
        #[serde(default)]
        body: String,
        /// The body's type; `application/json` by default.
        #[serde(default = "json_type")]
        content_type: String,
    },
    /// Everything happens, this much later.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// A frame is swallowed; a request is never processed nor answered; a connection stays silent.
    Drop,
    /// From now on the connection is silent: no frame, no pong, no answer, no close.
    Freeze {
        /// Which way; both by default.
        #[serde(default)]
        direction: Direction,
    },
    /// It happens twice.
    Duplicate,
    /// The frame changes places with the next one.
    Reorder,
    /// The frame's (or body's) content becomes this instead.
    Replace {
        /// The new text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The new bytes; a text frame need not be UTF-8 then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base64: Option<String>,
    },
    /// The WebSocket is closed with this code instead.
    Close {
        /// The close code.
        code: u16,
        /// The reason.
        #[serde(default)]
        reason: String,
    },
    /// The connection is reset half way through the frame or the body.
    Reset,
    /// It is applied, but the sender never learns: the connection ends.
    LostAck,
    /// It is applied, but the sender never learns: the connection stays open and silent.
    FrozenAck,
    /// The connection ends at once; it is applied later.
    LateApply {
        /// Milliseconds.
        ms: u64,
    },
    /// The frame or body announces its full length and ends, with the connection, after this much.
    Truncate {
        /// Bytes of content that still arrive.
        bytes: usize,
    },
    /// A captive portal's page: 200, HTML.
    Captive,
    /// A captive portal's redirect: 302.
    Redirect {
        /// Where to.
        #[serde(default = "portal")]
        location: String,
    },
    /// The upgrade succeeds, but the `connected` frame never comes.
    NoConnected,
    /// The answer to this message is streamed and stored, but its last frame never comes.
    NoTerminator,
    /// This message is accepted, but no answer is ever streamed.
    NoAnswer {
        /// Whether the answer still turns up in history.
        #[serde(default)]
        stored: bool,
    },
    /// An error frame ends the turn (or stands in for the frame).
    ErrorFrame {
        /// The error code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The error text.
        #[serde(default = "error_text")]
        text: String,
        /// Words streamed before it, for a rule on a message.
        #[serde(default)]
        after_chunks: usize,
    },
    /// The frame is sent in several WebSocket fragments.
    SplitFrame {
        /// How many; 2 by default.
        #[serde(default = "two")]
        parts: usize,
    },
    /// The document shares a frame with the next one, newline between them.
    MergeFrames,
    /// The body or frame trickles.
    SlowBody {
        /// Bytes each second.
        bytes_per_sec: u32,
    },
    /// The body or frame is blown up to this size with an unknown field.
    Oversize {
        /// Bytes.
        bytes: usize,
    },
}

impl Action {
    /// The `kind` it has in JSON.
    pub(crate) fn name(&self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        json.get("kind")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// Whether the action means something for the event.
    pub(super) fn fits(&self, on: On) -> bool {
        use On::{Connect, Http, Upgrade, WsIn, WsOut};
        let places: &[On] = match self {
            Self::Refuse => &[Connect, Http, Upgrade],
            Self::Status { .. } | Self::Captive | Self::Redirect { .. } => &[Http, Upgrade],
            Self::Delay { .. } | Self::Drop | Self::Freeze { .. } => {
                &[Connect, Http, Upgrade, WsIn, WsOut]
            }
            Self::Duplicate | Self::Replace { .. } => &[Http, WsIn, WsOut],
            Self::Reorder => &[WsIn, WsOut],
            Self::Close { .. } => &[Upgrade, WsIn, WsOut],
            Self::Reset => &[Connect, Http, Upgrade, WsIn, WsOut],
            Self::LostAck | Self::FrozenAck | Self::LateApply { .. } => &[Http, WsIn],
            Self::Truncate { .. } | Self::SlowBody { .. } | Self::Oversize { .. } => &[Http, WsOut],
            Self::NoConnected => &[Upgrade],
            Self::NoTerminator | Self::NoAnswer { .. } => &[Http, WsIn],
            Self::ErrorFrame { .. } => &[Http, WsIn, WsOut],
            Self::SplitFrame { .. } | Self::MergeFrames => &[WsOut],
        };
        places.contains(&on)
    }
}

fn json_type() -> String {
    "application/json".to_owned()
}

fn portal() -> String {
    "http://portal.example/login".to_owned()
}

fn error_text() -> String {
    "the coach is not available".to_owned()
}

fn two() -> usize {
    2
}
