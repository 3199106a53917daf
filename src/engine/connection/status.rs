//! What the app sees of a connection: derived, never kept twice.

use super::{Connection, Output, Rest, Socket, Status};
use crate::domain::connection::{ConnectionState, Transport};

impl Connection {
    pub(super) fn show(&mut self) {
        let status = self.current();
        if status != self.shown {
            self.shown = status.clone();
            self.outputs.push_back(Output::Status(status));
        }
    }

    fn current(&self) -> Status {
        let retry_at = match self.socket {
            Socket::Waiting { until } => Some(until),
            _ => None,
        };
        let reason = self.reason.clone();
        let status = |state, transport| Status {
            state,
            transport,
            retry_at,
            reason,
        };
        match (self.rest, self.socket) {
            (Rest::Idle, _) => Status::default(),
            (Rest::Suspended, _) => status(ConnectionState::Suspended, Transport::None),
            (Rest::SignInRequired, _) => status(ConnectionState::SignInRequired, Transport::None),
            (Rest::Closed, _) => status(ConnectionState::Closed, Transport::None),
            (Rest::Open, Socket::Live { .. }) => Status {
                state: ConnectionState::Live,
                transport: Transport::WebSocket,
                ..Status::default()
            },
            (Rest::Open, _) => self.not_live(status),
        }
    }

    fn not_live(&self, status: impl FnOnce(ConnectionState, Transport) -> Status) -> Status {
        match self.poll.succeeds() {
            Some(true) if self.stale => status(ConnectionState::Stale, Transport::Polling),
            Some(true) => status(ConnectionState::Polling, Transport::Polling),
            _ if self.stale => status(ConnectionState::Stale, Transport::None),
            _ if self.offline => status(ConnectionState::Offline, Transport::None),
            None if self.is_dialling() && self.failures == 0 => {
                status(ConnectionState::Connecting, Transport::None)
            }
            None if !self.socket_allowed => status(ConnectionState::Connecting, Transport::None),
            _ => status(ConnectionState::Backoff, Transport::None),
        }
    }
}
