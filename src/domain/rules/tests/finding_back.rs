//! The way back, looked for from the newest page where the server refuses the stored cursors.

use super::{changing::page_of, *};
use crate::domain::{cursor::HistoryRange, rules::gaps};

/// "a", a gap, "h", "i"; what is older than "a" was not read.
fn with_a_gap() -> Desk {
    let mut desk = Desk::new();
    let first = page_of(&[theirs("m1", "a")], Some("0"));
    desk.store_page(HistoryRange::Newest, first);
    let newest = page_of(&[theirs("m8", "h"), theirs("m9", "i")], Some("7"));
    desk.store_page(HistoryRange::Newest, newest);
    desk
}

fn forget(desk: &Desk) {
    desk.write(|rows| gaps::forget_the_way_back(rows, &chat()));
}

fn marks(desk: &Desk) -> (Option<SyncCursor>, Vec<SyncCursor>) {
    let gaps = desk.rows().into_iter().filter_map(|row| row.gap?.before);
    (desk.conversation().sync.oldest, gaps.collect())
}

fn from_the_end() -> HistoryRange {
    HistoryRange::Before(SyncCursor::end())
}

// covers: INV-09
#[test]
fn f31_a_gap_whose_cursor_is_refused_is_filled_from_the_newest_page_back() {
    let mut desk = with_a_gap();
    let [zero, seven] = ["0", "7"].map(SyncCursor::new);
    assert_eq!(marks(&desk), (Some(zero), vec![seven]));
    forget(&desk);
    let end = SyncCursor::end();
    assert_eq!(marks(&desk), (Some(end.clone()), vec![end.clone()]));
    // What is newer than all that is stored is for the next forward read.
    let newest = [theirs("m9", "i"), theirs("m10", "j")];
    desk.store_page(from_the_end(), page_of(&newest, Some("8")));
    assert_eq!(desk.texts(), ["a", "h", "i"]);
    let eight = SyncCursor::new("8");
    assert_eq!(marks(&desk), (Some(end.clone()), vec![eight.clone()]));
    let before = [theirs("m1", "a"), theirs("m5", "e"), theirs("m8", "h")];
    desk.store_page(HistoryRange::Before(eight), page_of(&before, Some("0")));
    assert_eq!(desk.texts(), ["a", "e", "h", "i"]);
    assert_eq!(marks(&desk), (Some(end), vec![]));
}

// covers: INV-07
#[test]
fn a_newest_page_that_hangs_on_nothing_shows_no_way_back() {
    let mut desk = with_a_gap();
    forget(&desk);
    let before = desk.rows();
    let far = page_of(&[theirs("m90", "far"), theirs("m91", "away")], Some("89"));
    desk.store_page(from_the_end(), far);
    assert_eq!(desk.rows(), before);
    let end = SyncCursor::end();
    assert_eq!(marks(&desk), (Some(end.clone()), vec![end]));
}

#[test]
fn a_server_without_any_history_has_no_older_one() {
    let mut desk = Desk::new();
    let first = page_of(&[theirs("m1", "a")], Some("0"));
    desk.store_page(HistoryRange::Newest, first);
    forget(&desk);
    desk.store_page(from_the_end(), page_of(&[], None));
    assert_eq!(marks(&desk), (None, vec![]));
    assert_eq!(desk.texts(), ["a"], "nothing is wiped");
}
