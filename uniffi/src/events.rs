//! Passing events, in batches at the reader's pace.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use tidings::{domain::event as core, runtime::EventStream};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    client::Lifetime, error::ChatError, records::event::ClientEvent, runtime::read,
    timeline::Reader,
};

/// Events in one batch at most.
const BATCH: usize = 64;

/// Pieces of an answer cross at most twenty times a second: more than that nobody sees.
const PIECES: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct State {
    stream: EventStream,
    /// Taken from the stream and not handed out yet: a dropped wait loses nothing.
    taken: Vec<core::ClientEvent>,
    pieces_at: Option<Instant>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    reader: Reader,
}

impl State {
    async fn batch(&mut self) -> Option<Vec<ClientEvent>> {
        if self.taken.is_empty() {
            let first = self.stream.next().await?;
            self.take(first);
        }
        if let (true, Some(last)) = (is_piece(&self.taken), self.pieces_at) {
            tokio::time::sleep_until(last + PIECES).await;
        }
        while self.taken.len() < BATCH {
            let Some(Some(event)) = self.stream.next().now_or_never() else {
                break;
            };
            self.take(event);
        }
        if self.taken.iter().any(is_delta) {
            self.pieces_at = Some(Instant::now());
        }
        let batch = std::mem::take(&mut self.taken);
        Some(batch.into_iter().map(ClientEvent::from).collect())
    }

    /// Keeps an event; a piece that goes on where the last one ended is joined to it.
    fn take(&mut self, event: core::ClientEvent) {
        if let Some(last) = self.taken.last_mut()
            && join(last, &event)
        {
            return;
        }
        self.taken.push(event);
    }
}

const fn is_delta(event: &core::ClientEvent) -> bool {
    use core::{ClientEvent::Stream, StreamPhase::Delta};
    matches!(event, Stream { phase: Delta, .. })
}

fn is_piece(taken: &[core::ClientEvent]) -> bool {
    taken.first().is_some_and(is_delta)
}

fn join(last: &mut core::ClientEvent, next: &core::ClientEvent) -> bool {
    use core::{ClientEvent::Stream, StreamPhase::Delta};
    match (last, next) {
        (
            Stream {
                id: one,
                phase: Delta,
                offset,
                text,
                ..
            },
            Stream {
                id: other,
                phase: Delta,
                offset: at,
                text: more,
                ..
            },
        ) if one == other && *offset + text.len() == *at => {
            text.push_str(more);
            true
        }
        _ => false,
    }
}

/// Passing events, from the moment it was made.
///
/// Bounded: a reader that falls far behind gets a `Discontinuity` with the number it missed; what
/// must not be missed is in the store. One reader at a time; a second one waits for the first.
#[derive(Debug, uniffi::Object)]
pub struct EventFeed(Arc<Inner>);

impl EventFeed {
    pub(crate) fn new(stream: EventStream, lifetime: Arc<Lifetime>) -> Self {
        let state = State {
            stream,
            taken: Vec::new(),
            pieces_at: None,
        };
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            reader: Reader::new(lifetime),
        }))
    }
}

#[uniffi::export]
impl EventFeed {
    /// The next events, never empty, in order; `None` at the end.
    ///
    /// May be dropped and called again; nothing is lost.
    pub async fn next(&self) -> Result<Option<Vec<ClientEvent>>, ChatError> {
        let inner = Arc::clone(&self.0);
        let batch = async move {
            let next = async { Ok(inner.state.lock().await.batch().await) };
            inner.reader.until_end(next).await
        };
        read(None, batch).await
    }

    /// Ends the reading, now and for good.
    pub fn stop(&self) {
        self.0.reader.stop();
    }
}
