//! What goes wrong. Each seed turns on a few kinds, because all at once hide each other.

use std::collections::BTreeMap;

use crate::chance::Chance;

/// A kind of fault; the ids are those of the fault catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// "F-01": the request never leaves.
    Refused,
    /// "F-07": the request is lost on its way.
    DropRequest,
    /// "F-27": the server did it, the answer is lost.
    DropAnswer,
    /// "F-28": the server does it after we gave up.
    LateApply,
    /// A request or frame takes seconds.
    Delay,
    /// "F-21", "F-22": 429, with a time to wait or without.
    RateLimit,
    /// "F-26": 5xx, done or not done.
    ServerError,
    /// "F-18": 401 that a refresh did not help.
    Unauthorized,
    /// "F-24": 422.
    Rejected,
    /// "F-33": a read fails.
    ReadFails,
    /// "F-04": the socket is refused, blocked or answered with a status.
    DialFails,
    /// "F-03": 403 or 404 on the upgrade.
    DialRefused,
    /// "F-05": no ready frame.
    NoReady,
    /// "F-14", "F-16": the server closes.
    Close,
    /// "F-06": silence both ways.
    Freeze,
    /// "F-07": one direction is dead.
    HalfOpen,
    /// "F-29": a frame comes twice.
    Duplicate,
    /// A frame is lost.
    DropFrame,
    /// "F-35": a frame cannot be read.
    Undecodable,
    /// "F-29": two frames change places.
    Reorder,
    /// "F-34": the stream has no end.
    NoTerminator,
    /// "F-34": the stream ends with an error.
    ErrorFrame,
    /// "F-34": no piece ever comes, only the row.
    NoChunks,
    /// "F-34": longer silence than a turn waits for.
    LongPause,
    /// "F-11": the network goes and comes.
    Network,
    /// "F-48": background, perhaps until suspended, and back.
    Background,
    /// "F-39": the wall clock jumps.
    WallJump,
    /// "F-45": the process is killed.
    Crash,
    /// "F-45": killed right before or right after a commit.
    CrashAtCommit,
    /// "F-55": edited and deleted by others.
    Edits,
}

/// Every kind with its rate in a thousand occasions when it is on.
const KINDS: &[(Fault, u32)] = &[
    (Fault::Refused, 250),
    (Fault::DropRequest, 250),
    (Fault::DropAnswer, 300),
    (Fault::LateApply, 250),
    (Fault::Delay, 200),
    (Fault::RateLimit, 200),
    (Fault::ServerError, 250),
    (Fault::Unauthorized, 60),
    (Fault::Rejected, 120),
    (Fault::ReadFails, 500),
    (Fault::DialFails, 450),
    (Fault::DialRefused, 300),
    (Fault::NoReady, 300),
    (Fault::Close, 60),
    (Fault::Freeze, 50),
    (Fault::HalfOpen, 50),
    (Fault::Duplicate, 150),
    (Fault::DropFrame, 150),
    (Fault::Undecodable, 100),
    (Fault::Reorder, 150),
    (Fault::NoTerminator, 350),
    (Fault::ErrorFrame, 250),
    (Fault::NoChunks, 250),
    (Fault::LongPause, 150),
    (Fault::Network, 1000),
    (Fault::Background, 1000),
    (Fault::WallJump, 1000),
    (Fault::Crash, 1000),
    (Fault::CrashAtCommit, 8),
    (Fault::Edits, 1000),
];

/// The kinds that are on, until healed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    on: BTreeMap<Fault, u32>,
    healed: bool,
}

impl Faults {
    /// Between none and six kinds.
    pub(crate) fn swarm(chance: &mut Chance) -> Self {
        let mut on = BTreeMap::new();
        for _ in 0..chance.below(7) {
            let (fault, rate) = chance.pick(KINDS);
            on.insert(fault, rate);
        }
        Self { on, healed: false }
    }

    pub(crate) fn rate(&self, fault: Fault) -> u32 {
        if self.healed {
            0
        } else {
            self.on.get(&fault).copied().unwrap_or_default()
        }
    }

    pub(crate) fn is_on(&self, fault: Fault) -> bool {
        self.rate(fault) > 0
    }

    pub(crate) fn was_on(&self, fault: Fault) -> bool {
        self.on.contains_key(&fault)
    }

    pub(crate) const fn heal(&mut self) {
        self.healed = true;
    }

    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.on.keys().map(|fault| format!("{fault:?}")).collect();
        names.join(" ")
    }
}
