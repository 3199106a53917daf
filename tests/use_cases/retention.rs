//! Limits of what stays on the device: what was removed is read again when somebody scrolls to it.

use tidings::{Config, domain::message::Role, testing::ScriptedService};

use crate::support::{App, chat, pass, secs};

fn limited() -> Config {
    let mut config = Config::default();
    config.set("retention.messages", "60").unwrap();
    config
}

fn server(messages: usize) -> ScriptedService {
    let service = ScriptedService::builder().conversation("c1").build();
    for n in 1..=messages {
        service.writes("c1", Role::Assistant, &format!("said {n}"));
    }
    service
}

/// Everything is read, seen, and left: then the limits hold.
async fn read_and_left(service: &ScriptedService, messages: usize) -> App {
    let app = App::with(service, limited()).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    app.client.mark_read(chat("c1")).await.unwrap();
    assert_eq!(app.texts("c1").await.len(), messages);
    pass(secs(3 * 3600)).await;
    app
}

#[tokio::test(start_paused = true)]
async fn what_was_removed_comes_back_in_its_place() {
    let service = server(250);
    let mut app = read_and_left(&service, 250).await;
    let kept = app.texts("c1").await;
    assert_eq!((kept.len(), kept[0].as_str()), (60, "said 191"));
    // New words come to the end as ever.
    let handle = app.live().await;
    service.pushes("c1", "said 251");
    pass(secs(1)).await;
    assert_eq!(app.texts("c1").await.len(), 61);
    while app.client.load_older(chat("c1")).await.unwrap() {}
    assert_eq!(app.texts("c1").await, service.texts("c1"));
    let row = app.client.conversation(&chat("c1")).await.unwrap().unwrap();
    assert_eq!(row.sync.oldest, None);
    drop(handle);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn one_step_back_brings_something_new() {
    let service = server(250);
    let app = read_and_left(&service, 250).await;
    assert!(app.client.load_older(chat("c1")).await.unwrap());
    let texts = app.texts("c1").await;
    assert!(texts.len() > 60, "{}", texts.len());
    assert_eq!(texts, service.texts("c1")[250 - texts.len()..]);
}

#[tokio::test(start_paused = true)]
async fn without_limits_nothing_is_removed() {
    let service = server(120);
    let app = App::over(&service).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    app.client.mark_read(chat("c1")).await.unwrap();
    pass(secs(48 * 3600)).await;
    assert_eq!(app.texts("c1").await.len(), 120);
}
