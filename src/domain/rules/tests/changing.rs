//! What a page tells of rows that are not its own.

use super::*;
use crate::domain::{
    cursor::HistoryRange,
    ports::HistoryPage,
    rules::gaps::{self, Page},
};

fn deleted(name: &str) -> ServerMessage {
    ServerMessage {
        deleted: true,
        revision: 1,
        ..theirs(name, "")
    }
}

/// A page with nothing newer behind it.
pub(super) fn page_of(messages: &[ServerMessage], older: Option<&str>) -> HistoryPage {
    HistoryPage {
        messages: messages.to_vec(),
        older: older.map(SyncCursor::new),
        newer: SyncCursor::new("newer"),
        more: false,
        tail: None,
        changed: Vec::new(),
        skipped: 0,
    }
}

impl Desk {
    fn page(&mut self, range: HistoryRange, messages: &[ServerMessage], changed: &[ServerMessage]) {
        let page = HistoryPage {
            changed: changed.to_vec(),
            ..page_of(messages, Some("older"))
        };
        self.store_page(range, page);
    }

    pub(super) fn store_page(&mut self, range: HistoryRange, page: HistoryPage) {
        self.minted += 100;
        let mut next = self.minted;
        self.write(move |rows| {
            let mut mint = || {
                next += 1;
                key(next)
            };
            let read = Page {
                range: &range,
                page: &page,
                listed: None,
                now: NOW,
            };
            gaps::store_page(rows, &chat(), &read, &mut mint).map(drop)
        });
    }
}

#[test]
fn a_change_reaches_a_stored_row_and_leaves_places_and_gaps_as_they_are() {
    let mut desk = Desk::new();
    desk.page(HistoryRange::Newest, &[theirs("m1", "a")], &[]);
    // What lies between was not read yet.
    desk.page(
        HistoryRange::Newest,
        &[theirs("m8", "h"), theirs("m9", "i")],
        &[],
    );
    let before = desk.rows();
    assert!(before[0].gap.is_some());
    let news = [theirs("m9", "i"), theirs("m10", "j")];
    let from = HistoryRange::After(SyncCursor::new("newer"));
    // One that is stored, and one that lies in the gap.
    desk.page(from, &news, &[deleted("m1"), deleted("m5")]);
    let after = desk.rows();
    let names: Vec<_> = after.iter().map(|row| row.server_id.clone()).collect();
    let due = ["m1", "m8", "m9", "m10"];
    assert_eq!(names, due.map(MessageId::parse));
    assert!(after[0].deleted && after[0].text.is_empty());
    assert_eq!(
        (after[0].key, &after[0].gap),
        (before[0].key, &before[0].gap)
    );
    assert_eq!(desk.texts()[1..], ["h", "i", "j"]);
}
