//! A socket: frames by virtual time, in order, until something goes wrong.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tidings::domain::{
    event::{CloseReason, SendReceipt, SessionEvent},
    ids::ConversationId,
    ports::{Outgoing, RealtimeSession},
    retry::{FailureKind, ServiceError},
};
use tokio::time::Instant;

use crate::{
    acts::{Arrival, Asked},
    disk::Life,
    faults::Fault,
    ledger::Told,
    server::{Frame, Profile},
    world::{State, World, spawn},
};

/// The client's end of a socket.
pub(crate) struct FakeSession {
    pub(crate) world: World,
    pub(crate) life: Arc<Life>,
    pub(crate) number: u64,
    pub(crate) device: usize,
    pub(crate) room: ConversationId,
}

impl fmt::Debug for FakeSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FakeSession({})", self.number)
    }
}

#[async_trait]
impl RealtimeSession for FakeSession {
    async fn next_event(&self) -> SessionEvent {
        loop {
            self.life.gate().await;
            let (wait, arrival) = {
                let mut state = self.world.lock();
                let socket = state.server.sockets.get_mut(&self.number).unwrap();
                match socket.inbound.front() {
                    Some((at, _)) if *at <= Instant::now() => {
                        let (_, frame) = socket.inbound.pop_front().unwrap();
                        return state.arrived(self, frame);
                    }
                    Some((at, _)) => (Some(*at), socket.arrival.clone()),
                    None if socket.closed => return SessionEvent::Closed(CloseReason::Local),
                    None => (None, socket.arrival.clone()),
                }
            };
            match wait {
                Some(at) => tokio::time::sleep_until(at).await,
                None => arrival.notified().await,
            }
        }
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<(), ServiceError> {
        self.life.gate().await;
        let leaves = {
            let mut state = self.world.lock();
            let tx = state.transmit(self.device, outgoing, "socket");
            let closed = state.server.sockets[&self.number].closed;
            if closed {
                state.told(self.device, outgoing.id, tx, Told::NotApplied);
                return Err(ServiceError::unreachable("the socket is closed"));
            }
            state
                .plan_frame(self.device, self.number)
                .map(|at| (at, tx))
        };
        if let Some((at, tx)) = leaves {
            let (world, outgoing) = (self.world.clone(), outgoing.clone());
            let (device, number) = (self.device, self.number);
            world.lock().held += 1;
            spawn(async move {
                tokio::time::sleep_until(at).await;
                take_frame(&world, device, number, &outgoing, tx);
            });
        }
        Ok(())
    }

    /// A frame that left says nothing of its arrival.
    async fn stop_answer(&self) -> Result<(), ServiceError> {
        self.life.gate().await;
        let mut state = self.world.lock();
        let id = state.leaves(self.device, &self.room, &Asked::Stop);
        let at = state.plan_frame(self.device, self.number);
        drop(state);
        if let Some(((id, _), at)) = id.zip(at) {
            let (world, room) = (self.world.clone(), self.room.clone());
            let (device, left) = (self.device, Instant::now());
            spawn(async move {
                tokio::time::sleep_until(at).await;
                let arrival = Arrival {
                    device,
                    room,
                    id,
                    left,
                };
                world.lock().act(&arrival, &Asked::Stop)
            });
        }
        Ok(())
    }

    async fn probe(&self) -> Result<(), ServiceError> {
        self.life.gate().await;
        let mut state = self.world.lock();
        let socket = &state.server.sockets[&self.number];
        if !socket.closed && !socket.deaf {
            state.push(
                self.number,
                SessionEvent::Alive.into(),
                Duration::from_millis(40),
            );
        }
        Ok(())
    }

    async fn close(&self) {
        self.life.gate().await;
        let mut state = self.world.lock();
        state.hung_up(self.number);
    }
}

/// The server got a message over a socket.
fn take_frame(world: &World, device: usize, number: u64, outgoing: &Outgoing, tx: usize) {
    let mut state = world.lock();
    state.held -= 1;
    if state.server.sockets[&number].deaf {
        return;
    }
    let Some((place, fresh)) = state.apply(device, outgoing, tx) else {
        return state.refuse_frame(device, number, outgoing, tx);
    };
    let keyed = state.server.profile == Profile::Keyed;
    let receipt = SendReceipt {
        message: keyed.then(|| state.server.tell(&outgoing.conversation, place)),
        answer: None,
    };
    let acknowledged = SessionEvent::Acknowledged {
        client_id: keyed.then_some(outgoing.id),
        receipt,
    };
    let delay = state.net.millis(1, 30);
    if state.occurs(Fault::DropAnswer) {
        state.note(format_args!("the confirmation of {} is lost", outgoing.id));
    } else {
        state.push(number, acknowledged.into(), delay);
    }
    if fresh {
        state.after_apply(world, &outgoing.conversation, place);
    }
}

impl State {
    /// A message over a socket for a conversation that takes none: an error frame says so.
    fn refuse_frame(&mut self, device: usize, number: u64, outgoing: &Outgoing, tx: usize) {
        self.note(format_args!("{} is refused by a frame", outgoing.id));
        let refusal = SessionEvent::Failed {
            code: Some("CONVERSATION_NOT_ACTIVE".to_owned()),
            refused: Some(FailureKind::NotActive),
            text: "the conversation is completed".to_owned(),
        };
        self.told(device, outgoing.id, tx, Told::NotApplied);
        let delay = self.net.millis(1, 30);
        self.push(number, refusal.into(), delay);
    }

    /// When a frame that leaves now is at the server; `None` where it never is.
    fn plan_frame(&mut self, device: usize, number: u64) -> Option<Instant> {
        let mut delay = self.net.millis(5, 80);
        let online = self.devices[device].online;
        if self.server.sockets[&number].deaf || !online || self.occurs(Fault::DropRequest) {
            self.note(format_args!("socket {number}: the frame is lost"));
            return None;
        }
        if self.occurs(Fault::LateApply) {
            delay = self.late();
            self.note(format_args!(
                "socket {number}: the frame is late by {delay:?}"
            ));
        } else if self.occurs(Fault::Delay) {
            delay = self.net.millis(500, 9_000);
        }
        let socket = self.server.sockets.get_mut(&number).unwrap();
        socket.last_out = socket.last_out.max(Instant::now() + delay);
        Some(socket.last_out)
    }

    /// Puts a frame on its way to the client.
    pub(crate) fn push(&mut self, number: u64, frame: Frame, delay: Duration) {
        let socket = &self.server.sockets[&number];
        if socket.closed || socket.mute || !self.devices[socket.device].online {
            return;
        }
        let keyed = self.server.profile == Profile::Keyed;
        let vital = matches!(
            frame.event,
            SessionEvent::Ready | SessionEvent::Alive | SessionEvent::Closed(_)
        );
        let mut frames = vec![frame];
        if !vital {
            if self.occurs(Fault::DropFrame) {
                self.note(format_args!("socket {number}: lost {:?}", frames[0].event));
                frames.clear();
            } else if self.occurs(Fault::Undecodable) {
                self.note(format_args!(
                    "socket {number}: garbled {:?}",
                    frames[0].event
                ));
                frames = vec![SessionEvent::Undecodable.into()];
            } else if keyed && self.occurs(Fault::Duplicate) {
                frames.push(frames[0].clone());
            }
        }
        let extra = if !vital && self.occurs(Fault::Delay) {
            self.net.millis(200, 4_000)
        } else {
            Duration::ZERO
        };
        let swap = keyed && !vital && self.occurs(Fault::Reorder);
        let socket = self.server.sockets.get_mut(&number).unwrap();
        socket.last_in = socket.last_in.max(Instant::now() + delay + extra);
        for frame in frames {
            let at = socket.last_in;
            socket.inbound.push_back((at, frame));
        }
        let last = socket.inbound.len();
        if swap && last >= 2 {
            let (a, b) = (last - 2, last - 1);
            let movable = |frame: &Frame| {
                matches!(
                    frame.event,
                    SessionEvent::Message(_) | SessionEvent::Acknowledged { .. }
                )
            };
            if movable(&socket.inbound[a].1) && movable(&socket.inbound[b].1) {
                let first = socket.inbound[a].1.clone();
                socket.inbound[a].1 = socket.inbound[b].1.clone();
                socket.inbound[b].1 = first;
            }
        }
        socket.arrival.notify_one();
    }

    /// A frame is handed to the client.
    fn arrived(&mut self, session: &FakeSession, frame: Frame) -> SessionEvent {
        self.note(format_args!(
            "socket {} brings {:?}",
            session.number, frame.event
        ));
        self.server.sockets.get_mut(&session.number).unwrap().heard = Instant::now();
        if let Some(piece) = frame.piece {
            self.note(format_args!("it says {piece}"));
            let ledger = &mut self.devices[session.device];
            ledger
                .pieces
                .entry(session.room.clone())
                .or_default()
                .push(piece);
        }
        if let SessionEvent::Acknowledged {
            client_id: Some(id),
            ..
        } = &frame.event
        {
            self.told_last(session.device, *id, Told::Applied);
        }
        if matches!(frame.event, SessionEvent::Closed(_)) {
            self.server.sockets.get_mut(&session.number).unwrap().closed = true;
        }
        frame.event
    }

    /// The client closed its end.
    pub(crate) fn hung_up(&mut self, number: u64) {
        let socket = self.server.sockets.get_mut(&number).unwrap();
        if !socket.closed {
            if socket.frozen {
                crate::reached::reached(crate::reached::Marker::deaf_socket_replaced);
            }
            socket.closed = true;
            socket.inbound.clear();
            socket.arrival.notify_one();
            self.note(format_args!("socket {number} hung up"));
        }
    }

    /// The server, or something between, ends a socket.
    pub(crate) fn cut(&mut self, number: u64, reason: CloseReason) {
        self.note(format_args!("socket {number} is cut: {reason:?}"));
        let socket = self.server.sockets.get_mut(&number).unwrap();
        let last = socket.last_in.max(Instant::now());
        socket
            .inbound
            .push_back((last, SessionEvent::Closed(reason).into()));
        socket.mute = true;
        socket.deaf = true;
        socket.arrival.notify_one();
    }
}
