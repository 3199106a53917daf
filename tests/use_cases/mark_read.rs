//! Read markers: forward only, told where the server listens.

use tidings::{
    domain::event::SessionEvent,
    testing::scripted::{Operation, Reply},
};

use crate::support::{App, chat, pass, secs, unreachable};

// covers: INV-14, INV-15
#[tokio::test(start_paused = true)]
async fn reading_clears_the_count_and_tells_the_server_how_far() {
    let app = App::new().await;
    let handle = app.live().await;
    for n in 0..3 {
        app.service.pushes("c1", &format!("row {n}"));
    }
    pass(secs(1)).await;
    assert_eq!(
        app.client
            .conversation(&chat("c1"))
            .await
            .unwrap()
            .unwrap()
            .unread,
        3
    );
    let read = app.client.mark_read(chat("c1")).await.unwrap();
    assert_eq!(read.unread, 0);
    pass(secs(1)).await;
    assert_eq!(app.service.count(Operation::MarkRead), 1);
    app.client.mark_read(chat("c1")).await.unwrap();
    pass(secs(1)).await;
    assert_eq!(
        app.service.count(Operation::MarkRead),
        1,
        "nothing new to tell"
    );
    app.service.pushes("c1", "row 3");
    pass(secs(1)).await;
    assert_eq!(
        app.client
            .conversation(&chat("c1"))
            .await
            .unwrap()
            .unwrap()
            .unread,
        1
    );
    drop(handle);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_told_leaves_the_local_marker_alone() {
    let app = App::new().await;
    app.service
        .always(Operation::MarkRead, Reply::Fail(unreachable()));
    let handle = app.live().await;
    app.service.pushes("c1", "row");
    pass(secs(1)).await;
    assert_eq!(app.client.mark_read(chat("c1")).await.unwrap().unread, 0);
    drop(handle);
}

// covers: INV-15
#[tokio::test(start_paused = true)]
async fn a_marker_of_another_device_moves_forward_only() {
    let app = App::new().await;
    let handle = app.live().await;
    let ids: Vec<_> = (0..3)
        .map(|n| app.service.pushes("c1", &format!("row {n}")))
        .collect();
    pass(secs(1)).await;
    let session = app.service.session("c1");
    let unread = async || {
        app.client
            .conversation(&chat("c1"))
            .await
            .unwrap()
            .unwrap()
            .unread
    };
    for (up_to, left) in [(1, 1), (0, 1), (2, 0), (0, 0)] {
        session.push(SessionEvent::ReadMarker {
            up_to: ids[up_to].clone(),
        });
        pass(secs(1)).await;
        assert_eq!(unread().await, left);
    }
    drop(handle);
}
