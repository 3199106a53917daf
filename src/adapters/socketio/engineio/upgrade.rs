//! Moving a session from long-polling to a WebSocket, without losing or doubling a packet.
//!
//! | stage | what happens | what follows |
//! |---|---|---|
//! | Dialling | the socket is open | Probing: `2probe` leaves |
//! | Probing | `3probe` | Pausing: no new poll, no write; what is under way ends |
//! | Pausing | polls and posts have ended | Moved: `5` leaves, then what waited |
//! | any but Moved | anything else | Stayed: the probe is dropped, polling goes on |

use super::packet::Packet;

/// What the probe carries, both ways.
const PROBE: &str = "probe";

/// What happens to an upgrade.
#[derive(Debug)]
pub enum UpgradeInput {
    /// The socket is open.
    Opened,
    /// The socket said something.
    Heard(Packet),
    /// No poll and no post is under way any more.
    Quiet,
    /// The socket broke, or took too long.
    Lost,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum UpgradeStep {
    /// Send this over the new socket.
    Probe(Packet),
    /// Begin no poll and no post; say when those under way have ended.
    Pause,
    /// Send this over the new socket; from now on everything goes there.
    Move(Packet),
    /// Drop the socket; polling goes on.
    Stay,
    /// Nothing.
    Wait,
}

/// How far an upgrade is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// The socket is being dialled.
    #[default]
    Dialling,
    /// The server was asked over the new socket.
    Probing,
    /// It answered; the old transport falls silent.
    Pausing,
    /// The session is on the new socket.
    Moved,
    /// The session stays where it is.
    Stayed,
}

impl Upgrade {
    /// Takes one input.
    pub fn handle(&mut self, input: &UpgradeInput) -> UpgradeStep {
        let (next, step) = self.after(input);
        *self = next;
        step
    }

    fn after(self, input: &UpgradeInput) -> (Self, UpgradeStep) {
        use UpgradeInput as I;
        match (self, input) {
            (Self::Dialling, I::Opened) => {
                let probe = Packet::Ping(PROBE.to_owned());
                (Self::Probing, UpgradeStep::Probe(probe))
            }
            (Self::Probing, I::Heard(Packet::Pong(said))) if said == PROBE => {
                (Self::Pausing, UpgradeStep::Pause)
            }
            (Self::Pausing, I::Quiet) => (Self::Moved, UpgradeStep::Move(Packet::Upgrade)),
            (Self::Moved | Self::Stayed, _) => (self, UpgradeStep::Wait),
            // Polls end whenever they like; only while pausing does it mean anything.
            (Self::Dialling | Self::Probing, I::Quiet) => (self, UpgradeStep::Wait),
            _ => (Self::Stayed, UpgradeStep::Stay),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use UpgradeInput as I;

    fn heard(text: &str) -> I {
        I::Heard(Packet::parse(text).expect("packet"))
    }

    #[test]
    fn the_session_moves_only_once_the_old_transport_is_quiet() {
        let mut upgrade = Upgrade::default();
        let probe = Packet::parse("2probe").expect("packet");
        assert_eq!(upgrade.handle(&I::Quiet), UpgradeStep::Wait);
        assert_eq!(upgrade.handle(&I::Opened), UpgradeStep::Probe(probe));
        assert_eq!(upgrade.handle(&I::Quiet), UpgradeStep::Wait);
        assert_eq!(upgrade.handle(&heard("3probe")), UpgradeStep::Pause);
        assert_eq!(
            upgrade.handle(&I::Quiet),
            UpgradeStep::Move(Packet::Upgrade)
        );
        assert_eq!(upgrade, Upgrade::Moved);
        assert_eq!(
            upgrade.handle(&I::Lost),
            UpgradeStep::Wait,
            "the transport's own end"
        );
    }

    #[test]
    fn any_other_first_answer_leaves_the_session_on_polling() {
        for answer in ["3", "3probes", "2probe", "6", "1", "4x", "0{}"] {
            let mut upgrade = Upgrade::default();
            upgrade.handle(&I::Opened);
            assert_eq!(
                upgrade.handle(&heard(answer)),
                UpgradeStep::Stay,
                "{answer}"
            );
            assert_eq!(
                upgrade.handle(&heard("3probe")),
                UpgradeStep::Wait,
                "{answer}"
            );
        }
    }

    #[test]
    fn a_socket_lost_at_any_stage_is_dropped() {
        let stages: [&[I]; 3] = [&[], &[I::Opened], &[I::Opened, heard("3probe")]];
        for before in stages {
            let mut upgrade = Upgrade::default();
            for input in before {
                upgrade.handle(input);
            }
            assert_eq!(upgrade.handle(&I::Lost), UpgradeStep::Stay);
            assert_eq!(upgrade, Upgrade::Stayed);
        }
    }
}
