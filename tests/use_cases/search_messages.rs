//! Searching what is stored: offline, in pages, the newest or the best first.

use tidings::{
    domain::{message::Role, time::WallTime},
    testing::{ScriptedService, scripted::Operation},
    usecases::search_messages::{SearchMessages, SearchOrder, SearchPage},
};

use crate::support::{App, chat};

async fn stored(texts: impl IntoIterator<Item = String>) -> App {
    let service = ScriptedService::new();
    for text in texts {
        service.writes("c1", Role::Assistant, &text);
    }
    // A message each second; history comes page by page, the newest page first.
    service.edit("c1", |rows| {
        for (row, second) in rows.iter_mut().zip(1_800_000_000..) {
            row.created_at = Some(WallTime::from_millis(second * 1000));
        }
    });
    let app = App::over(&service).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    app
}

fn texts(page: &SearchPage) -> Vec<&str> {
    let hits = page.hits.iter();
    hits.map(|hit| hit.message.text.as_str()).collect()
}

/// All pages, and how many there were.
async fn walk(app: &App, first: SearchMessages) -> (Vec<String>, usize) {
    let (mut shown, mut pages, mut next) = (Vec::new(), 0, first.clone());
    loop {
        let page = app.client.search(next).await.unwrap();
        assert!(page.complete && page.hits.len() <= first.limit);
        shown.extend(texts(&page).into_iter().map(str::to_owned));
        pages += 1;
        let Some(after) = page.next else {
            return (shown, pages);
        };
        next = SearchMessages {
            after: Some(after),
            ..first.clone()
        };
    }
}

#[tokio::test(start_paused = true)]
async fn search_needs_words_and_no_network() {
    let app = stored((0..25).map(|n| format!("row {n}"))).await;
    let asked = app.service.count(Operation::History);
    let page = app
        .client
        .search(SearchMessages::new("ROW 7"))
        .await
        .unwrap();
    assert_eq!(texts(&page), ["row 7"]);
    assert_eq!(page.hits[0].snippet.marks, [0..3, 4..5]);
    let blank = app.client.search(SearchMessages::new("  ")).await;
    assert_eq!(blank.unwrap_err().code(), "search.blank");
    let wordless = app
        .client
        .search(SearchMessages::new("%\"*"))
        .await
        .unwrap();
    assert!(wordless.hits.is_empty() && wordless.next.is_none());
    assert_eq!(app.service.count(Operation::History), asked);
}

#[tokio::test(start_paused = true)]
async fn pages_walk_to_the_oldest_hit() {
    let app = stored((0..25).map(|n| format!("row {n}"))).await;
    let search = SearchMessages {
        limit: 10,
        ..SearchMessages::new("row")
    };
    let (shown, pages) = walk(&app, search.clone()).await;
    let newest_first: Vec<_> = (0..25).rev().map(|n| format!("row {n}")).collect();
    assert_eq!((shown, pages), (newest_first, 3));
    let none = SearchMessages { limit: 0, ..search };
    assert!(app.client.search(none).await.unwrap().next.is_none());
}

/// The best of the newest five hundred, page by page, then the rest; each hit once.
#[tokio::test(start_paused = true)]
async fn the_best_come_first_and_none_is_left_out() {
    let rows = (0..700).map(|n| match n % 100 {
        7 => format!("carpet, car {n}"),
        _ => format!("carpet {n}"),
    });
    let app = stored(rows).await;
    let search = SearchMessages {
        order: SearchOrder::Best,
        limit: 3,
        ..SearchMessages::new("car")
    };
    let (shown, _) = walk(&app, search).await;
    let whole = |text: &&String| text.contains(", car ");
    let best: Vec<&String> = shown.iter().take_while(whole).collect();
    let wanted = [607, 507, 407, 307, 207].map(|n| format!("carpet, car {n}"));
    assert_eq!(best, wanted.iter().collect::<Vec<_>>());
    let mut all = shown.clone();
    all.sort();
    all.dedup();
    assert_eq!((shown.len(), all.len()), (700, 700));
    assert_eq!(shown[500..502], ["carpet 199", "carpet 198"]);
}
