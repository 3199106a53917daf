//! History by offset, on servers that page, page in silence, do not page, and lie.

use serde_json::{Value, json};
use tidings::domain::{
    cursor::{HistoryRange, SyncCursor},
    ports::{ChatService, HistoryPage},
    retry::{FailureKind, ServiceError},
};

use crate::support::{Reply, Seen, Server, id, service, within};

/// How a server serves its messages.
#[derive(Clone, Copy)]
struct Style {
    stored: usize,
    counts: Option<usize>,
    pages: bool,
    echoes: bool,
    most: usize,
}

const PRODUCTION: Style = Style {
    stored: 0,
    counts: None,
    pages: true,
    echoes: true,
    most: 100,
};

fn serving(style: Style) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |seen| {
        let number = |name| {
            seen.query(name)
                .and_then(|v| v.parse::<usize>().ok())
                .unwrap_or(0)
        };
        let (offset, limit) = match style.pages {
            true => (number("offset"), number("limit").min(style.most)),
            false => (0, usize::MAX),
        };
        let end = style.stored.min(offset.saturating_add(limit));
        let rows: Vec<Value> = (offset..end)
            .map(|n| json!({"id": format!("m{n}"), "content": "x"}))
            .collect();
        let mut data =
            json!({"messages": rows, "total_count": style.counts.unwrap_or(style.stored)});
        if style.echoes {
            data["offset"] = json!(offset);
            data["limit"] = json!(limit);
        }
        Reply::json(200, json!({ "data": data }))
    }
}

async fn read(
    server: &Server,
    range: HistoryRange,
    limit: usize,
) -> Result<HistoryPage, ServiceError> {
    within(service(server).history(&id("c1"), &range, limit)).await
}

fn after(offset: usize) -> HistoryRange {
    HistoryRange::After(SyncCursor::new(offset.to_string()))
}

fn before(offset: usize) -> HistoryRange {
    HistoryRange::Before(SyncCursor::new(offset.to_string()))
}

/// First and last row, older and newer cursor, and whether more is there.
type Shape = (Option<usize>, Option<usize>, Option<String>, String, bool);

fn shape(page: &HistoryPage) -> Shape {
    let number =
        |m: &tidings::domain::message::ServerMessage| m.id.as_str()[1..].parse().expect("number");
    (
        page.messages.first().map(number),
        page.messages.last().map(number),
        page.older.as_ref().map(|c| c.as_str().to_owned()),
        page.newer.as_str().to_owned(),
        page.more,
    )
}

fn expected(first: usize, last: usize, older: Option<usize>, newer: usize, more: bool) -> Shape {
    (
        Some(first),
        Some(last),
        older.map(|o| o.to_string()),
        newer.to_string(),
        more,
    )
}

#[tokio::test]
async fn history_of_one_page_is_one_request_in_every_style() {
    for (pages, echoes) in [(true, true), (true, false), (false, false)] {
        let style = Style {
            stored: 3,
            pages,
            echoes,
            ..PRODUCTION
        };
        let server = Server::start(serving(style)).await;
        let page = read(&server, HistoryRange::Newest, 100)
            .await
            .expect("page");
        assert_eq!(shape(&page), expected(0, 2, None, 3, false));
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn l49_empty_history_is_a_page() {
    let server = Server::start(serving(PRODUCTION)).await;
    for range in [HistoryRange::Newest, after(0)] {
        let page = read(&server, range, 100).await.expect("page");
        assert_eq!(shape(&page), (None, None, None, "0".into(), false));
    }
}

#[tokio::test]
async fn l70_poll_of_a_long_history_reads_its_end() {
    for echoes in [true, false] {
        let style = Style {
            stored: 1_000,
            echoes,
            ..PRODUCTION
        };
        let server = Server::start(serving(style)).await;
        let newest = read(&server, HistoryRange::Newest, 100)
            .await
            .expect("page");
        assert_eq!(shape(&newest), expected(900, 999, Some(900), 1000, false));
        assert_eq!(server.seen().len(), 2);
        let poll = read(&server, after(1000), 100).await.expect("page");
        assert_eq!(shape(&poll), expected(998, 999, Some(998), 1000, false));
        assert_eq!(server.seen().len(), 3);
        let older = read(&server, before(900), 100).await.expect("page");
        assert_eq!(shape(&older), expected(800, 899, Some(800), 900, true));
        let first = read(&server, before(40), 100).await.expect("page");
        assert_eq!(shape(&first).2, None);
    }
}

#[tokio::test]
async fn l70_what_came_since_is_read_forward_page_by_page() {
    let server = Server::start(serving(Style {
        stored: 250,
        ..PRODUCTION
    }))
    .await;
    let first = read(&server, after(100), 100).await.expect("page");
    assert_eq!(shape(&first), expected(98, 197, Some(98), 198, true));
    let second = read(&server, after(198), 100).await.expect("page");
    assert_eq!(shape(&second), expected(196, 249, Some(196), 250, false));
}

#[tokio::test]
async fn s34_whole_list_is_taken_as_the_whole() {
    let style = Style {
        stored: 250,
        pages: false,
        echoes: false,
        ..PRODUCTION
    };
    let server = Server::start(serving(style)).await;
    for range in [HistoryRange::Newest, after(240), before(100)] {
        let page = read(&server, range, 100).await.expect("page");
        assert_eq!(shape(&page), expected(0, 249, None, 250, false));
    }
}

#[tokio::test]
async fn f33_server_that_gives_less_than_asked_leaves_no_hole() {
    for echoes in [true, false] {
        let style = Style {
            stored: 250,
            most: 50,
            echoes,
            ..PRODUCTION
        };
        let server = Server::start(serving(style)).await;
        let newest = read(&server, HistoryRange::Newest, 100)
            .await
            .expect("page");
        assert_eq!(shape(&newest), expected(200, 249, Some(200), 250, false));
        let older = read(&server, before(200), 100).await.expect("page");
        assert_eq!(shape(&older), expected(150, 199, Some(150), 200, true));
    }
}

#[tokio::test]
async fn f33_total_that_lies_neither_loops_nor_hides() {
    let high = Style {
        stored: 150,
        counts: Some(1_000),
        ..PRODUCTION
    };
    let server = Server::start(serving(high)).await;
    let newest = read(&server, HistoryRange::Newest, 100)
        .await
        .expect("page");
    assert_eq!(shape(&newest), expected(100, 149, Some(100), 150, false));
    let poll = read(&server, after(150), 100).await.expect("page");
    assert_eq!(shape(&poll).1, Some(149));

    let low = Style {
        stored: 150,
        counts: Some(3),
        ..PRODUCTION
    };
    let server = Server::start(serving(low)).await;
    let newest = read(&server, HistoryRange::Newest, 100)
        .await
        .expect("page");
    assert_eq!(shape(&newest).1, Some(149));
    let poll = read(&server, after(120), 100).await.expect("page");
    assert_eq!(shape(&poll), expected(118, 149, Some(118), 150, false));
}

#[tokio::test]
async fn f31_history_that_shrank_refuses_the_cursor() {
    for (pages, echoes) in [(true, true), (true, false), (false, false)] {
        let style = Style {
            stored: 5,
            pages,
            echoes,
            ..PRODUCTION
        };
        let server = Server::start(serving(style)).await;
        let error = read(&server, after(9), 100).await.expect_err("shrunk");
        assert_eq!(error.kind, FailureKind::CursorRefused);
    }
    let server = Server::start(serving(PRODUCTION)).await;
    let foreign = HistoryRange::After(SyncCursor::new("opaque"));
    let error = read(&server, foreign, 100).await.expect_err("not ours");
    assert_eq!(error.kind, FailureKind::CursorRefused);
}

#[tokio::test]
async fn f33_the_same_message_twice_in_a_page_is_one() {
    let body =
        json!({"messages": [{"id": "a"}, {"id": "a"}, {"content": "no id"}], "total_count": 3});
    let server = Server::start(move |_| Reply::json(200, &body)).await;
    let page = read(&server, HistoryRange::Newest, 100)
        .await
        .expect("page");
    assert_eq!(
        (page.messages.len(), page.skipped, page.newer.as_str()),
        (1, 1, "3")
    );
}
