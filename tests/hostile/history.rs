//! Histories: long, miscounted, shifting, growing while they are read.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tidings::domain::connection::ConnectionState;

use crate::{
    device::{Device, Setup, soon},
    raw::{Reply, Seen},
    server::{Rows, Stub, chat, chunk, hear, is_history, say},
};

fn fill(rows: &Rows, turns: usize) {
    for number in 0..turns {
        rows.say("user", &format!("question {number}"));
        rows.say("assistant", &format!("answer {number}"));
    }
}

/// Everything stored here, oldest first, page by page.
async fn whole(device: &Device) -> Vec<String> {
    let (mut texts, mut before) = (Vec::new(), None);
    loop {
        let page = device
            .client
            .history(chat(), before, 100, false)
            .await
            .unwrap();
        let page_texts = page.messages.iter().map(|(_, row)| row.text.clone());
        texts.splice(0..0, page_texts);
        before = page.older;
        if before.is_none() {
            return texts;
        }
    }
}

fn texts(rows: &Rows) -> Vec<String> {
    let all = rows.all();
    all.iter()
        .map(|row| row["content"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f32_f70_long_history_comes_whole_in_order_and_in_few_requests() {
    let stub = Stub::start(|_, _| None).await;
    fill(&stub.rows, 750);
    let device = Setup::at(&stub.url()).without_socket().start().await;
    let fresh = soon("all of it", device.client.synchronise(chat()))
        .await
        .unwrap();
    assert_eq!(fresh, 1_500);
    assert_eq!(whole(&device).await, texts(&stub.rows));
    let asked = stub.count(is_history);
    assert!(asked <= 20, "{asked} requests for fifteen pages");
    // What is new costs one request.
    fill(&stub.rows, 1);
    assert_eq!(device.client.synchronise(chat()).await.unwrap(), 2);
    assert_eq!(stub.count(is_history), asked + 1);
    assert_eq!(whole(&device).await, texts(&stub.rows));
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f32_opening_a_long_history_reads_its_end_and_the_rest_on_demand() {
    let stub = Stub::start(|_, _| None).await;
    fill(&stub.rows, 500);
    let device = Device::start(&stub.url()).await;
    let handle = device.open(&chat(), ConnectionState::Live).await;
    handle.send("the newest").await.unwrap();
    device.answered(&chat(), "the newest").await;
    assert!(stub.count(is_history) <= 6, "{}", stub.count(is_history));
    while soon("older ones", handle.load_older()).await.unwrap() {}
    assert_eq!(whole(&device).await, texts(&stub.rows));
    device.stop().await;
}

/// A page, with what the server says of the whole spoilt.
fn miscounted(seen: &Seen, rows: &Rows, spoil: impl Fn(&mut Value)) -> Option<Reply> {
    is_history(seen).then(|| {
        let mut page = rows.page(seen);
        spoil(&mut page["data"]);
        Reply::json(200, page)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f33_miscounted_history_is_read_to_its_end_and_the_reading_ends() {
    let lies: [fn(&mut Value); 8] = [
        |data| data["total_count"] = json!(0),
        |data| data["total_count"] = json!(1),
        |data| data["total_count"] = json!(100_000),
        |data| data["total_count"] = json!("many"),
        |data| data["total_count"] = json!(data["messages"].as_array().unwrap().len()),
        |data| {
            let page = data["messages"].clone();
            *data = json!({"total_count": page.as_array().unwrap().len(), "messages": page});
        },
        |data| drop(data.as_object_mut().unwrap().remove("total_count")),
        |data| {
            let data = data.as_object_mut().unwrap();
            for name in ["total_count", "limit", "offset"] {
                data.remove(name);
            }
        },
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let stub = Stub::start(move |seen, rows| miscounted(seen, rows, lie)).await;
        fill(&stub.rows, 160);
        let device = Setup::at(&stub.url()).without_socket().start().await;
        soon("the end", device.client.synchronise(chat()))
            .await
            .unwrap();
        assert_eq!(whole(&device).await, texts(&stub.rows), "lie {number}");
        let asked = stub.count(is_history);
        assert!(asked <= 20, "lie {number}: {asked} requests");
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f33_server_that_ignores_paging_gives_all_at_once() {
    for count in [3, 60, 320] {
        let stub = Stub::start(|seen, rows| {
            is_history(seen).then(|| {
                let all = rows.all();
                let count = all.len();
                Reply::json(
                    200,
                    json!({"success": true, "data": {"messages": all, "total_count": count}}),
                )
            })
        })
        .await;
        fill(&stub.rows, count);
        let device = Setup::at(&stub.url()).without_socket().start().await;
        soon("the end", device.client.synchronise(chat()))
            .await
            .unwrap();
        assert_eq!(whole(&device).await, texts(&stub.rows));
        fill(&stub.rows, 1);
        soon("the end", device.client.catch_up(chat()))
            .await
            .unwrap();
        assert_eq!(whole(&device).await, texts(&stub.rows));
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f33_history_that_grows_while_it_is_read_has_neither_holes_nor_doubles() {
    let grown = AtomicUsize::new(0);
    let stub = Stub::start(move |seen, rows| {
        if is_history(seen) && grown.fetch_add(1, Ordering::SeqCst) < 5 {
            fill(rows, 20);
        }
        None
    })
    .await;
    fill(&stub.rows, 150);
    let device = Setup::at(&stub.url()).without_socket().start().await;
    soon("the end", device.client.synchronise(chat()))
        .await
        .unwrap();
    soon("the end", device.client.synchronise(chat()))
        .await
        .unwrap();
    assert_eq!(whole(&device).await, texts(&stub.rows));
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f33_server_whose_pages_never_end_is_left() {
    let stub = Stub::start(|seen, _| {
        let page = json!({"data": {"messages": [
            {"id": "m1", "role": "user", "content": "round"},
            {"id": "m2", "role": "assistant", "content": "and round"},
        ], "total_count": 1_000_000, "limit": 2}});
        is_history(seen).then(|| Reply::json(200, page))
    })
    .await;
    let device = Setup::at(&stub.url()).without_socket().start().await;
    let ended = soon("an end", device.client.synchronise(chat())).await;
    assert_eq!(whole(&device).await, ["round", "and round"], "{ended:?}");
    let asked = stub.count(is_history);
    assert!(asked <= 60, "{asked} requests");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f31_history_that_shrank_wipes_nothing_and_goes_on() {
    let shrunk = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let tell = shrunk.clone();
    let stub = Stub::start(move |seen, rows| {
        (is_history(seen) && shrunk.load(Ordering::SeqCst)).then(|| {
            let all = rows.all();
            let left: Vec<_> = all.iter().skip(8).collect();
            Reply::json(
                200,
                json!({"data": {"messages": left, "total_count": left.len()}}),
            )
        })
    })
    .await;
    fill(&stub.rows, 5);
    let device = Setup::at(&stub.url()).without_socket().start().await;
    device.client.synchronise(chat()).await.unwrap();
    assert_eq!(whole(&device).await.len(), 10);
    tell.store(true, Ordering::SeqCst);
    stub.rows.say("user", "after the loss");
    device.client.synchronise(chat()).await.unwrap();
    let here = whole(&device).await;
    assert_eq!(here.len(), 11, "{here:?}");
    assert_eq!(here.last().unwrap(), "after the loss");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f30_what_comes_while_the_history_is_read_keeps_its_place() {
    // The history is answered only once the frames were said, and it does not know them yet.
    let (said, hears) = tokio::sync::watch::channel(false);
    let before = json!({"data": {"messages": [
        {"id": "m1", "role": "user", "content": "old question"},
        {"id": "m2", "role": "assistant", "content": "old answer"},
    ], "total_count": 2, "limit": 100, "offset": 0}});
    let stub = Stub::start(move |seen, rows| {
        if seen.wants_socket() {
            let (said, rows) = (said.clone(), rows.clone());
            return Some(Reply::socket(move |mut socket| async move {
                say(&mut socket, &json!({"type": "connected"})).await;
                let row = rows.say("assistant", "news");
                say(&mut socket, &json!({"type": "message", "message": row})).await;
                say(&mut socket, &row_again(&row)).await;
                said.send_replace(true);
                while let Some(text) = hear(&mut socket).await {
                    rows.say("user", &text);
                    say(&mut socket, &json!({"type": "message_received"})).await;
                    say(&mut socket, &chunk("re: now")).await;
                    rows.say("assistant", "re: now");
                    say(&mut socket, &json!({"type": "stream_complete"})).await;
                }
            }));
        }
        (is_history(seen) && !*hears.borrow()).then(|| Reply::json(200, &before))
    })
    .await;
    stub.rows.say("user", "old question");
    stub.rows.say("assistant", "old answer");
    let device = Device::start(&stub.url()).await;
    let handle = device.open(&chat(), ConnectionState::Live).await;
    device
        .until(&chat(), "the news", |rows| {
            rows.iter().any(|r| r.text == "news")
        })
        .await;
    handle.send("now").await.unwrap();
    device.answered(&chat(), "now").await;
    device.client.synchronise(chat()).await.unwrap();
    assert_eq!(whole(&device).await, texts(&stub.rows));
    device.stop().await;
}

fn row_again(row: &Value) -> Value {
    json!({"type": "message", "message": row, "timestamp": "2025-11-20T09:00:00Z"})
}
