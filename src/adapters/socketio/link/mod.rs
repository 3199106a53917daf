//! One connection of Socket.IO, shared by everybody who uses it.
//!
//! No task of its own drives it: whoever waits for something drives it for all. The one who holds
//! the pump reads, hands out what came, and lets go; the others wait for their share or for the
//! pump. So a connection nobody looks at stands still, and ends with the server's patience.

mod pump;
mod state;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::{Either, select};
use serde_json::Value;
use tokio::sync::{Mutex as Turn, Notify, oneshot};

use super::{
    client::Recovery,
    config::Profile,
    engineio::{Moment, Packet as Engine},
    packet::{self, AckId, Arguments, Packet},
    transport::{Opened, Writer, never, too_large},
};
use crate::domain::{
    event::{CloseReason, SessionEvent},
    ids::ConversationId,
    ports::Platform,
    retry::{FailureKind, ServiceError},
};
use pump::Pump;
pub(super) use state::{Admission, Routed, Router};
use state::{State, Verdict};

/// Names one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seat(u64);

/// One connection.
pub(super) struct Link {
    pump: Turn<Pump>,
    writer: Turn<Writer>,
    state: Mutex<State>,
    changed: Notify,
    platform: Arc<dyn Platform>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("over", &self.is_over())
            .finish_non_exhaustive()
    }
}

impl Link {
    /// Takes over a session of the transport that was just opened.
    pub(super) fn new(
        opened: Opened,
        profile: Arc<Profile>,
        router: Arc<dyn Router>,
        recovery: Option<Recovery>,
        platform: Arc<dyn Platform>,
    ) -> Self {
        let now = moment(platform.as_ref());
        let patience = opened.handshake.patience();
        Self {
            pump: Turn::new(Pump::new(opened.reader)),
            writer: Turn::new(opened.writer),
            state: Mutex::new(State::new(profile, router, recovery, patience, now)),
            changed: Notify::new(),
            platform,
        }
    }

    /// Asks to be let in, and waits for the answer.
    ///
    /// # Errors
    /// Where no answer came in time, or the connection broke.
    pub(super) async fn enter(
        &self,
        auth: serde_json::Map<String, Value>,
        within: Duration,
    ) -> Result<Admission, ServiceError> {
        let knock = self.state().knock(auth);
        self.put(&knock).await?;
        let answer = self.until(|state| state.admission());
        let answer = tokio::time::timeout(within, answer).await;
        answer.unwrap_or_else(|_| Err(never("the server let nobody in within its time")))
    }

    /// Takes a seat: from now on the events of this conversation are kept for it.
    pub(super) fn sit(&self, conversation: &ConversationId) -> Seat {
        Seat(self.state().sit(conversation.clone()))
    }

    /// Tells those who look at a conversation something that came with an answer.
    pub(super) fn tell(&self, conversation: &ConversationId, event: SessionEvent) {
        self.state().tell(conversation.clone(), event);
        self.changed.notify_waiters();
    }

    /// Leaves a seat; how many are taken still.
    pub(super) fn stand(&self, seat: Seat) -> usize {
        self.state().stand(seat.0)
    }

    /// The seat's next event; after the end always the end.
    ///
    /// # Cancel safety
    /// No event is lost.
    pub(super) async fn next(&self, seat: Seat) -> SessionEvent {
        let next = self.until(move |state| state.next(seat.0).map(Ok)).await;
        next.unwrap_or(SessionEvent::Closed(CloseReason::Broken))
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// The server's refusal; Unknown where none came in time, or the connection broke meanwhile;
    /// not applied where the question never left.
    pub(super) async fn ask(
        &self,
        event: &str,
        data: Value,
        within: Duration,
    ) -> Result<Arguments, ServiceError> {
        self.check()?;
        let (packet, ack, answer) = self.state().question(event, data)?;
        let _pending = Pending { link: self, ack };
        self.put(&packet).await?;
        let answered = self.attend(answer);
        match tokio::time::timeout(within, answered).await {
            Ok(Verdict::Answered(arguments)) => Ok(arguments),
            Ok(Verdict::Refused(refused)) => Err(refused),
            Ok(Verdict::Lost) => Err(ServiceError::unknown(
                FailureKind::Interrupted,
                "the connection broke before the answer came",
            )),
            Err(_) => Err(ServiceError::unknown(
                FailureKind::TimedOut,
                "no answer came in time",
            )),
        }
    }

    /// Says something that matters only now: left out where it cannot leave at once.
    pub(super) async fn whisper(&self, event: &str, data: Value) -> Result<(), ServiceError> {
        self.check()?;
        let packets = frames(&self.state().event(event, data)?)?;
        match self.writer.try_lock() {
            Ok(mut writer) => self.write(&mut writer, packets).await,
            Err(_) => Ok(()),
        }
    }

    /// Asks the peer's transport for a sign of life; whether it can be asked.
    pub(super) async fn ping(&self) -> Result<bool, ServiceError> {
        self.check()?;
        let mut writer = self.writer.lock().await;
        let asked = writer.ping().await;
        self.judge(&writer);
        asked
    }

    /// Leaves, hangs up, and tells everybody who still waits.
    pub(super) async fn close(&self, within: Duration) {
        let goodbye = self.state().goodbye();
        let parting = async {
            let mut writer = self.writer.lock().await;
            if let Some(packets) = goodbye.and_then(|packet| frames(&packet).ok()) {
                let _ = self.write(&mut writer, packets).await;
            }
            writer.close().await;
        };
        let _ = tokio::time::timeout(within, parting).await;
        self.end(CloseReason::Local);
    }

    /// Whether nothing comes from it any more.
    pub(super) fn is_over(&self) -> bool {
        self.state().is_over()
    }

    /// Whether it is in use: let in, alive, and somebody there who drives it.
    pub(super) fn is_live(&self) -> bool {
        self.check().is_ok() && self.state().is_attended()
    }

    /// What the next connection may go on from.
    pub(super) fn recovery(&self) -> Option<Recovery> {
        self.state().recovery()
    }

    /// Whether the server put us out on purpose.
    pub(super) fn was_evicted(&self) -> bool {
        self.state().was_evicted()
    }

    /// Ends the connection for everybody.
    fn end(&self, reason: CloseReason) {
        self.state().end(reason);
        self.changed.notify_waiters();
    }

    /// A connection whose server is silent beyond its patience is not written to: the bytes would
    /// vanish, and nobody would know whether they arrived.
    fn check(&self) -> Result<(), ServiceError> {
        let now = moment(self.platform.as_ref());
        let gone = self.state().is_gone(now);
        if gone {
            self.end(CloseReason::Broken);
        }
        match self.is_over() {
            true => Err(never("the connection is over")),
            false => Ok(()),
        }
    }

    async fn put(&self, packet: &Packet) -> Result<(), ServiceError> {
        let packets = frames(packet)?;
        let mut writer = self.writer.lock().await;
        self.write(&mut writer, packets).await
    }

    async fn write(&self, writer: &mut Writer, packets: Vec<Engine>) -> Result<(), ServiceError> {
        // An earlier write that was given up half-way leaves the session in doubt.
        self.judge(writer);
        self.check()?;
        let written = writer.write(packets).await;
        self.judge(writer);
        written
    }

    fn judge(&self, writer: &Writer) {
        if writer.is_suspect() {
            self.end(CloseReason::Broken);
        }
    }

    /// Drives the connection until the state holds what is looked for.
    async fn until<T>(
        &self,
        mut look: impl FnMut(&mut State) -> Option<Result<T, ServiceError>>,
    ) -> Result<T, ServiceError> {
        loop {
            let mut changed = Box::pin(self.changed.notified());
            // From here on a change is noticed, whether or not it was waited for yet.
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.state()) {
                return found;
            }
            select(changed, Box::pin(self.drive())).await;
        }
    }

    /// Drives the connection until the answer is there.
    async fn attend(&self, answer: oneshot::Receiver<Verdict>) -> Verdict {
        let mut answer = answer;
        loop {
            match select(&mut answer, Box::pin(self.drive())).await {
                Either::Left((verdict, _)) => return verdict.unwrap_or(Verdict::Lost),
                Either::Right(_) => {}
            }
        }
    }

    /// One step of the pump, by whoever gets hold of it.
    async fn drive(&self) {
        let mut pump = self.pump.lock().await;
        pump.step(self).await;
        drop(pump);
        self.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self) -> Moment {
        moment(self.platform.as_ref())
    }
}

/// A question that is given up is not waited for any more.
struct Pending<'a> {
    link: &'a Link,
    ack: AckId,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.link.state().forget(self.ack);
    }
}

fn moment(platform: &dyn Platform) -> Moment {
    Moment {
        tick: platform.tick(),
        wall: platform.wall(),
    }
}

fn frames(packet: &Packet) -> Result<Vec<Engine>, ServiceError> {
    let frames = packet::write(packet).map_err(|_| too_large())?;
    Ok(frames.into_iter().map(Engine::Message).collect())
}

#[cfg(test)]
mod tests;
