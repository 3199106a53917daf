//! Searching: every store finds the same, at once, however it looks.

use super::{Store, read, samples::*, write};
use crate::domain::{
    delivery::DeliveryState,
    message::{Completeness, Message},
    ports::Rows,
    search::{Found, Search, SearchKey, query::Query},
    time::WallTime,
};

/// The `n`th message, written in the `n`th second.
fn said(conversation: &str, n: u32, text: &str) -> Message {
    Message {
        text: text.to_owned(),
        created_at: Some(WallTime::from_millis(i64::from(n) * 1000)),
        ..message(conversation, n)
    }
}

async fn store_all(store: &Store, rows: Vec<Message>) {
    write(store, move |stored| {
        for name in ["c", "d"] {
            if stored.conversation(&conversation_id(name))?.is_none() {
                stored.put_conversation(&bare_conversation(name))?;
            }
        }
        rows.iter().try_for_each(|row| stored.insert_message(row))
    })
    .await;
}

fn search(query: &str) -> Search {
    Search {
        query: Query::parse(query),
        conversation: None,
        before: None,
        limit: 10,
    }
}

async fn find(store: &Store, search: Search) -> Found {
    let found = read(store, move |rows| rows.search(&search)).await;
    assert!(found.complete);
    found
}

async fn texts(store: &Store, search: Search) -> Vec<String> {
    let found = find(store, search).await;
    found
        .messages
        .into_iter()
        .map(|(_, row)| row.text)
        .collect()
}

/// Looks are folded; a word is a word in every script.
pub async fn words_are_found_whatever_their_case_and_accents(store: Store) {
    let all = [
        "Crème brûlée, 100% sure",
        "Скажи ПРИВЕТ",
        "東京都に行く",
        "it's a_b",
        "x\0Nul",
        "done 🎉",
    ];
    let rows = all.iter().zip(1..).map(|(text, n)| said("c", n, text));
    store_all(&store, rows.collect()).await;
    let finds = [
        ("BRULEE creme", 0),
        ("brûl", 0),
        ("100", 0),
        ("привет", 1),
        ("京都に", 2),
        ("\"it's a\"", 3),
        ("A_B", 3),
        ("nul", 4),
        ("🎉", 5),
    ];
    for (query, hit) in finds {
        assert_eq!(texts(&store, search(query)).await, [all[hit]], "{query}");
    }
    for nothing in ["rûlée", "aXb", "都京", "\"sure 100\"", "привет 100"] {
        assert_eq!(texts(&store, search(nothing)).await, [""; 0], "{nothing}");
    }
}

/// Nothing that a user can type is syntax.
pub async fn no_query_is_a_wrong_one(store: Store) {
    store_all(&store, vec![said("c", 1, "and or not near body")]).await;
    let strange = [
        "",
        " ",
        "\"",
        "\"\"",
        "'",
        "*",
        "^",
        "(",
        ")",
        "a AND",
        "OR",
        "NOT x",
        "NEAR(a b)",
        "body:x",
        "body : (",
        "-x",
        "+",
        "{a}",
        "x*y",
        "\\",
        "\0",
        "a\0b",
        "%_",
        "\u{202e}",
        "🦀\"",
        "search MATCH",
        "conversation:1",
        "1",
        "\"1\"",
    ];
    for query in strange {
        find(&store, search(query)).await;
    }
    let long = "word ".repeat(10_000) + &"x".repeat(100_000);
    find(&store, search(&long)).await;
    for query in ["AND or", "not \"near body\"", "\"body\""] {
        assert_eq!(texts(&store, search(query)).await.len(), 1, "{query}");
    }
}

/// By the time of the message, however late it was stored; each hit once.
pub async fn hits_come_newest_first_and_in_pages(store: Store) {
    let timeless = Message {
        created_at: None,
        ..said("c", 9, "word none")
    };
    let rows = [5, 1, 4, 2, 3].map(|n| said("c", n, &format!("word {n}")));
    store_all(&store, rows.into_iter().chain([timeless]).collect()).await;
    let mut shown = Vec::new();
    let mut before: Option<SearchKey> = None;
    loop {
        let page = Search {
            before,
            limit: 2,
            ..search("word")
        };
        let found = find(&store, page).await;
        let Some((last, _)) = found.messages.last() else {
            break;
        };
        before = Some(*last);
        shown.extend(found.messages.into_iter().map(|(_, row)| row.text));
        // A newer hit moves no page.
        let n = 100 + u32::try_from(shown.len()).unwrap();
        store_all(&store, vec![said("d", n, "word new")]).await;
    }
    let all = [
        "word 5",
        "word 4",
        "word 3",
        "word 2",
        "word 1",
        "word none",
    ];
    assert_eq!(shown, all);
    for limit in [0, 3, usize::MAX] {
        let some = Search {
            limit,
            ..search("word")
        };
        assert_eq!(find(&store, some).await.messages.len(), limit.min(9));
    }
}

/// What moved to another conversation is found there, and no longer where it was.
pub async fn moved_rows_are_found_where_they_went(store: Store) {
    store_all(&store, vec![said("c", 1, "word moved")]).await;
    // Whatever waits for an idle moment has had one.
    store_all(&store, vec![said("d", 2, "word stayed")]).await;
    write(&store, |rows| {
        rows.move_rows(&conversation_id("c"), &conversation_id("d"))
    })
    .await;
    for (name, hits) in [("c", vec![]), ("d", vec!["word stayed", "word moved"])] {
        let here = Search {
            conversation: Some(conversation_id(name)),
            ..search("word")
        };
        assert_eq!(texts(&store, here).await, hits, "{name}");
    }
}

/// One conversation's hits, and none of one that is not stored.
pub async fn a_search_stays_in_its_conversation(store: Store) {
    let rows = vec![said("c", 1, "word c"), said("d", 2, "word d")];
    store_all(&store, rows).await;
    for (name, hits) in [("c", vec!["word c"]), ("d", vec!["word d"]), ("e", vec![])] {
        let here = Search {
            conversation: Some(conversation_id(name)),
            ..search("wor")
        };
        assert_eq!(texts(&store, here).await, hits, "{name}");
    }
}

/// A store may index when it likes: what is stored is found, what is gone is not (INV-16).
pub async fn changes_and_removals_show_at_once(store: Store) {
    store_all(&store, (1..=4).map(|n| said("c", n, "before")).collect()).await;
    for round in 0..2 {
        write(&store, move |rows| {
            rows.update_message(&said("c", 1, "after"))?;
            rows.update_message(&Message {
                deleted: true,
                ..said("c", 2, "before")
            })?;
            rows.update_message(&said("d", 4, "before"))?;
            match round {
                0 => rows.remove_message(key(3)),
                _ => rows.insert_message(&said("c", 3, "before")),
            }
        })
        .await;
        assert_eq!(texts(&store, search("after")).await, ["after"]);
        assert_eq!(texts(&store, search("before")).await.len(), 1 + round);
        let here = Search {
            conversation: Some(conversation_id("d")),
            ..search("before")
        };
        assert_eq!(texts(&store, here).await.len(), 1);
    }
    // A failed change changes nothing here either.
    let failed = store.transact(crate::domain::ports::Durability::Normal, |rows| {
        rows.update_message(&said("c", 1, "never"))?;
        Err::<(), _>(crate::domain::ports::RepositoryError::Full)
    });
    assert!(failed.await.is_err());
    assert_eq!(texts(&store, search("after")).await, ["after"]);
    assert!(texts(&store, search("never")).await.is_empty());
}

/// A streamed answer is found by the text it has, a waiting message by its own, and once.
pub async fn what_still_changes_is_found_as_it_is(store: Store) {
    let answer = |text: &str, completeness| Message {
        completeness,
        ..said("c", 1, text)
    };
    let sent = |state, second: i64| Message {
        state,
        created_at: Some(WallTime::from_millis(second * 1000)),
        ..said("c", 2, "question")
    };
    let rows = vec![
        answer("one", Completeness::Streaming),
        sent(DeliveryState::Queued, 2),
    ];
    store_all(&store, rows).await;
    let steps = [
        answer("one two", Completeness::Streaming),
        answer("one two three", Completeness::Complete),
        sent(DeliveryState::Sending, 2),
        sent(DeliveryState::Sent, 50),
        sent(DeliveryState::Read, 50),
        answer("three only", Completeness::Complete),
    ];
    let mut text = String::from("one");
    for step in steps {
        if step.id == key(1) {
            text.clone_from(&step.text);
        }
        write(&store, move |rows: &mut dyn Rows| {
            rows.update_message(&step)
        })
        .await;
        assert_eq!(texts(&store, search("question")).await, ["question"]);
        for word in ["one", "two", "three", "only"] {
            let hits = usize::from(text.contains(word));
            assert_eq!(
                texts(&store, search(word)).await.len(),
                hits,
                "{word} in {text}"
            );
        }
    }
}

/// With the conversation goes what was said in it, and nothing else.
pub async fn a_removed_conversation_is_not_found(store: Store) {
    let mut rows: Vec<Message> = (1..=5).map(|n| said("c", n, "word")).collect();
    rows.push(said("d", 6, "word d"));
    store_all(&store, rows).await;
    write(&store, |rows| {
        rows.remove_conversation(&conversation_id("c"))
    })
    .await;
    assert_eq!(texts(&store, search("word")).await, ["word d"]);
    store_all(&store, vec![said("c", 1, "word again")]).await;
    assert_eq!(
        texts(&store, search("word")).await,
        ["word d", "word again"]
    );
}
