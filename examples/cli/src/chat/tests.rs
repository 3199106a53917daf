//! The chat as people see it: events in, the screen out.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend};
use tidings::domain::{
    connection::{ConnectionState, ConnectionStatus, Transport},
    conversation::{Conversation, ServerConversation},
    delivery::DeliveryState,
    event::{ClientEvent, StreamPhase},
    ids::{ClientMessageId, ConversationId},
    message::{Completeness, Message, Role},
    order::SortKey,
    time::WallTime,
};

use super::{
    app::{App, Focus},
    draw::draw,
    update::{Effect, Event},
};

fn conversation(id: &str, persona: &str, unread: u32) -> Conversation {
    let mut server = ServerConversation::bare(cid(id));
    server.persona = Some(persona.to_owned());
    Conversation {
        unread,
        ..Conversation::new(server)
    }
}

fn cid(id: &str) -> ConversationId {
    ConversationId::parse(id).expect("id")
}

fn mid(n: u8) -> ClientMessageId {
    ClientMessageId::from_bytes([n; 16])
}

fn message(n: u8, own: bool, text: &str, state: DeliveryState) -> Message {
    Message {
        id: mid(n),
        conversation: cid("c1"),
        server_id: None,
        role: if own { Role::User } else { Role::Assistant },
        sender: None,
        own,
        text: text.to_owned(),
        key: SortKey::server(i64::from(n)),
        state,
        attempts: 0,
        left_above: None,
        created_at: None,
        answers: None,
        completeness: Completeness::Complete,
        deleted: false,
        overlay: None,
        unread: false,
        revision: 0,
        gap: None,
        version: 1,
    }
}

fn opened() -> App {
    let mut app = App::default();
    app.update(Event::Conversations(vec![
        conversation("c1", "general_wellness", 0),
        conversation("c2", "nutritionist", 3),
    ]));
    app.update(Event::Messages(
        cid("c1"),
        vec![
            message(1, true, "Hello!", DeliveryState::Sent),
            message(2, false, "Hi, how did you sleep?", DeliveryState::Sent),
            message(3, true, "Badly", DeliveryState::Failed),
        ],
    ));
    app
}

fn connected(state: ConnectionState, transport: Transport) -> Event {
    Event::Client(ClientEvent::Connection {
        conversation: cid("c1"),
        status: ConnectionStatus {
            state,
            transport,
            ..ConnectionStatus::default()
        },
    })
}

fn key(code: KeyCode) -> Event {
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn control(c: char) -> Event {
    Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
}

fn screen(app: &App) -> String {
    let mut terminal = Terminal::new(TestBackend::new(72, 12)).expect("terminal");
    terminal.draw(|frame| draw(frame, app)).expect("draw");
    let shown = terminal.backend().to_string();
    let lines = shown.lines().map(|line| line.trim_matches('"').trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_screen_shows_list_messages_marks_and_light() {
    let mut app = opened();
    app.update(connected(ConnectionState::Live, Transport::WebSocket));
    app.update(Event::Paste("I will try".to_owned()));
    let expected = "\
● WebSocket
┌Conversations───────────────┐┌Chat with general wellness──────────────┐
│▸ Chat with general wellness││✓ you: Hello!                           │
│  Chat with nutritionist (3)││  coach: Hi, how did you sleep?         │
│                            ││✗ you: Badly                            │
│                            ││                                        │
│                            ││                                        │
└────────────────────────────┘└────────────────────────────────────────┘
┌Message───────────────────────────────────────────────────────────────┐
│I will try                                                            │
└──────────────────────────────────────────────────────────────────────┘
Enter send · Tab switch · PgUp older · ^R retry · ^X cancel · ^S stop ·";
    assert_eq!(screen(&app), expected);
}

#[test]
fn an_answer_that_comes_behind_the_news_changes_nothing() {
    let mut app = opened();
    let asked = ConnectionStatus {
        state: ConnectionState::Connecting,
        ..ConnectionStatus::default()
    };
    app.update(connected(ConnectionState::Live, Transport::WebSocket));
    app.update(Event::Status(cid("c1"), asked.clone()));
    assert_eq!(app.light().1, "WebSocket");
    app.update(Event::Show(cid("c2")));
    app.update(Event::Status(
        cid("c2"),
        ConnectionStatus {
            state: ConnectionState::Live,
            ..asked
        },
    ));
    assert_eq!(app.light().1, "WebSocket", "nothing was told of this one");
}

#[test]
fn the_light_names_what_carries_messages() {
    let mut app = opened();
    for (state, transport, word) in [
        (ConnectionState::Live, Transport::WebSocket, "WebSocket"),
        (ConnectionState::Polling, Transport::Polling, "polling"),
        (ConnectionState::Backoff, Transport::Polling, "polling"),
        (ConnectionState::Offline, Transport::None, "offline"),
    ] {
        app.update(connected(state, transport));
        assert!(screen(&app).contains(&format!("● {word}")), "{word}");
    }
}

#[test]
fn a_streamed_answer_grows_and_then_becomes_the_stored_one() {
    let mut app = opened();
    let stream = |phase, offset, text: &str| {
        Event::Client(ClientEvent::Stream {
            conversation: cid("c1"),
            id: mid(9),
            phase,
            offset,
            text: text.to_owned(),
        })
    };
    app.update(stream(StreamPhase::Started, 0, ""));
    app.update(stream(StreamPhase::Delta, 0, "Try "));
    app.update(stream(StreamPhase::Delta, 4, "tea"));
    assert!(screen(&app).contains("  coach: Try tea…"));
    // A hole in the deltas is left to the store, never guessed over.
    app.update(stream(StreamPhase::Delta, 20, "late"));
    assert!(!screen(&app).contains("late"));
    app.update(stream(StreamPhase::Completed, 7, ""));
    let rows = vec![message(9, false, "Try tea.", DeliveryState::Sent)];
    app.update(Event::Messages(cid("c1"), rows));
    let shown = screen(&app);
    assert_eq!(shown.matches("Try tea").count(), 1, "{shown}");
}

#[test]
fn enter_sends_and_empties_the_line_and_a_refusal_gives_it_back() {
    let mut app = opened();
    for c in "hey".chars() {
        app.update(key(KeyCode::Char(c)));
    }
    let effects = app.update(key(KeyCode::Enter));
    assert!(effects == vec![Effect::Send(cid("c1"), "hey".to_owned())]);
    assert_eq!(app.input, "");
    app.give_back("hey".to_owned());
    assert_eq!((app.input.as_str(), app.cursor), ("hey", 3));
    app.update(control('u'));
    app.update(Event::Paste("   ".to_owned()));
    assert!(
        app.update(key(KeyCode::Enter)).is_empty(),
        "blank is not sent"
    );
}

#[test]
fn a_failed_message_is_retried_or_cancelled() {
    let mut app = opened();
    assert!(app.update(control('r')) == vec![Effect::Retry(mid(3))]);
    assert!(app.update(control('x')) == vec![Effect::Cancel(mid(3))]);
    let rows = vec![message(1, true, "Hello!", DeliveryState::Sent)];
    app.update(Event::Messages(cid("c1"), rows));
    assert!(app.update(control('r')).is_empty());
    assert!(screen(&app).contains("no message failed or waits"));
}

#[test]
fn the_list_is_walked_and_opening_marks_as_read() {
    let mut app = opened();
    app.update(key(KeyCode::Tab));
    assert_eq!(app.focus, Focus::List);
    app.update(key(KeyCode::Down));
    app.update(key(KeyCode::Down));
    let effects = app.update(key(KeyCode::Enter));
    assert!(effects == vec![Effect::Open(cid("c2")), Effect::MarkRead(cid("c2"))]);
    assert!(
        app.messages.is_empty(),
        "no message of the other conversation is left"
    );
}

#[test]
fn messages_of_another_conversation_never_show() {
    let mut app = opened();
    let stranger = vec![message(7, false, "not for here", DeliveryState::Sent)];
    app.update(Event::Messages(cid("c2"), stranger));
    assert!(!screen(&app).contains("not for here"));
}

#[test]
fn a_cooldown_counts_down_and_goes() {
    let mut app = opened();
    app.update(Event::Now(WallTime::from_millis(0)));
    app.update(Event::Client(ClientEvent::Cooldown {
        until: WallTime::from_millis(2_500),
        scope: "send",
    }));
    assert!(screen(&app).contains("wait 3 s"));
    app.update(Event::Now(WallTime::from_millis(2_000)));
    assert!(screen(&app).contains("wait 1 s"));
    app.update(Event::Now(WallTime::from_millis(3_000)));
    assert!(!screen(&app).contains("wait"));
}

#[test]
fn long_histories_show_their_end_and_scroll_to_the_marked_message() {
    let mut app = opened();
    let rows = (0..40).map(|n| message(n, false, &format!("line {n}"), DeliveryState::Sent));
    app.update(Event::Messages(cid("c1"), rows.collect()));
    let shown = screen(&app);
    assert!(
        shown.contains("line 39") && !shown.contains("line 20"),
        "{shown}"
    );
    app.update(key(KeyCode::Up));
    for _ in 0..20 {
        app.update(key(KeyCode::Up));
    }
    let shown = screen(&app);
    assert!(
        shown.contains("line 19") && !shown.contains("line 39"),
        "{shown}"
    );
}

#[test]
fn any_size_and_any_text_can_be_drawn() {
    let mut app = opened();
    let odd = "日本語🦀\u{1b}[31m\u{0}\n\u{202e}\u{200d}";
    app.update(Event::Paste(odd.repeat(50)));
    app.update(Event::Messages(
        cid("c1"),
        vec![message(1, false, &odd.repeat(50), DeliveryState::Sent)],
    ));
    for (width, height) in [(1, 1), (5, 3), (20, 5), (33, 7), (200, 60)] {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("terminal");
        terminal.draw(|frame| draw(frame, &app)).expect("draw");
    }
    for code in [
        KeyCode::Backspace,
        KeyCode::Left,
        KeyCode::Delete,
        KeyCode::Home,
        KeyCode::End,
    ] {
        app.update(key(code));
    }
}
