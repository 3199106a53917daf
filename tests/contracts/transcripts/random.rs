//! Conversations as a store may have them: every state, holes, tombstones, changes that wait.

use proptest::{collection::vec, prelude::*};
use tidings::{
    domain::{
        conversation::Conversation,
        cursor::{Gap, SyncCursor, SyncPosition},
        delivery::DeliveryState,
        ids::{ClientMessageId, MessageId},
        message::{Completeness, Message, Overlay, Role},
        order::SortKey,
        outbox::{Action, OutboxEntry},
        ports::{Rows, chat_repository::RowResult},
        time::WallTime,
    },
    testing::repository_contract::samples,
};

/// The conversation's id.
pub(super) const NAME: &str = "c1";

/// The most rows in one.
pub(super) const MOST: usize = 12;

/// What is put into a store, row by row.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) conversation: Conversation,
    pub(super) rows: Vec<Message>,
    pub(super) entries: Vec<OutboxEntry>,
}

impl Stored {
    pub(super) fn put(&self, rows: &mut dyn Rows) -> RowResult<()> {
        rows.put_conversation(&self.conversation)?;
        for row in &self.rows {
            rows.insert_message(row)?;
        }
        for entry in &self.entries {
            rows.put_outbox(entry)?;
        }
        while rows.next_order()? < 100 {}
        Ok(())
    }

    /// Some of it: rows that were never here, and rows deleted here.
    pub(super) fn part(&self, kept: &[bool], gone: &[bool]) -> Self {
        let mut part = self.clone();
        let mut kept = kept.iter();
        part.rows.retain(|_| kept.next() == Some(&true));
        for (row, gone) in part.rows.iter_mut().zip(gone) {
            if *gone && row.server_id.is_some() && row.overlay.is_none() {
                (row.deleted, row.unread, row.text) = (true, false, String::new());
            }
        }
        let here: Vec<ClientMessageId> = part.rows.iter().map(|row| row.id).collect();
        part.entries
            .retain(|entry| here.contains(&entry.action.changes().unwrap_or(entry.id)));
        recount(&mut part);
        part
    }

    /// A row that is not on its way is the same elsewhere, but for its version.
    pub(super) fn assert_same(&self, was: &Message, is: &Message) {
        assert_eq!((was.id, &was.server_id), (is.id, &is.server_id));
        let waits = was.state.is_pending() || was.overlay.is_some();
        let streams = was.completeness == Completeness::Streaming;
        if waits || streams || !was.key.is_server() {
            let edit = |entry: &&OutboxEntry| entry.action.changes() == Some(was.id);
            let typed = self.entries.iter().find(edit).map(OutboxEntry::text);
            let lost = !was.deleted && is.text != was.text && typed != Some(was.text.as_str());
            assert!(!lost, "the words of a row that waits");
            return;
        }
        assert_eq!(was.gap.is_some(), is.gap.is_some());
        let same = Message {
            version: was.version,
            gap: was.gap.clone(),
            ..is.clone()
        };
        assert!(same == *was, "{was:?}\n{is:?}");
    }

    /// The rows that were placed are in the order in which they were.
    pub(super) fn assert_in_order(&self, rows: &[Message]) {
        let placed = rows.iter().filter(|row| row.key.is_server());
        let at = |row: &Message| self.rows.iter().position(|one| one.id == row.id);
        let order: Vec<_> = placed.map(at).collect();
        assert!(order.is_sorted(), "{order:?}");
    }
}

/// One row a key and a server id.
pub(super) fn assert_no_doubles(rows: &[Message]) {
    let mut keys: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut names: Vec<_> = rows
        .iter()
        .filter_map(|row| row.server_id.clone())
        .collect();
    let mut places: Vec<_> = rows.iter().map(|row| row.key).collect();
    let counts = (keys.len(), names.len(), places.len());
    keys.sort();
    keys.dedup();
    names.sort();
    names.dedup();
    places.sort();
    places.dedup();
    assert_eq!(counts, (keys.len(), names.len(), places.len()));
}

fn recount(stored: &mut Stored) {
    let rows = &stored.rows;
    stored.conversation.stored = rows.len() as u64;
    let unread = rows.iter().filter(|row| row.unread).count();
    stored.conversation.unread = u32::try_from(unread).expect("few");
    let newest = rows.iter().rev().find(|row| !row.deleted);
    stored.conversation.last_message =
        newest.map(|row| tidings::domain::conversation::LastMessage {
            id: row.id,
            role: row.role.clone(),
            text: row.text.clone(),
            at: row.created_at,
            key: row.key,
        });
}

/// What a row is to be, before it has its place.
#[derive(Clone, Debug)]
enum Kind {
    /// The server told of it.
    Told {
        own: bool,
        deleted: bool,
        unread: bool,
        gap: bool,
    },
    /// It told, and has not said where it stands.
    Pushed,
    /// Own, confirmed without an id.
    Nameless,
    /// Own, in a state of waiting or ended.
    Unsent(DeliveryState),
    /// A part of an answer.
    Part(Completeness),
    /// Told, and changed or deleted here since.
    Changed(Overlay),
}

fn kind() -> impl Strategy<Value = Kind> {
    use DeliveryState as S;
    let unsent = prop::sample::select(
        [S::Queued, S::Sending, S::Uncertain, S::Failed, S::Cancelled].as_slice(),
    );
    let part = prop::sample::select(Completeness::ALL.as_slice());
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let told = flags.prop_map(|(own, deleted, unread, gap)| Kind::Told {
        own,
        deleted,
        unread: unread && !own && !deleted,
        gap,
    });
    prop_oneof![
        6 => told,
        1 => Just(Kind::Pushed),
        1 => Just(Kind::Nameless),
        3 => unsent.prop_map(Kind::Unsent),
        1 => part.prop_map(Kind::Part),
        1 => prop::sample::select(Overlay::ALL.as_slice()).prop_map(Kind::Changed),
    ]
}

impl Kind {
    const fn is_placed(&self) -> bool {
        matches!(self, Self::Told { .. } | Self::Changed(_))
    }

    fn row(&self, n: u32, text: String, at: i64) -> Message {
        let plain = Message {
            server_id: MessageId::parse(&format!("s-{n}")),
            role: Role::Assistant,
            text,
            created_at: (at != 0).then(|| WallTime::from_millis(at)),
            revision: u64::from(n % 3),
            ..samples::message(NAME, n)
        };
        let mine = Message {
            own: true,
            role: Role::User,
            ..plain.clone()
        };
        let nameless = Message {
            server_id: None,
            attempts: 1 + n % 2,
            left_above: n.is_multiple_of(2).then_some(SortKey::server(1)),
            ..mine.clone()
        };
        match self.clone() {
            Self::Told {
                own,
                deleted,
                unread,
                gap,
            } => Message {
                text: if deleted {
                    String::new()
                } else {
                    plain.text.clone()
                },
                deleted,
                unread,
                gap: gap.then(|| hole(n)),
                ..if own { mine } else { plain }
            },
            Self::Pushed => plain,
            Self::Nameless => nameless,
            Self::Unsent(state) => Message { state, ..nameless },
            Self::Part(completeness) => Message {
                server_id: None,
                answers: Some(samples::key(n.saturating_sub(1))),
                completeness,
                ..plain
            },
            Self::Changed(overlay) => Message {
                text: match overlay {
                    Overlay::Edited => "typed since".to_owned(),
                    Overlay::Deleted => String::new(),
                },
                deleted: overlay == Overlay::Deleted,
                overlay: Some(overlay),
                ..mine
            },
        }
    }

    fn entry(&self, row: &Message, n: u32) -> Option<OutboxEntry> {
        let action = match self {
            Self::Unsent(DeliveryState::Cancelled) => return None,
            Self::Unsent(_) => Action::Send {
                text: row.text.clone(),
            },
            Self::Changed(Overlay::Edited) => Action::Edit {
                message: row.id,
                text: row.text.clone(),
                beneath: "there".to_owned(),
            },
            Self::Changed(Overlay::Deleted) => Action::Delete {
                message: row.id,
                beneath: "there".to_owned(),
            },
            _ => return None,
        };
        let send = matches!(action, Action::Send { .. });
        Some(OutboxEntry {
            id: if send { row.id } else { samples::key(n + 100) },
            action,
            state: if send {
                row.state
            } else {
                DeliveryState::Queued
            },
            reason: n.is_multiple_of(2).then(samples::reason),
            wire_id: n.is_multiple_of(3).then(|| format!("wire-{n}")),
            attempt: row.attempts,
            ..samples::entry(NAME, n)
        })
    }
}

fn hole(n: u32) -> Gap {
    match n % 2 {
        0 => Gap::ahead(),
        _ => Gap::before(SyncCursor::new(format!("before-{n}"))),
    }
}

fn rows() -> impl Strategy<Value = (Vec<Message>, Vec<OutboxEntry>)> {
    let text = prop_oneof![".{0,12}", Just("a\0\"b\n🦀\u{2028}".to_owned())];
    let step = prop_oneof![Just(1_i64), Just(SPACE), 2..90_000_i64];
    let one = (
        kind(),
        text,
        step,
        prop_oneof![Just(0), -5_000_i64..4_000_000_000_000],
    );
    vec(one, 0..MOST).prop_map(|mut drawn| {
        drawn.sort_by_key(|(kind, ..)| !kind.is_placed());
        let (mut rows, mut entries) = (Vec::new(), Vec::new());
        let mut place = -SPACE;
        for (n, (kind, text, step, at)) in (1..).zip(drawn) {
            place += step;
            let key = match kind.is_placed() {
                true => SortKey::from_i64(place),
                false => SortKey::pending(i64::from(n) * 3),
            };
            let row = Message {
                key,
                ..kind.row(n, text, at)
            };
            entries.extend(kind.entry(&row, n));
            rows.push(row);
        }
        (rows, entries)
    })
}

const SPACE: i64 = tidings::domain::order::SPACING;

/// A conversation with all that belongs to it.
pub(super) fn stored() -> impl Strategy<Value = Stored> {
    let cursor = prop::option::of("[a-z\\PC]{0,6}".prop_map(SyncCursor::new));
    let overlay = (
        any::<bool>(),
        prop::option::of(".{1,9}"),
        prop::option::of(".{0,9}"),
    );
    let position = (cursor.clone(), cursor, prop::option::of(0..MOST));
    (rows(), overlay, position).prop_map(|((rows, entries), overlay, position)| {
        let (archived, draft, title) = overlay;
        let (newest, oldest, read) = position;
        let full = samples::full_conversation(NAME);
        let mut stored = Stored {
            conversation: Conversation {
                archived,
                draft,
                title,
                read_to: read.and_then(|at| Some(rows.get(at)?.key)),
                sync: SyncPosition {
                    newest,
                    oldest,
                    listed: None,
                },
                version: 7,
                ..full
            },
            rows,
            entries,
        };
        recount(&mut stored);
        stored
    })
}
