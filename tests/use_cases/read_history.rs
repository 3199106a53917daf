//! Reading what is stored: pages, export.

use tidings::{domain::message::Role, testing::ScriptedService};

use crate::support::{App, chat};

async fn stored() -> App {
    let service = ScriptedService::new();
    for n in 0..25 {
        service.writes("c1", Role::Assistant, &format!("row {n}"));
    }
    let app = App::over(&service).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    app
}

#[tokio::test(start_paused = true)]
async fn pages_walk_back_to_the_beginning_with_places() {
    let app = stored().await;
    let asked = app.service.calls().len();
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = app
            .client
            .history(chat("c1"), before, 10, false)
            .await
            .unwrap();
        seen.extend(
            page.messages
                .iter()
                .rev()
                .map(|(place, row)| (*place, row.text.clone())),
        );
        before = page.older;
        if before.is_none() {
            break;
        }
    }
    seen.reverse();
    let expected: Vec<_> = (0..25).map(|n| (n, format!("row {n}"))).collect();
    assert_eq!(seen, expected);
    assert_eq!(app.service.calls().len(), asked, "offline");
}

#[tokio::test(start_paused = true)]
async fn export_holds_everything_in_order() {
    let app = stored().await;
    let export = app.client.export(chat("c1")).await.unwrap();
    assert_eq!(export.messages.len(), 25);
    assert_eq!(export.messages[24].1.text, "row 24");
    assert_eq!(
        app.client.export(chat("nowhere")).await.unwrap_err().code(),
        "not_found"
    );
}
