//! Two looks and their difference: what an app applies must be what the store holds.

use proptest::prelude::*;

use super::*;
use crate::domain::{ids::ConversationId, order::SortKey, rules::editor::blank, time::WallTime};

fn row(n: u8, version: u64) -> Message {
    let id = ClientMessageId::mint(WallTime::from_millis(i64::from(n)), [n; 10]);
    let chat = ConversationId::parse("c1").expect("a name");
    Message {
        key: SortKey::server(i64::from(n)),
        version,
        ..blank(id, &chat)
    }
}

fn applied(shown: &[Message], changes: Vec<TimelineDiff>) -> Vec<Message> {
    let mut list = shown.to_vec();
    for change in changes {
        change.apply(&mut list).expect("an index that fits");
    }
    list
}

#[test]
fn nothing_changed_is_no_change() {
    let list = [row(1, 1), row(2, 1)];
    assert_eq!(diff(&list, list.to_vec(), 64), []);
}

#[test]
fn a_new_row_is_one_insert_and_a_newer_version_one_update() {
    let shown = [row(1, 1), row(3, 1)];
    let now = vec![row(1, 1), row(2, 1), row(3, 2)];
    let expected = [
        TimelineDiff::Insert {
            index: 1,
            item: row(2, 1),
        },
        TimelineDiff::Update {
            index: 2,
            item: row(3, 2),
        },
    ];
    assert_eq!(diff(&shown, now, 64), expected);
}

#[test]
fn a_row_that_moved_is_the_only_one_said_to_have_moved() {
    let shown = [row(9, 1), row(1, 1), row(2, 1), row(3, 1)];
    let now = vec![row(1, 1), row(2, 1), row(3, 1), row(9, 2)];
    let changes = diff(&shown, now.clone(), 64);
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert_eq!(applied(&shown, changes), now);
}

#[test]
fn too_many_changes_are_one_reset() {
    let now: Vec<_> = (0..100).map(|n| row(n, 1)).collect();
    let changes = diff(&[], now.clone(), 64);
    assert_eq!(changes, [TimelineDiff::Reset { items: now }]);
}

#[test]
fn a_misfit_is_handed_back_and_changes_nothing() {
    let mut list = vec![row(1, 1)];
    let misfits = [
        TimelineDiff::Insert {
            index: 2,
            item: row(2, 1),
        },
        TimelineDiff::Update {
            index: 1,
            item: row(2, 1),
        },
        TimelineDiff::Remove {
            index: 1,
            item: row(2, 1),
        },
    ];
    for misfit in misfits {
        assert_eq!(misfit.clone().apply(&mut list), Err(misfit));
    }
    assert_eq!(list, [row(1, 1)]);
}

proptest! {
    // covers: INV-13
    #[test]
    fn any_two_looks_are_joined_by_their_difference(
        shown in prop::collection::vec(0_u8..30, 0..20),
        now in prop::collection::vec((0_u8..30, 1_u64..3), 0..20),
        limit in 0_usize..40,
    ) {
        let distinct = |rows: Vec<Message>| {
            let mut seen = std::collections::BTreeSet::new();
            rows.into_iter().filter(|row| seen.insert(row.id)).collect::<Vec<_>>()
        };
        let shown = distinct(shown.into_iter().map(|n| row(n, 1)).collect());
        let now = distinct(now.into_iter().map(|(n, version)| row(n, version)).collect());
        let changes = diff(&shown, now.clone(), limit);
        prop_assert!(changes.len() <= limit.max(1));
        prop_assert_eq!(applied(&shown, changes), now);
    }
}
