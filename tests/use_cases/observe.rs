//! Observers: one snapshot, then every change, to all who look.

use tidings::{
    domain::{
        delivery::DeliveryState,
        event::{ClientEvent, StreamPhase},
        message::Message,
        ports::chat_repository::ConversationFilter,
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply, delta},
    },
};

use crate::support::{App, chat, ms, pass, secs, unreachable};

#[tokio::test(start_paused = true)]
async fn l63_every_observer_hears_every_event_once() {
    use futures_util::FutureExt;
    let service = ScriptedService::builder().conversation("c1").build();
    let app = App::over(&service).await;
    let mut streams = [
        app.client.events(),
        app.client.events(),
        app.client.events(),
    ];
    let handle = app.live().await;
    for n in 0..2 {
        handle.send(format!("question {n}")).await.unwrap();
        pass(ms(100)).await;
        service.streams("c1", &["an ", "answer"]);
        pass(secs(2)).await;
        service.pushes("c1", "and one more thing");
        pass(secs(1)).await;
    }
    let heard: Vec<Vec<ClientEvent>> = streams
        .iter_mut()
        .map(|stream| {
            let mut all = Vec::new();
            while let Some(Some(event)) = stream.next().now_or_never() {
                all.push(event);
            }
            all
        })
        .collect();
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[1], heard[2]);
    let ended = heard[0].iter().filter(|event| {
        matches!(
            event,
            ClientEvent::Stream {
                phase: StreamPhase::Completed,
                ..
            }
        )
    });
    assert_eq!(ended.count(), 2, "each turn ends once");
    assert_eq!(app.texts("c1").await.len(), 6);
}

// covers: INV-13
#[tokio::test(start_paused = true)]
async fn snapshot_and_changes_replay_to_the_store() {
    let service = ScriptedService::builder().conversation("c1").build();
    let app = App::over(&service).await;
    let handle = app.live().await;
    let mut timeline = handle.observe(100);
    let mut shown: Vec<Message> = Vec::new();
    for n in 0..5 {
        handle.send(format!("question {n}")).await.unwrap();
        pass(ms(50)).await;
        service.session("c1").push(delta("part "));
        let step = tokio::time::timeout(ms(400), async {
            loop {
                for change in timeline.next().await.unwrap() {
                    change.apply(&mut shown).unwrap();
                }
            }
        });
        let _ = step.await;
        service.streams("c1", &["and rest"]);
        pass(secs(2)).await;
    }
    let rest = tokio::time::timeout(secs(1), async {
        loop {
            for change in timeline.next().await.unwrap() {
                change.apply(&mut shown).unwrap();
            }
        }
    });
    let _ = rest.await;
    assert_eq!(shown, app.rows("c1").await);
    assert_eq!(shown.len(), 10);
}

// covers: INV-13
#[tokio::test(start_paused = true)]
async fn a_slow_observer_gets_the_truth_without_a_hole() {
    let app = App::new().await;
    let handle = app.live().await;
    let mut timeline = handle.observe(1_000);
    let mut shown: Vec<Message> = Vec::new();
    for change in timeline.next().await.unwrap() {
        change.apply(&mut shown).unwrap();
    }
    for n in 0..300 {
        app.service.pushes("c1", &format!("row {n}"));
    }
    pass(secs(5)).await;
    for change in timeline.next().await.unwrap() {
        change.apply(&mut shown).unwrap();
    }
    assert_eq!(shown, app.rows("c1").await);
    assert_eq!(shown.len(), 300);
}

#[tokio::test(start_paused = true)]
async fn deliveries_are_told_in_order() {
    let app = App::new().await;
    let mut deliveries = app.client.observe_deliveries().await.unwrap();
    app.service
        .next(Operation::Send, Reply::Fail(unreachable()));
    let id = app.send("a life").await;
    pass(secs(5)).await;
    use DeliveryState::{Queued, Sending, Sent};
    for state in [Queued, Sending, Queued, Sending, Sent] {
        let told = deliveries.next().await.unwrap();
        assert_eq!((told.message, told.state), (id, state));
    }
    let story = app.client.explain(id).await.unwrap();
    assert_eq!(story.journal.len(), 5);
    assert_eq!(story.outbox, None);
}

#[tokio::test(start_paused = true)]
async fn the_outbox_shows_state_attempt_and_next_attempt() {
    let app = App::new().await;
    let mut outbox = app.client.observe_outbox();
    assert_eq!(outbox.next().await.unwrap(), []);
    app.service
        .always(Operation::Send, Reply::Fail(unreachable()));
    app.send("waiting").await;
    pass(ms(10)).await;
    let entry = outbox.next().await.unwrap().remove(0);
    assert_eq!((entry.state, entry.attempt), (DeliveryState::Queued, 1));
    assert!(entry.next_attempt_at.is_some());
    assert_eq!(entry.reason.unwrap().code, "network.unreachable");
}

#[tokio::test(start_paused = true)]
async fn the_list_follows_what_happens_in_its_conversations() {
    let app = App::new().await;
    app.client.refresh_conversations().await.unwrap();
    let mut list = app
        .client
        .observe_conversations(ConversationFilter::default());
    list.next().await.unwrap();
    let handle = app.client.open(chat("c1"));
    pass(secs(1)).await;
    app.service.pushes("c1", "news");
    let shown = loop {
        let shown = list.next().await.unwrap();
        if shown[0].unread == 1 {
            break shown;
        }
    };
    assert_eq!(shown[0].last_message.as_ref().unwrap().text, "news");
    drop(handle);
}
