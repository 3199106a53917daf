//! Signals from outside the wire: network, foreground, suspend, sign-in.

use super::{Connection, DIAL_GRACE, Rest, Socket};
use crate::domain::{retry::RetryClass, time::Tick};

impl Connection {
    pub(super) fn network_up(&mut self, now: Tick) {
        self.reached();
        self.redial_now(now);
    }

    /// Whatever was said before: there is a network.
    pub(super) const fn reached(&mut self) {
        self.offline = false;
        self.no_network = false;
    }

    /// Only the device's own word holds polls back: a refused socket says nothing about requests.
    pub(super) const fn polls_are_held(&self) -> bool {
        self.no_network
    }

    pub(super) fn network_down(&mut self, now: Tick) {
        self.offline = true;
        self.no_network = true;
        self.reason = Some("network.unreachable".to_owned());
        if self.rest == Rest::Open {
            self.drop_socket();
            self.stop_polling();
            self.wait_to_redial(now, 1, RetryClass::Backoff);
        }
    }

    pub(super) fn network_changed(&mut self, now: Tick) {
        match self.socket {
            Socket::Live { .. } => self.probe_now(now),
            _ => self.network_up(now),
        }
    }

    pub(super) fn came_back(&mut self, now: Tick) {
        let was_away = !self.foreground;
        self.foreground = true;
        // What the device said before it slept is no news.
        self.no_network = false;
        match self.rest {
            Rest::Suspended | Rest::SignInRequired => {
                self.rest = Rest::Open;
                self.redial_now(now);
                self.poll.at(now + DIAL_GRACE);
            }
            Rest::Open if was_away => {
                // A timer cannot be trusted to have run while the device slept.
                self.stale = self.is_live();
                self.drop_socket();
                self.redial_now(now);
            }
            Rest::Open if !self.is_dialling() => {
                self.redial_now(now);
                if !self.is_live() {
                    self.poll.at(now + DIAL_GRACE);
                }
            }
            _ => {}
        }
        self.poll.active(now);
    }

    pub(super) fn redial_now(&mut self, now: Tick) {
        if self.rest != Rest::Open || self.is_live() {
            return;
        }
        self.failures = 0;
        if self.socket_allowed {
            self.drop_socket();
            self.dial(now);
        }
        if self.poll.due().is_some() || !self.socket_allowed {
            self.poll.at(now);
        }
    }

    pub(super) fn suspend(&mut self) {
        if matches!(self.rest, Rest::Open | Rest::SignInRequired) {
            self.stop(Rest::Suspended);
        }
    }

    pub(super) fn sign_in_required(&mut self) {
        if matches!(self.rest, Rest::Open | Rest::Suspended) {
            self.reason = Some("sign_in_required".to_owned());
            self.stop(Rest::SignInRequired);
        }
    }

    pub(super) fn stop(&mut self, rest: Rest) {
        self.rest = rest;
        self.drop_socket();
        self.stop_polling();
        self.stale = false;
        self.resync.stop();
        self.foreground = rest != Rest::Suspended;
    }
}
