//! The reading side of a connection: one step at a time, by whoever holds it.

use std::{collections::VecDeque, time::Duration};

use futures_util::future::{Either, select};

use super::Link;
use crate::{
    adapters::socketio::{
        engineio::Packet as Engine,
        transport::{Came, Reader, SocketReader, SocketWriter, Writer},
    },
    domain::event::CloseReason,
};

/// Reads, and owes the server what it asked for.
pub(super) struct Pump {
    reader: Reader,
    owed: VecDeque<Engine>,
    moving: Option<Box<(SocketReader, SocketWriter)>>,
}

impl Pump {
    pub(super) const fn new(reader: Reader) -> Self {
        Self {
            reader,
            owed: VecDeque::new(),
            moving: None,
        }
    }

    /// Pays what is owed, then takes what comes next, or notices that nothing will.
    ///
    /// # Cancel safety
    /// What was read is handed out before the next await; what is owed stays owed.
    pub(super) async fn step(&mut self, link: &Link) {
        if link.is_over() {
            // Nothing will come; who waits is told by the state.
            return;
        }
        self.change_over(link).await;
        self.pay(link).await;
        let patience = link.state().patience(link.moment());
        match self.come(patience).await {
            Some(Ok(Came::Packet(packet))) => {
                let now = link.moment();
                let owed = link.state().take(packet, now);
                self.owed.extend(owed);
            }
            Some(Ok(Came::Alive)) => link.state().alive(),
            Some(Ok(Came::Moves(halves))) => self.moving = Some(halves),
            Some(Err(reason)) => link.end(reason),
            None => link.end(CloseReason::Broken),
        }
    }

    /// `None` where the server was silent beyond its patience.
    async fn come(&mut self, patience: Duration) -> Option<Result<Came, CloseReason>> {
        let silence = Box::pin(tokio::time::sleep(patience));
        match select(Box::pin(self.reader.next()), silence).await {
            Either::Left((came, _)) => Some(came),
            Either::Right(_) => None,
        }
    }

    async fn pay(&mut self, link: &Link) {
        while let Some(packet) = self.owed.front().cloned() {
            let mut writer = link.writer.lock().await;
            if link.write(&mut writer, vec![packet]).await.is_err() {
                return;
            }
            self.owed.pop_front();
        }
    }

    /// No poll is under way; no post is, once the writer is ours.
    async fn change_over(&mut self, link: &Link) {
        if self.moving.is_none() {
            return;
        }
        let mut writer = link.writer.lock().await;
        let Some(halves) = self.moving.take() else {
            return;
        };
        let (incoming, outgoing) = *halves;
        self.reader = Reader::Socket(incoming);
        *writer = Writer::Socket(outgoing);
        let _ = link.write(&mut writer, vec![Engine::Upgrade]).await;
    }
}
