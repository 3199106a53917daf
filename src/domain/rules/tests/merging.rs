//! What the server tells, laid over what is stored.

use proptest::prelude::*;

use super::*;

#[test]
fn a_page_again_changes_not_a_byte() {
    let mut desk = Desk::new();
    let page = [mine("m1", "q"), theirs("m2", "a"), theirs("m3", "more")];
    desk.read(&page);
    let before = (desk.rows(), desk.conversation());
    for placement in [
        Placement::Newer,
        Placement::Older,
        Placement::Live,
        Placement::Early,
    ] {
        assert_eq!(desk.merge(&page, placement).inserted, []);
    }
    assert_eq!((desk.rows(), desk.conversation()), before);
}

#[test]
fn a_row_in_a_page_twice_is_one_row() {
    let mut desk = Desk::new();
    desk.read(&[theirs("m1", "a"), theirs("m2", "b"), theirs("m1", "a")]);
    assert_eq!(desk.texts(), ["a", "b"]);
    assert_eq!(desk.conversation().stored, 2);
}

#[test]
fn equal_texts_of_others_are_rows_of_their_own() {
    let mut desk = Desk::new();
    desk.read(&[theirs("m1", "ok"), theirs("m2", "ok"), theirs("m3", "ok")]);
    assert_eq!(desk.rows().len(), 3);
}

// covers: L75
#[test]
fn equal_own_texts_bind_one_to_one_in_order() {
    let mut desk = Desk::new();
    let ids = [
        desk.send(1, "yes"),
        desk.send(2, "yes"),
        desk.send(3, "yes"),
    ];
    let merged = desk.read(&[mine("m1", "yes"), mine("m2", "yes")]);
    assert_eq!(merged.confirmed, ids[..2]);
    assert_eq!(desk.state(ids[2]), DeliveryState::Sending);
    assert_eq!(desk.rows().len(), 3);
    desk.read(&[mine("m2", "yes"), mine("m3", "yes")]);
    assert_eq!(desk.state(ids[2]), DeliveryState::Sent);
    assert_eq!(desk.rows().len(), 3);
}

#[test]
fn of_equal_words_those_known_to_be_there_are_found_first() {
    let mut desk = Desk::new();
    let doubtful = desk.send(1, "yes");
    desk.settle(doubtful, lost());
    let confirmed = desk.send(2, "yes");
    desk.acknowledged(confirmed);
    desk.read(&[mine("m1", "yes")]);
    assert_eq!(desk.state(doubtful), DeliveryState::Uncertain);
    let row = desk.message(confirmed).expect("the row");
    assert_eq!(row.server_id, MessageId::parse("m1"));
    desk.read(&[mine("m2", "yes")]);
    assert_eq!(desk.state(doubtful), DeliveryState::Sent);
}

#[test]
fn of_equal_words_that_nobody_can_tell_of_the_latest_is_found_first() {
    let mut desk = Desk::new();
    desk.has_read_to("0");
    let long_ago = desk.send(1, "yes");
    desk.settle(long_ago, lost());
    desk.read(&[theirs("m1", "a")]);
    let latest = desk.send(2, "yes");
    desk.settle(latest, lost());
    desk.read(&[mine("m2", "yes")]);
    assert_eq!(desk.state(long_ago), DeliveryState::Uncertain);
    assert_eq!(desk.state(latest), DeliveryState::Sent);
}

#[test]
fn of_equal_words_the_uncertain_are_found_before_those_that_leave_again() {
    let mut desk = Desk::new();
    desk.has_read_to("0");
    let refused = desk.send(1, "yes");
    desk.settle(refused, not_applied());
    let in_doubt = desk.send(2, "yes");
    desk.settle(in_doubt, lost());
    desk.read(&[mine("m1", "yes")]);
    assert_eq!(desk.state(refused), DeliveryState::Queued);
    assert_eq!(desk.state(in_doubt), DeliveryState::Sent);
}

#[test]
fn what_left_before_the_first_page_was_read_is_found_among_older_rows() {
    let mut desk = Desk::new();
    let blind = desk.send(1, "yes");
    desk.acknowledged(blind);
    desk.read(&[mine("m8", "later"), theirs("m9", "a")]);
    desk.has_read_to("9");
    let since = desk.send(2, "yes");
    desk.acknowledged(since);
    let older = [mine("m1", "yes"), mine("m2", "yes"), theirs("m3", "b")];
    desk.merge(&older, Placement::Older);
    let row = desk.message(blind).expect("the row");
    assert_eq!(row.server_id, MessageId::parse("m1"));
    let row = desk.message(since).expect("the row");
    assert_eq!(row.server_id, None, "it left above every row of that page");
    assert_eq!(desk.rows().len(), 6, "m2 is another device's");
}

#[test]
fn what_stands_before_the_first_page_leaves_a_newer_row_to_its_equal() {
    let mut desk = Desk::new();
    let blind = desk.send(1, "yes");
    desk.acknowledged(blind);
    desk.read(&[theirs("m9", "a")]);
    desk.has_read_to("9");
    let since = desk.send(2, "yes");
    desk.acknowledged(since);
    desk.read(&[mine("m10", "yes")]);
    let row = desk.message(since).expect("the row");
    assert_eq!(row.server_id, MessageId::parse("m10"));
    desk.merge(&[mine("m1", "yes")], Placement::Older);
    let row = desk.message(blind).expect("the row");
    assert_eq!(row.server_id, MessageId::parse("m1"));
}

#[test]
fn what_left_into_an_empty_history_is_not_behind_it() {
    let mut desk = Desk::new();
    desk.has_read_to("0");
    let first = desk.send(1, "yes");
    desk.acknowledged(first);
    let second = desk.send(2, "yes");
    desk.read(&[mine("m1", "yes")]);
    let row = desk.message(first).expect("the row");
    assert_eq!(row.server_id, MessageId::parse("m1"));
    assert_eq!(desk.state(second), DeliveryState::Sending);
}

#[test]
fn what_never_left_binds_to_nothing() {
    let mut desk = Desk::new();
    let id = desk.accept(1, "yes", SendMode::Durable);
    let merged = desk.read(&[mine("m1", "yes")]);
    assert_eq!(merged.confirmed, []);
    assert_eq!(desk.state(id), DeliveryState::Queued);
    assert_eq!(desk.rows().len(), 2, "another device wrote the same");
}

#[test]
fn a_failed_message_binds_to_nothing() {
    let mut desk = Desk::new();
    let id = desk.send(1, "yes");
    desk.settle(id, Settlement::Rejected(because()));
    desk.read(&[mine("m1", "yes")]);
    assert_eq!(desk.state(id), DeliveryState::Failed);
}

#[test]
fn a_key_that_the_server_echoes_binds_whatever_the_text() {
    let mut desk = Desk::new();
    let id = desk.send(1, "with  spaces");
    let echoed = ServerMessage {
        client_id: Some(id),
        ..mine("m1", "with spaces")
    };
    desk.push(echoed);
    let row = desk.message(id).expect("the row");
    assert_eq!(
        (row.state, row.text.as_str()),
        (DeliveryState::Sent, "with spaces")
    );
    assert_eq!(desk.rows().len(), 1);
}

#[test]
fn what_the_server_cleaned_of_marks_is_found_by_its_words_while_in_doubt() {
    let mut desk = Desk::new();
    desk.has_read_to("0");
    let ids = [desk.send(1, "<b>yes</b>"), desk.send(2, "yes")];
    for id in ids {
        desk.settle(id, lost());
    }
    desk.read(&[mine("m1", "yes")]);
    assert_eq!(
        desk.state(ids[1]),
        DeliveryState::Sent,
        "the same text first"
    );
    desk.read(&[mine("m2", "no"), mine("m3", "yes")]);
    assert_eq!(desk.state(ids[0]), DeliveryState::Sent);
    desk.read(&[mine("m4", "yes")]);
    assert_eq!(desk.rows().len(), 4, "nothing else is in doubt");
    let wordless = desk.send(3, "<b>!</b>");
    desk.settle(wordless, lost());
    desk.read(&[mine("m5", "?")]);
    assert_eq!(desk.state(wordless), DeliveryState::Uncertain);
}

#[test]
fn an_echo_without_a_key_is_no_row_of_its_own_while_one_of_ours_may_be_it() {
    let mut desk = Desk::new();
    desk.has_read_to("0");
    let id = desk.send(1, "yes");
    let merged = desk.push(mine("m1", "yes"));
    assert!(merged.unplaced, "the history is asked");
    desk.settle(id, lost());
    desk.push(mine("m1", "yes"));
    assert_eq!(desk.rows().len(), 1);
    desk.read(&[mine("m1", "yes")]);
    assert_eq!(desk.state(id), DeliveryState::Sent);
    assert_eq!(desk.rows().len(), 1);
    assert!(!desk.push(mine("m1", "yes")).unplaced, "it is known now");
    assert!(!desk.push(mine("m2", "from elsewhere")).unplaced);
    assert_eq!(desk.texts(), ["yes", "from elsewhere"]);
}

#[test]
fn a_key_of_another_device_binds_to_no_row_of_ours() {
    let mut desk = Desk::new();
    let id = desk.send(1, "yes");
    let foreign = ServerMessage {
        client_id: Some(key(77)),
        ..mine("m1", "yes")
    };
    desk.read(&[foreign]);
    assert_eq!(desk.state(id), DeliveryState::Sending);
    assert_eq!(desk.rows().len(), 2);
}

// covers: INV-07
#[test]
fn rows_found_late_go_between_their_neighbours() {
    let mut desk = Desk::new();
    desk.read(&[theirs("m1", "1"), theirs("m9", "9")]);
    desk.read(&[
        theirs("m1", "1"),
        theirs("m4", "4"),
        theirs("m5", "5"),
        theirs("m9", "9"),
    ]);
    desk.merge(&[theirs("m0", "0")], Placement::Older);
    desk.read(&[theirs("m9", "9"), theirs("m10", "10")]);
    assert_eq!(desk.texts(), ["0", "1", "4", "5", "9", "10"]);
}

// covers: INV-07
#[test]
fn room_is_made_between_two_rows_as_often_as_it_takes() {
    let mut desk = Desk::new();
    let mut page = vec![theirs("a", "a"), theirs("z", "z")];
    desk.read(&page);
    for n in 0..200 {
        page.insert(1, theirs(&format!("n{n}"), &n.to_string()));
        desk.read(&page);
        let expected: Vec<_> = page.iter().map(|row| row.text.clone()).collect();
        assert_eq!(desk.texts(), expected);
    }
}

/// A tombstone moves on with the rows around it.
// covers: INV-07
#[test]
fn room_is_made_before_a_deleted_row_too() {
    let mut desk = Desk::new();
    let gone = ServerMessage {
        deleted: true,
        ..theirs("y", "")
    };
    let mut page = vec![theirs("a", "a"), gone, theirs("z", "z")];
    desk.read(&page);
    for n in 0..60 {
        page.insert(page.len() - 2, theirs(&format!("n{n}"), &n.to_string()));
        desk.read(&page);
        let expected: Vec<_> = page.iter().map(|row| row.text.clone()).collect();
        assert_eq!(desk.texts(), expected);
    }
}

// covers: INV-07
#[test]
fn pending_messages_stand_behind_every_row_of_the_server() {
    let mut desk = Desk::new();
    desk.accept(1, "queued", SendMode::Durable);
    desk.read(&[theirs("m1", "1")]);
    desk.push(theirs("m2", "2"));
    assert_eq!(desk.texts(), ["1", "2", "queued"]);
}

// covers: INV-07
#[test]
fn an_acknowledged_message_moves_once_to_the_place_that_history_gives_it() {
    let mut desk = Desk::new();
    let first = desk.send(1, "first");
    desk.acknowledged(first);
    desk.push(theirs("m2", "answer"));
    desk.accept(2, "second", SendMode::Durable);
    let page = [mine("m1", "first"), theirs("m2", "answer")];
    desk.read(&page);
    assert_eq!(desk.texts(), ["first", "answer", "second"]);
    let placed = desk.message(first).expect("the row").key;
    desk.read(&page);
    assert_eq!(desk.message(first).expect("the row").key, placed);
}

#[test]
fn a_push_that_overtakes_the_read_is_placed_by_the_next_one() {
    let mut desk = Desk::new();
    assert!(desk.merge(&[theirs("m2", "2")], Placement::Early).unplaced);
    desk.read(&[theirs("m1", "1")]);
    assert_eq!(desk.texts(), ["1", "2"]);
    assert!(
        desk.push(theirs("m3", "3")).unplaced,
        "nor does one behind it overtake it"
    );
    assert_eq!(desk.texts(), ["1", "2", "3"]);
    desk.read(&[theirs("m1", "1"), theirs("m2", "2"), theirs("m3", "3")]);
    assert_eq!(desk.texts(), ["1", "2", "3"]);
    assert!(!desk.push(theirs("m4", "4")).unplaced);
}

// covers: INV-11
#[test]
fn a_repeated_push_of_older_content_changes_nothing() {
    let mut desk = Desk::new();
    desk.push(theirs("m1", "old"));
    desk.read(&[theirs("m1", "new")]);
    desk.push(theirs("m1", "old"));
    assert_eq!(desk.texts(), ["new"]);
    let revised = |revision, text| ServerMessage {
        revision,
        ..theirs("m2", text)
    };
    desk.push(revised(5, "five"));
    desk.read(&[revised(4, "four")]);
    assert_eq!(desk.texts()[1], "five");
    desk.push(revised(6, "six"));
    assert_eq!(desk.texts()[1], "six");
}

// covers: INV-16
#[test]
fn a_tombstone_is_never_filled_again() {
    let mut desk = Desk::new();
    desk.read(&[theirs("m1", "secret")]);
    desk.push(ServerMessage {
        deleted: true,
        ..theirs("m1", "")
    });
    for again in [
        theirs("m1", "secret"),
        ServerMessage {
            revision: 9,
            ..theirs("m1", "secret")
        },
    ] {
        desk.read(std::slice::from_ref(&again));
        desk.push(again);
    }
    let row = desk.rows().remove(0);
    assert!(row.deleted && row.text.is_empty());
    assert_eq!(desk.conversation().unread, 0);
}

// covers: INV-14
#[test]
fn unread_counts_others_talk_behind_the_marker_and_is_never_negative() {
    let mut desk = Desk::new();
    let record = row("m3", Role::System, "a record");
    desk.read(&[
        mine("m1", "q"),
        theirs("m2", "a"),
        record,
        theirs("m4", "b"),
    ]);
    assert_eq!(desk.conversation().unread, 2);
    desk.write(|rows| crate::domain::rules::reading::mark_read(rows, &chat(), None).map(drop));
    assert_eq!(desk.conversation().unread, 0);
    desk.merge(&[theirs("m0", "found below the marker")], Placement::Older);
    assert_eq!(desk.conversation().unread, 0);
    desk.push(theirs("m5", "c"));
    assert_eq!(desk.conversation().unread, 1);
    desk.push(ServerMessage {
        deleted: true,
        ..theirs("m5", "")
    });
    assert_eq!(desk.conversation().unread, 0);
}

#[test]
fn a_question_with_another_row_behind_it_is_answered() {
    let mut desk = Desk::new();
    let id = desk.send(1, "q");
    assert_eq!(
        desk.read(&[theirs("m0", "older"), mine("m1", "q")])
            .answered,
        []
    );
    assert_eq!(
        desk.read(&[mine("m1", "q"), theirs("m2", "a")]).answered,
        [id]
    );
}

#[test]
fn a_question_is_answered_by_a_page_that_goes_on_from_it() {
    let mut desk = Desk::new();
    let question = desk.send(1, "q");
    desk.acknowledged(question);
    assert_eq!(desk.read(&[mine("m1", "q")]).answered, []);
    assert_eq!(desk.read(&[theirs("m2", "a")]).answered, [question]);
    assert_eq!(desk.read(&[theirs("m3", "a remark")]).answered, []);
}

proptest! {
    // covers: INV-05, INV-08, INV-11, INV-12
    #[test]
    fn overlapping_pages_and_pushes_in_any_order_end_in_the_servers_history(
        looks in prop::collection::vec((0_usize..20, 1_usize..8, any::<bool>()), 1..30)
    ) {
        let history: Vec<_> = (0..20).map(|n| theirs(&format!("m{n}"), &format!("text {n}"))).collect();
        let mut desk = Desk::new();
        let mut seen = 0;
        for (from, length, push) in looks {
            let to = (from + length).min(20);
            if push {
                desk.merge(&history[to - 1..to], Placement::Early);
            } else {
                // A forward read goes on from what was seen, with an overlap.
                let from = from.min(seen);
                desk.read(&history[from..to]);
                seen = seen.max(to);
            }
        }
        desk.read(&history);
        let expected: Vec<_> = history.iter().map(|row| row.text.clone()).collect();
        prop_assert_eq!(desk.texts(), expected);
        prop_assert_eq!(desk.conversation().stored, 20);
        prop_assert_eq!(desk.conversation().unread, 20);
    }
}
