//! Actions in any order, with any outcome: what shows is the user's last word, nothing vanishes,
//! and in the end device and server agree.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    message::Overlay,
    outbox::{Action, OutboxEntry},
    rules::{
        act::{self, Errand},
        intents,
        queue::Stamp,
        settle::Performed,
    },
};

/// What the user, the server and the network do.
#[derive(Clone, Debug)]
enum Step {
    Edit(u8),
    Delete,
    Archive(bool),
    Complete,
    /// The server's history is read.
    Page,
    /// Another device edits.
    Elsewhere(u8),
    /// A head is attempted, and ends like that.
    Attempt(u8, End),
    Cancel(u8),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Done,
    /// Applied, and nobody learns it.
    LostAfter,
    LostBefore,
    NotApplied,
    Refused,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Done),
        Just(End::LostAfter),
        Just(End::LostBefore),
        Just(End::NotApplied),
        Just(End::Refused),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<u8>().prop_map(Step::Edit),
        1 => Just(Step::Delete),
        2 => any::<bool>().prop_map(Step::Archive),
        1 => Just(Step::Complete),
        2 => Just(Step::Page),
        1 => any::<u8>().prop_map(Step::Elsewhere),
        5 => (any::<u8>(), end()).prop_map(|(at, end)| Step::Attempt(at, end)),
        1 => any::<u8>().prop_map(Step::Cancel),
    ]
}

/// A desk with one message that the server has, and that server.
struct World {
    desk: Desk,
    message: ClientMessageId,
    row: ServerMessage,
    /// The row as the device last heard of it.
    known: ServerMessage,
    keys: u32,
    accepted: BTreeSet<ClientMessageId>,
}

impl World {
    fn new() -> Self {
        let mut desk = Desk::new();
        let row = mine("m1", "0");
        desk.read(std::slice::from_ref(&row));
        let message = desk.rows()[0].id;
        Self {
            desk,
            message,
            known: row.clone(),
            row,
            keys: 0,
            accepted: BTreeSet::new(),
        }
    }

    fn stamp(&mut self) -> Stamp {
        self.keys += 1;
        Stamp {
            id: key(self.keys),
            now: NOW,
            expires_at: NOW + Duration::from_secs(60),
        }
    }

    fn outbox(&self) -> Vec<OutboxEntry> {
        self.desk.write(|rows| rows.outbox(None))
    }

    fn take(&mut self, step: Step) {
        let (message, stamp) = (self.message, self.stamp());
        match step {
            Step::Edit(n) => {
                let text = n.to_string();
                self.desk
                    .write(move |rows| intents::edit(rows, message, text, true, stamp));
            }
            Step::Delete => {
                self.desk
                    .write(move |rows| intents::delete(rows, message, true, stamp));
            }
            Step::Archive(archived) => {
                self.desk
                    .write(move |rows| intents::archive(rows, &chat(), archived, true, stamp));
            }
            Step::Complete => {
                self.desk
                    .write(move |rows| intents::complete(rows, &chat(), stamp));
            }
            Step::Page => {
                self.known = self.row.clone();
                self.desk.read(std::slice::from_ref(&self.row));
            }
            Step::Elsewhere(n) if !self.row.deleted => {
                self.row.text = n.to_string();
                self.row.revision += 1;
            }
            Step::Elsewhere(_) => {}
            Step::Attempt(at, end) => self.attempt(usize::from(at), end),
            Step::Cancel(at) => {
                let waiting = self.outbox();
                if let Some(entry) = waiting.get(usize::from(at) % waiting.len().max(1)) {
                    let id = entry.id;
                    self.desk.write(move |rows| act::cancel(rows, id, NOW));
                }
            }
        }
        self.accepted
            .extend(self.outbox().iter().map(|entry| entry.id));
    }

    fn attempt(&mut self, at: usize, end: End) {
        let heads = self.desk.write(|rows| rows.outbox_heads());
        let Some(head) = heads.get(at % heads.len().max(1)) else {
            return;
        };
        let id = head.id;
        let left = self
            .desk
            .write(move |rows| act::record_attempt(rows, id, None, NOW));
        let Some(Errand::Ask { entry, .. }) = left else {
            return;
        };
        let settlement = match end {
            End::Done => match self.apply(&entry.action) {
                Some(done) => {
                    if entry.action.changes().is_some() {
                        self.known = self.row.clone();
                    }
                    Settlement::Done(done)
                }
                None => Settlement::Rejected(because()),
            },
            End::LostAfter => {
                self.apply(&entry.action);
                lost()
            }
            End::LostBefore => lost(),
            End::NotApplied => not_applied(),
            End::Refused => Settlement::Rejected(because()),
        };
        self.desk.settle(id, settlement);
    }

    /// What a good server does; `None` where it must refuse.
    fn apply(&mut self, action: &Action) -> Option<Performed> {
        match action {
            Action::Edit { text, .. } if !self.row.deleted => {
                self.row.text.clone_from(text);
                self.row.revision += 1;
                return Some(Performed::Edited(Box::new(self.row.clone())));
            }
            Action::Edit { .. } => return None,
            Action::Delete { .. } => {
                self.row.deleted = true;
                self.row.text.clear();
                self.row.revision += 1;
            }
            _ => {}
        }
        Some(Performed::Plain)
    }

    /// The last change that waits is what shows, and nothing that was accepted has vanished.
    fn check(&self) {
        let shown = self.desk.message(self.message).expect("the row");
        let waiting = self.outbox();
        let changes = |entry: &&OutboxEntry| {
            entry.state.is_pending() && entry.action.changes() == Some(self.message)
        };
        match waiting.iter().rfind(changes).map(|entry| &entry.action) {
            Some(Action::Edit { text, .. }) => {
                assert_eq!((&shown.text, shown.overlay), (text, Some(Overlay::Edited)));
            }
            Some(_) => assert!(shown.deleted && shown.overlay == Some(Overlay::Deleted)),
            None => {
                let told = (&self.known.text, self.known.deleted, None);
                assert_eq!((&shown.text, shown.deleted, shown.overlay), told);
            }
        }
        for id in &self.accepted {
            let last = self.desk.journal(*id).pop().expect("its story");
            let entry = waiting.iter().find(|entry| entry.id == *id);
            assert_eq!(
                last.state.is_pending(),
                entry.is_some_and(|e| e.state.is_pending())
            );
        }
    }

    /// The network heals: everything is done, and read once more.
    fn settle(&mut self) {
        for _ in 0..100 {
            if self.desk.write(|rows| rows.outbox_heads()).is_empty() {
                break;
            }
            self.attempt(0, End::Done);
        }
        self.take(Step::Page);
        let left = self.outbox();
        assert!(
            left.iter().all(|entry| !entry.state.is_pending()),
            "{left:?}"
        );
        let shown = self.desk.message(self.message).expect("the row");
        assert_eq!(
            (&shown.text, shown.deleted),
            (&self.row.text, self.row.deleted)
        );
        assert!(!self.desk.conversation().completing);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    // covers: G3, G4, INV-16
    #[test]
    fn actions_show_at_once_and_none_vanishes(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.check();
        }
        world.settle();
        world.check();
    }
}

/// What is on its way shows again, and keeps what lies beneath it.
#[test]
fn a_later_archive_mark_that_is_taken_back_leaves_the_one_under_way() {
    let desk = Desk::new();
    let archive = |n: u32, archived, told| {
        let stamp = Stamp {
            id: key(n),
            now: NOW,
            expires_at: NOW + Duration::from_secs(60),
        };
        desk.write(move |rows| intents::archive(rows, &chat(), archived, told, stamp))
    };
    archive(1, true, false);
    archive(2, false, true);
    desk.write(|rows| act::record_attempt(rows, key(2), None, NOW));
    archive(3, true, true);
    assert!(desk.conversation().archived);
    desk.write(|rows| act::cancel(rows, key(3), NOW));
    assert!(!desk.conversation().archived);
    let left = desk.write(|rows| rows.outbox(None));
    let beneath = |entry: &OutboxEntry| match entry.action {
        Action::Archive { beneath, .. } => Some(beneath),
        _ => None,
    };
    assert_eq!(left.iter().map(beneath).collect::<Vec<_>>(), [Some(true)]);
}
