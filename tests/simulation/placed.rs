//! What a commit says of the server's history: its order, its ends, and the answers in it.

use std::collections::BTreeMap;

use tidings::domain::{
    conversation::Conversation,
    ids::ClientMessageId,
    message::{Completeness, Message},
};

use crate::{
    commits::{Verdict, broken},
    faults::Fault,
    reached::{Marker, reached},
    server::{Profile, offset},
    turns::{answer_of, named, says_all},
    world::State,
};

impl State {
    /// "INV-07": server rows in the server's order, then what waits in accept order; a row moves
    /// at most once.
    pub(crate) fn order(
        &self,
        device: usize,
        conversation: &Conversation,
        rows: &[Message],
    ) -> Verdict {
        if let Some(pair) = rows.windows(2).find(|pair| pair[0].key >= pair[1].key) {
            return broken(
                "INV-07",
                format!("{} and {} share a place", pair[0].id, pair[1].id),
            );
        }
        let room = self.server.room(&conversation.id);
        let mut last = None;
        for (at, row) in rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.key.is_server())
        {
            if stays_behind_its_question(&rows[..at], row) {
                continue;
            }
            let Some(place) = row.server_id.as_ref().and_then(|id| room.place(id)) else {
                return broken(
                    "INV-07",
                    format!("{} stands among server rows and is none", row.id),
                );
            };
            if last.is_some_and(|before| before >= place) {
                return broken(
                    "INV-07",
                    format!("{} (row {place}) stands behind row {last:?}", row.id),
                );
            }
            last = Some(place);
        }
        let ledger = &self.devices[device];
        let place = |row: &Message| {
            ledger
                .accepted
                .iter()
                .position(|message| message.id == row.id)
        };
        let waiting: Vec<_> = rows
            .iter()
            .filter(|row| !row.key.is_server())
            .filter_map(place)
            .collect();
        if waiting.windows(2).any(|pair| pair[0] > pair[1]) {
            return broken(
                "INV-07",
                "waiting messages are not in accept order".to_owned(),
            );
        }
        for row in rows {
            let Some(before) = ledger.places.get(&row.id) else {
                continue;
            };
            if before.is_server() && !row.key.is_server() {
                return broken("INV-07", format!("{} lost its place", row.id));
            }
            if !before.is_server() && !row.key.is_server() && *before != row.key {
                return broken(
                    "INV-07",
                    format!("{} moved before it was confirmed", row.id),
                );
            }
        }
        Ok(())
    }

    /// "INV-10": all that lies between the stored ends of the history is stored.
    pub(crate) fn cursor(&self, conversation: &Conversation, rows: &[Message]) -> Verdict {
        let Some(newest) = conversation.sync.newest.as_ref().map(offset) else {
            return Ok(());
        };
        let oldest = conversation.sync.oldest.as_ref().map_or(0, offset);
        let stored: BTreeMap<_, _> = rows
            .iter()
            .filter_map(|row| Some((row.server_id.as_ref()?, row)))
            .collect();
        let room = self.server.room(&conversation.id);
        let keyed = self.server.profile == Profile::Keyed;
        // "INV-09": a row that is missing between two stored ones lies in a gap that is marked.
        let mut marked = false;
        let placed = |said: &crate::server::Row| {
            let row = stored.get(&said.id)?;
            row.key.is_server().then_some(row)
        };
        let first = room.rows.iter().position(|said| placed(said).is_some());
        let last = room.rows.iter().rposition(|said| placed(said).is_some());
        for (place, said) in room.rows.iter().enumerate().skip(oldest) {
            if let Some(row) = placed(said) {
                marked = row.gap.is_some();
            } else if !stored.contains_key(&said.id) && marked {
                reached(Marker::gap_marked);
                continue;
            } else if !stored.contains_key(&said.id)
                && keyed
                && last > Some(place)
                && first.is_some_and(|first| first < place)
            {
                let id = &conversation.id;
                return broken(
                    "INV-09",
                    format!("row {place} of {id} is missing, and nothing marks it"),
                );
            }
            let covered = if keyed {
                said.change <= newest as u64
            } else {
                place < newest
            };
            if !covered {
                continue;
            }
            match stored.get(&said.id) {
                None => {
                    return broken(
                        "INV-10",
                        format!(
                            "the cursor {newest} of {} is beyond row {place}, which is not stored",
                            conversation.id
                        ),
                    );
                }
                Some(row) if !row.deleted && row.revision < said.revision => {
                    return broken(
                        "INV-10",
                        format!(
                            "the cursor {newest} is beyond revision {} of row {place}",
                            said.revision
                        ),
                    );
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// "INV-18": one answer under way, its text is what arrived, in order; one row for one answer.
    pub(crate) fn answers(
        &self,
        device: usize,
        conversation: &Conversation,
        rows: &[Message],
    ) -> Verdict {
        let streaming = rows
            .iter()
            .filter(|row| row.completeness == Completeness::Streaming && row.server_id.is_none());
        let ours: Vec<_> = streaming.collect();
        answers_what_is_above(rows)?;
        if ours.len() > 1 {
            return broken(
                "INV-18",
                format!("{} and {} are under way at once", ours[0].id, ours[1].id),
            );
        }
        let none = Vec::new();
        let arrived = self.devices[device]
            .pieces
            .get(&conversation.id)
            .unwrap_or(&none);
        let mut homes: BTreeMap<&str, &Message> = BTreeMap::new();
        let told: Vec<_> = rows.iter().filter(|row| row.server_id.is_some()).collect();
        // What a killed process had not stored yet is missing in the middle.
        let restarted = self.devices[device].life > 1;
        let whole = !restarted;
        // How long ago a process that is gone heard the answer, only the wall clock could tell.
        let timeless = restarted && self.faults.was_on(Fault::WallJump);
        let text = arrived.concat();
        for row in rows
            .iter()
            .filter(|row| !row.own && row.server_id.is_none())
        {
            if whole && !text.contains(&row.text) {
                return broken(
                    "INV-18",
                    format!("{} says {:?}, which did not arrive so", row.id, row.text),
                );
            }
            if let Some(whole) = told.iter().find(|told| says_all(&told.text, &row.text)) {
                return broken(
                    "INV-18",
                    format!("{} repeats the answer {}", row.id, whole.id),
                );
            }
            for answer in named(&row.text).map(answer_of) {
                let home = homes.entry(answer).or_insert(row);
                // Pieces name no question: behind a later question they are taken for its answer.
                let asked_between = row.answers != home.answers;
                // After a restart only what is stored tells whether another question followed.
                let followed = restarted && self.asked_between(device, rows, home.id, row.id);
                if home.id != row.id && !asked_between && !timeless && !followed {
                    return broken(
                        "INV-18",
                        format!("answer {answer} is split over {} and {}", home.id, row.id),
                    );
                }
            }
        }
        Ok(())
    }
}

/// What is said to answer a message stands behind it, as far as the server's order is known.
fn answers_what_is_above(rows: &[Message]) -> Verdict {
    let mut placed = rows.iter().filter(|row| row.server_id.is_some());
    let mistaken = placed.find(|row| {
        let asked = rows.iter().find(|asked| Some(asked.id) == row.answers);
        row.key.is_server()
            && asked.is_some_and(|asked| asked.key.is_server() && asked.key > row.key)
    });
    match mistaken {
        Some(row) => broken("INV-18", format!("{} answers what stands below it", row.id)),
        None => Ok(()),
    }
}

impl State {
    /// Whether a message accepted on the device between those two rows is on the server.
    fn asked_between(
        &self,
        device: usize,
        rows: &[Message],
        one: ClientMessageId,
        other: ClientMessageId,
    ) -> bool {
        let (first, last) = (one.min(other), one.max(other));
        let accepted = &self.devices[device].accepted;
        rows.iter()
            .filter(|row| row.id > first && row.id < last && row.state.is_on_server())
            .any(|row| accepted.iter().any(|message| message.id == row.id))
    }
}

/// An answer that the server gave up, in the turn of its question.
fn stays_behind_its_question(before: &[Message], row: &Message) -> bool {
    let asked = before.iter().rev().find(|row| row.own);
    row.server_id.is_none() && !row.own && row.answers == asked.map(|asked| asked.id)
}
