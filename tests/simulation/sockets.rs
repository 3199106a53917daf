//! Sockets at the server's end: how they open, and what is in store for them.

use std::sync::Arc;

use tidings::domain::{event::CloseReason, ids::ConversationId};
use tokio::time::{Instant, sleep};

use crate::{
    faults::Fault,
    server::Socket,
    world::{State, World, spawn},
};

impl State {
    pub(crate) fn open_socket(&mut self, device: usize, life: u64, room: &ConversationId) -> u64 {
        self.server.next_socket += 1;
        let number = self.server.next_socket;
        let now = Instant::now();
        self.server.sockets.insert(
            number,
            Socket {
                device,
                life,
                room: room.clone(),
                deaf: false,
                mute: false,
                closed: false,
                frozen: false,
                inbound: std::collections::VecDeque::new(),
                arrival: Arc::default(),
                heard: now,
                last_in: now,
                last_out: now,
            },
        );
        self.note(format_args!(
            "device {device} opened socket {number} on {room}"
        ));
        number
    }

    /// Decides at once what will happen to a socket, so that its life is one draw.
    pub(crate) fn threaten(&mut self, world: &World, number: u64) {
        let at = self.net.millis(200, 25_000);
        let threat = [Fault::Close, Fault::Freeze, Fault::HalfOpen]
            .into_iter()
            .find(|fault| {
                let rate = self.faults.rate(*fault) * 10;
                self.net.per_mille(rate)
            });
        let Some(threat) = threat else { return };
        let code = self.net.pick(&[1000, 1001, 1006, 1011, 1012, 1013, 4000]);
        let outward = self.net.per_mille(500);
        let world = world.clone();
        spawn(async move {
            sleep(at).await;
            let mut state = world.lock();
            if state.healed || state.server.sockets[&number].closed {
                return;
            }
            if threat == Fault::Close {
                let reason = if code == 1006 {
                    CloseReason::Broken
                } else {
                    CloseReason::Code(code)
                };
                return state.cut(number, reason);
            }
            state.silence(
                &world,
                number,
                threat == Fault::Freeze || !outward,
                threat == Fault::Freeze || outward,
            );
        });
    }
}
