//! What an app shows: observers whose changes, replayed, must be what is stored.

use std::sync::Arc;

use tidings::{
    domain::{
        ids::ConversationId, message::Message, ports::ChatRepository, rules::conversations,
        timeline::TimelineDiff,
    },
    runtime::observers::{DeliveryObserver, TimelineObserver},
};

use crate::{
    chance::Chance,
    disk::{Disk, Life},
    reached::{Marker, reached},
    turns::says_all,
    world::{State, World},
};

/// A window that holds any conversation of this world.
pub(crate) const WHOLE: usize = 10_000;

/// One screen with one conversation.
pub(crate) struct Screen {
    pub(crate) world: World,
    pub(crate) life: Arc<Life>,
    pub(crate) disk: Arc<Disk>,
    pub(crate) device: usize,
    pub(crate) room: ConversationId,
    pub(crate) window: usize,
    /// A slow reader looks at every change only after a while. Its own dice: several who wait for
    /// the same store wake in no fixed order.
    pub(crate) slow: Option<Chance>,
}

impl Screen {
    /// Follows the observer for as long as the process lives.
    pub(crate) async fn show(mut self, mut observer: TimelineObserver) {
        let mut shown: Vec<Message> = Vec::new();
        while let Ok(changes) = observer.next().await {
            if self.life.is_dead() {
                return;
            }
            for change in changes {
                match &change {
                    TimelineDiff::Reset { .. } => reached(Marker::observer_reset),
                    TimelineDiff::Update { .. } => reached(Marker::observer_update),
                    _ => {}
                }
                if let Err(misfit) = change.apply(&mut shown) {
                    let mut state = self.world.lock();
                    return state
                        .violation("INV-13", format_args!("a change does not fit: {misfit:?}"));
                }
            }
            self.judge(&shown).await;
            if let Some(dice) = &mut self.slow {
                tokio::time::sleep(dice.millis(50, 3_000)).await;
            }
        }
    }

    async fn judge(&self, shown: &[Message]) {
        let (room, store): (_, &dyn ChatRepository) = (self.room.clone(), self.disk.as_ref());
        let stored = store
            .view(move |rows| {
                let id = conversations::resolve(rows, &room)?;
                Ok((rows.page(&id, None, WHOLE, false)?, id))
            })
            .await;
        let Ok((stored, room)) = stored else { return };
        let mut state = self.world.lock();
        let same = if self.window == WHOLE {
            stored == shown
        } else {
            stored.ends_with(shown)
        };
        if !same {
            let (id, lines) = (&room, compare(shown, &stored));
            state.violation(
                "INV-13",
                format_args!("the screen of {id} is not what is stored: {lines}"),
            );
        }
        state.looked(self.device, &room, shown, self.window == WHOLE);
    }
}

fn compare(shown: &[Message], stored: &[Message]) -> String {
    let at = shown.iter().zip(stored).position(|(a, b)| a != b);
    format!(
        "{} shown, {} stored, first difference at {at:?}",
        shown.len(),
        stored.len()
    )
}

impl State {
    /// "INV-04": what was on a screen stays, except a direct send that was withdrawn, and a part of
    /// an answer whose every word the server's row of it shows.
    fn looked(&mut self, device: usize, room: &ConversationId, shown: &[Message], whole: bool) {
        let ledger = &mut self.devices[device];
        if whole {
            let seen = ledger.seen.entry(room.clone()).or_default();
            let missing = seen.values().find(|row| {
                !shown.iter().any(|other| other.id == row.id)
                    && !ledger.tombstones.contains(&row.id)
                    && !ledger.book.veiled.contains(&row.id)
                    && !shown.iter().any(|other| says_it_too(other, row))
                    && !ledger
                        .accepted
                        .iter()
                        .any(|message| message.id == row.id && message.gone)
            });
            if let Some(id) = missing.map(|row| row.id) {
                self.violation(
                    "INV-04",
                    format_args!("{id} was shown on device {device} and is gone"),
                );
            }
        }
        let ledger = &mut self.devices[device];
        let seen = ledger.seen.entry(room.clone()).or_default();
        if whole {
            seen.retain(|id, _| shown.iter().any(|row| row.id == *id));
        }
        seen.extend(shown.iter().map(|row| (row.id, row.clone())));
    }
}

/// Whether a row of the server's shows all that a part of an answer showed: only then may the part
/// go, and the words are still there to be read.
fn says_it_too(row: &Message, part: &Message) -> bool {
    let partial = !part.own && part.server_id.is_none();
    partial && row.server_id.is_some() && says_all(&row.text, &part.text)
}

/// Follows the delivery journal: no hole, no step back in its numbers.
pub(crate) async fn follow(
    world: World,
    life: Arc<Life>,
    device: usize,
    mut observer: DeliveryObserver,
) {
    let mut last = None;
    while let Ok(entry) = observer.next().await {
        if life.is_dead() {
            return;
        }
        let mut state = world.lock();
        if last.is_some_and(|last| entry.sequence != last + 1) {
            let number = entry.sequence;
            state.violation(
                "INV-13",
                format_args!("the journal of device {device} jumps from {last:?} to {number}"),
            );
        }
        last = Some(entry.sequence);
    }
}
