//! Answers: streamed, pushed, polled, cut short; always one row.

use tidings::{
    domain::{
        event::{ClientEvent, CloseReason, SessionEvent, StreamPhase},
        message::{Completeness, Role},
    },
    testing::scripted::{Operation, Reply, delta},
};

use crate::support::{App, blocked, ms, pass, secs};

/// Live, with a confirmed question.
async fn asked(app: &App) -> tidings::ConversationHandle {
    let handle = app.live().await;
    handle.send("a question").await.unwrap();
    pass(ms(100)).await;
    handle
}

#[tokio::test(start_paused = true)]
async fn l68_poll_during_a_stream_keeps_the_answer() {
    let app = App::new().await;
    let handle = asked(&app).await;
    let session = app.service.session("c1");
    session.push(delta("It is "));
    pass(ms(50)).await;
    let id = app.rows("c1").await[1].id;
    for piece in ["still ", "being ", "written"] {
        app.client.catch_up(handle.id().clone()).await.unwrap();
        session.push(delta(piece));
        pass(ms(300)).await;
        let rows = app.rows("c1").await;
        assert_eq!((rows.len(), rows[1].id), (2, id));
        assert!(rows[1].text.ends_with(piece));
    }
}

// covers: INV-18
#[tokio::test(start_paused = true)]
async fn a_streamed_answer_is_bound_to_the_servers_row() {
    let mut app = App::new().await;
    let handle = asked(&app).await;
    app.told();
    app.service.streams("c1", &["Hi ", "there"]);
    pass(ms(20)).await;
    let id = app.rows("c1").await[1].id;
    pass(secs(2)).await;
    let rows = app.rows("c1").await;
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1].id, rows[1].text.as_str()), (id, "Hi there"));
    assert_eq!(rows[1].server_id.as_ref().unwrap().as_str(), "m2");
    assert_eq!(rows[1].completeness, Completeness::Complete);
    let ended = app.told().into_iter().filter(|event| {
        matches!(
            event,
            ClientEvent::Stream {
                phase: StreamPhase::Completed,
                ..
            }
        )
    });
    assert_eq!(ended.count(), 1, "the end is told once");
    drop(handle);
}

#[tokio::test(start_paused = true)]
async fn l71_full_message_completes_the_streamed_answer() {
    for with_terminator in [false, true] {
        let app = App::new().await;
        let handle = asked(&app).await;
        let session = app.service.session("c1");
        session.push(delta("Hi "));
        session.push(delta("ther"));
        pass(ms(50)).await;
        let id = app.rows("c1").await[1].id;
        if with_terminator {
            session.push(SessionEvent::AnswerCompleted { stopped: false });
        }
        app.service.pushes("c1", "Hi there");
        pass(secs(2)).await;
        let rows = app.rows("c1").await;
        assert_eq!(rows.len(), 2, "terminator: {with_terminator}");
        assert_eq!((rows[1].id, rows[1].text.as_str()), (id, "Hi there"));
        assert_eq!(rows[1].server_id.as_ref().unwrap().as_str(), "m2");
        drop(handle);
    }
}

#[tokio::test(start_paused = true)]
async fn l69_answer_must_follow_its_own_question() {
    let app = App::new().await;
    app.service.writes_own("c1", "an older question");
    app.service.writes("c1", Role::Assistant, "an older answer");
    let handle = app.polling().await;
    let id = handle.send("a newer question").await.unwrap().id;
    pass(secs(20)).await;
    let waiting = handle.send("one more").await.unwrap().id;
    pass(secs(1)).await;
    let queued = app.outbox().await.remove(0);
    assert_eq!(
        (queued.id, queued.reason.unwrap().code.as_str()),
        (waiting, "turn_open")
    );
    app.service.writes("c1", Role::Assistant, "its answer");
    pass(secs(6)).await;
    let expected = [
        "an older question",
        "an older answer",
        "a newer question",
        "its answer",
        "one more",
    ];
    assert_eq!(app.texts("c1").await, expected);
    assert_eq!(app.rows("c1").await[2].id, id);
}

// covers: F-34
#[tokio::test(start_paused = true)]
async fn an_answer_cut_short_is_completed_from_the_history_on_the_same_row() {
    let mut app = App::new().await;
    let handle = asked(&app).await;
    app.service.session("c1").push(delta("Half an "));
    pass(secs(31)).await;
    let rows = app.rows("c1").await;
    assert_eq!(rows[1].completeness, Completeness::Incomplete);
    let id = rows[1].id;
    handle.send("are you there").await.unwrap();
    app.service.edit("c1", |rows| {
        let answer =
            tidings::testing::scripted::server_message("m9", Role::Assistant, "Half an hour");
        rows.insert(1, answer);
    });
    pass(secs(60)).await;
    let rows = app.rows("c1").await;
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[1].id, rows[1].text.as_str()), (id, "Half an hour"));
    assert_eq!(rows[1].completeness, Completeness::Complete);
    app.assert_sound();
}

// covers: F-34
#[tokio::test(start_paused = true)]
async fn an_error_frame_keeps_text_and_socket_and_frees_the_next_message() {
    let mut app = App::new().await;
    let handle = asked(&app).await;
    let session = app.service.session("c1");
    session.push(delta("As far as "));
    pass(ms(50)).await;
    app.told();
    session.push(SessionEvent::Failed {
        code: Some("AI_SERVICE_UNAVAILABLE".into()),
        text: "the model is busy".into(),
        refused: None,
    });
    pass(ms(50)).await;
    assert_eq!(app.rows("c1").await[1].completeness, Completeness::Failed);
    assert_eq!(app.texts("c1").await[1], "As far as ");
    let told = app.told().into_iter().any(|event| {
        matches!(event, ClientEvent::Stream { phase: StreamPhase::Failed, text, .. } if text == "the model is busy")
    });
    assert!(told);
    handle.send("again").await.unwrap();
    pass(ms(100)).await;
    assert_eq!(app.service.texts("c1"), ["a question", "again"]);
    assert!(!session.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_full_message_without_any_stream_answers_the_question() {
    let app = App::new().await;
    let handle = asked(&app).await;
    let waiting = handle.send("the next").await.unwrap().id;
    app.service.pushes("c1", "a plain answer");
    pass(secs(1)).await;
    assert_eq!(
        app.texts("c1").await,
        ["a question", "a plain answer", "the next"]
    );
    assert!(app.message(waiting).await.unwrap().state.is_on_server());
}

#[tokio::test(start_paused = true)]
async fn typing_is_the_same_over_both_transports() {
    let typing = |app: &mut App| -> Vec<bool> {
        let told = app.told().into_iter();
        told.filter_map(|event| match event {
            ClientEvent::Typing {
                user: None, active, ..
            } => Some(active),
            _ => None,
        })
        .collect()
    };
    let mut live = App::new().await;
    let handle = asked(&live).await;
    assert_eq!(typing(&mut live), [true]);
    live.service.streams("c1", &["ok"]);
    pass(secs(1)).await;
    assert_eq!(typing(&mut live), [false]);
    drop(handle);
    let mut polled = App::new().await;
    let handle = polled.polling().await;
    handle.send("a question").await.unwrap();
    pass(ms(100)).await;
    assert_eq!(typing(&mut polled), [true]);
    polled.service.writes("c1", Role::Assistant, "ok");
    pass(secs(6)).await;
    assert_eq!(typing(&mut polled), [false]);
}

#[tokio::test(start_paused = true)]
async fn stop_ends_the_answer_and_keeps_what_came() {
    let app = App::new().await;
    let handle = asked(&app).await;
    app.service.session("c1").push(delta("Enough"));
    pass(ms(50)).await;
    handle.stop_answer().await.unwrap();
    pass(ms(50)).await;
    let row = app.rows("c1").await.remove(1);
    assert_eq!(
        (row.text.as_str(), row.completeness),
        ("Enough", Completeness::Stopped)
    );
    assert_eq!(app.service.count(Operation::StopAnswer), 1);
}

// covers: F-34
#[tokio::test(start_paused = true)]
async fn a_socket_that_breaks_in_the_middle_of_an_answer_loses_nothing() {
    let app = App::new().await;
    let handle = asked(&app).await;
    app.service.session("c1").push(delta("The first "));
    pass(ms(50)).await;
    app.service
        .always(Operation::Connect, Reply::Fail(blocked()));
    app.service.session("c1").end(CloseReason::Broken);
    pass(secs(3)).await;
    assert_eq!(app.texts("c1").await, ["a question", "The first "]);
    app.service
        .writes("c1", Role::Assistant, "The first half and the second");
    pass(secs(6)).await;
    assert_eq!(
        app.texts("c1").await,
        ["a question", "The first half and the second"]
    );
    drop(handle);
}

#[tokio::test(start_paused = true)]
async fn another_devices_question_and_answer_appear_in_order() {
    let app = App::new().await;
    let handle = app.live().await;
    app.service.writes_own("c1", "asked on the tablet");
    app.service.streams("c1", &["answered ", "there"]);
    pass(secs(5)).await;
    assert_eq!(
        app.texts("c1").await,
        ["asked on the tablet", "answered there"]
    );
    assert!(
        app.rows("c1")
            .await
            .iter()
            .all(|row| row.server_id.is_some())
    );
    drop(handle);
}
