//! The journal and the settings.

use super::{Store, read, samples::*, write};
use crate::domain::journal::JournalEntry;

async fn append(store: &Store, entries: Vec<JournalEntry>) {
    write(store, move |rows| {
        for entry in &entries {
            if rows.conversation(&entry.conversation)?.is_none() {
                rows.put_conversation(&bare_conversation(entry.conversation.as_str()))?;
            }
            rows.append_journal(entry)?;
        }
        Ok(())
    })
    .await;
}

/// Whole and in order; the number is the store's, whatever the entry said.
pub async fn entries_get_ascending_numbers_and_come_back_whole(store: Store) {
    assert_eq!(read(&store, |rows| rows.journal_head()).await, 0);
    let loud = JournalEntry {
        sequence: 77,
        ..journal_entry("c", 1)
    };
    let sent = [loud, full_journal_entry("c", 2), full_journal_entry("c", 1)];
    append(&store, sent.to_vec()).await;
    let numbered = |at: usize, sequence| JournalEntry {
        sequence,
        ..sent[at].clone()
    };
    let expected = [numbered(0, 1), numbered(1, 2), numbered(2, 3)];
    let all = read(&store, |rows| rows.journal_after(0, 10)).await;
    assert_eq!(all, expected);
    let one = read(&store, |rows| rows.journal_of(key(1))).await;
    assert_eq!(one, [expected[0].clone(), expected[2].clone()]);
    assert_eq!(read(&store, |rows| rows.journal_head()).await, 3);
}

/// A reader that remembers a number misses nothing and sees nothing twice.
pub async fn entries_are_read_on_from_a_number(store: Store) {
    append(&store, (1..=5).map(|n| journal_entry("c", n)).collect()).await;
    read(&store, |rows| {
        let mut numbers = |after, limit| -> Vec<i64> {
            let list = rows.journal_after(after, limit).unwrap();
            list.iter().map(|entry| entry.sequence).collect()
        };
        assert_eq!(numbers(0, 2), [1, 2]);
        assert_eq!(numbers(2, 2), [3, 4]);
        assert_eq!(numbers(4, 2), [5]);
        assert_eq!(numbers(5, 2), [0; 0]);
        assert_eq!(numbers(i64::MAX, 2), [0; 0]);
        assert_eq!(numbers(i64::MIN, 0), [0; 0]);
        Ok(())
    })
    .await;
}

/// Not even where the rows are gone.
pub async fn a_number_is_never_given_again(store: Store) {
    append(&store, vec![journal_entry("c", 1), journal_entry("c", 2)]).await;
    write(&store, |rows| {
        rows.remove_conversation(&conversation_id("c"))
    })
    .await;
    assert_eq!(read(&store, |rows| rows.journal_head()).await, 2);
    append(&store, vec![journal_entry("d", 3)]).await;
    let left = read(&store, |rows| rows.journal_after(0, 10)).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].sequence, 3);
}

/// Names are exact; values may be anything.
pub async fn settings_are_set_and_replaced(store: Store) {
    write(&store, |rows| {
        assert_eq!(rows.setting("account")?, None);
        rows.put_setting("account", "")?;
        rows.put_setting("Account", "other")?;
        rows.put_setting("account", "a\0b 🦀")
    })
    .await;
    read(&store, |rows| {
        assert_eq!(rows.setting("account")?.as_deref(), Some("a\0b 🦀"));
        assert_eq!(rows.setting("Account")?.as_deref(), Some("other"));
        assert_eq!(rows.setting("unknown")?, None);
        Ok(())
    })
    .await;
}
