//! Streamed answers and the server's rows that replace them.

use super::*;
use crate::domain::{
    message::Completeness,
    rules::answer::{AnswerDraft, left_unfinished, save_answer},
};

fn save(desk: &Desk, n: u32, answers: Option<ClientMessageId>, text: &str) -> Option<Message> {
    let draft = AnswerDraft {
        id: key(n),
        conversation: chat(),
        answers,
        text: text.to_owned(),
        completeness: Completeness::Streaming,
        now: NOW,
    };
    desk.write(move |rows| save_answer(rows, draft))
}

#[test]
fn an_answer_grows_on_one_row_behind_its_question() {
    let mut desk = Desk::new();
    let question = desk.send(1, "q");
    desk.acknowledged(question);
    desk.accept(2, "the next", SendMode::Durable);
    for text in ["H", "He", "Hey"] {
        save(&desk, 50, Some(question), text);
    }
    assert_eq!(desk.texts(), ["q", "Hey", "the next"]);
    assert_eq!(desk.conversation().unread, 1);
}

// covers: INV-18
#[test]
fn an_answer_that_was_stopped_stays_so_when_its_row_is_read() {
    let mut desk = Desk::new();
    let question = desk.send(1, "q");
    desk.acknowledged(question);
    let draft = AnswerDraft {
        id: key(50),
        conversation: chat(),
        answers: Some(question),
        text: "Half".to_owned(),
        completeness: Completeness::Stopped,
        now: NOW,
    };
    desk.write(move |rows| save_answer(rows, draft));
    desk.read(&[mine("m1", "q"), theirs("m2", "Half")]);
    let row = desk.message(key(50)).expect("the row");
    assert_eq!(row.completeness, Completeness::Stopped);
    assert!(row.server_id.is_some());
}

// covers: INV-18
#[test]
fn an_answer_behind_which_another_question_was_sent_is_not_gone_on_with() {
    let mut desk = Desk::new();
    let hour = std::time::Duration::from_secs(3600);
    let left = move |rows: &mut dyn Rows| left_unfinished(rows, &chat(), NOW, hour);
    let first = desk.send(1, "q");
    desk.acknowledged(first);
    save(&desk, 50, Some(first), "Half");
    assert_eq!(desk.write(left).map(|row| row.id), Some(key(50)));
    desk.accept(60, "the next", SendMode::Durable);
    assert!(desk.write(left).is_some(), "it has not left");
    desk.transmit(key(60));
    desk.acknowledged(key(60));
    assert_eq!(desk.write(left), None);
}

// covers: L23
#[test]
fn blank_text_makes_no_row() {
    let desk = Desk::new();
    assert_eq!(save(&desk, 50, None, " \n"), None);
    assert_eq!(desk.write(|rows| rows.conversation(&chat())), None);
}

// covers: L69
#[test]
fn an_answer_binds_only_behind_its_own_question() {
    let mut desk = Desk::new();
    desk.read(&[mine("m1", "q1"), theirs("m2", "a1")]);
    let question = desk.send(1, "q2");
    desk.acknowledged(question);
    save(&desk, 50, Some(question), "Ans");
    let merged = desk.read(&[theirs("m2", "a1"), theirs("m3", "an unasked remark")]);
    assert_eq!(merged.answers, [], "its question has not passed yet");
    let merged = desk.read(&[mine("m4", "q2"), theirs("m5", "Answer")]);
    assert_eq!(merged.answers, [key(50)]);
    assert_eq!(
        desk.texts(),
        ["q1", "a1", "an unasked remark", "q2", "Answer"]
    );
}

// covers: INV-18
#[test]
fn the_servers_text_replaces_ours_and_late_text_does_not_return() {
    let mut desk = Desk::new();
    let question = desk.send(1, "q");
    desk.acknowledged(question);
    save(&desk, 50, Some(question), "Half");
    desk.read(&[mine("m1", "q"), theirs("m2", "Half and half")]);
    let row = desk.message(key(50)).expect("the row");
    assert_eq!(row.completeness, Completeness::Complete);
    let late = save(&desk, 50, Some(question), "Half and").expect("the row");
    assert_eq!(late.text, "Half and half");
    assert_eq!(desk.texts(), ["q", "Half and half"]);
}

#[test]
fn a_pushed_whole_message_completes_the_answer_under_way() {
    let mut desk = Desk::new();
    let question = desk.send(1, "q");
    desk.acknowledged(question);
    save(&desk, 50, Some(question), "Half");
    let merged = desk.push(theirs("m2", "Half and half"));
    assert_eq!((merged.answers, merged.inserted), (vec![key(50)], vec![]));
    desk.read(&[mine("m1", "q"), theirs("m2", "Half and half")]);
    assert_eq!(desk.texts(), ["q", "Half and half"]);
}

#[test]
fn two_answers_bind_each_to_its_own() {
    let mut desk = Desk::new();
    for (n, text) in [(1, "one"), (2, "two")] {
        let question = desk.send(n, "same question");
        desk.acknowledged(question);
        save(&desk, 50 + n, Some(question), text);
    }
    let question = "same question";
    desk.read(&[
        mine("m1", question),
        theirs("m2", "one, whole"),
        mine("m3", question),
        theirs("m4", "two, whole"),
    ]);
    let text = |n| desk.message(key(n)).expect("the row").text;
    assert_eq!(
        (text(51), text(52)),
        ("one, whole".into(), "two, whole".into())
    );
    assert_eq!(desk.rows().len(), 4);
}

const WHOLE: &str = "Take the train at noon. Then walk along the river.";

/// Two questions, the first of which is being answered in parts.
fn asked_twice() -> (Desk, ClientMessageId, ClientMessageId) {
    let mut desk = Desk::new();
    let questions = [1, 2].map(|n| desk.send(n, &format!("q{n}")));
    for question in questions {
        desk.acknowledged(question);
    }
    (desk, questions[0], questions[1])
}

fn both_and_the_answer() -> [ServerMessage; 3] {
    [mine("m1", "q1"), mine("m2", "q2"), theirs("m3", WHOLE)]
}

// covers: INV-18
#[test]
fn an_answer_stored_in_parts_becomes_one_row() {
    for behind in [None, Some(1), Some(2)] {
        let (mut desk, first, _) = asked_twice();
        save(&desk, 50, Some(first), "Take the train ");
        save(&desk, 51, behind.map(key), "at noon. Then walk ");
        save(&desk, 52, None, "along the river.");
        let merged = desk.read(&both_and_the_answer());
        assert_eq!(merged.answers, [key(50)], "the beginning keeps its key");
        assert_eq!(merged.absorbed, [key(51), key(52)]);
        assert_eq!(desk.texts(), ["q1", "q2", WHOLE]);
        let conversation = desk.conversation();
        assert_eq!((conversation.unread, conversation.stored), (1, 3));
    }
}

#[test]
fn a_part_without_the_beginning_finds_its_row_by_its_words() {
    let (mut desk, _, second) = asked_twice();
    save(&desk, 50, Some(second), "Something that was given up");
    save(&desk, 51, None, "walk along the river.");
    let merged = desk.read(&both_and_the_answer());
    assert_eq!((merged.answers, merged.absorbed), (vec![key(51)], vec![]));
    assert!(desk.message(key(50)).is_some());
}

// covers: INV-04
#[test]
fn an_answer_given_up_stays_unless_a_row_says_all_of_it() {
    let (mut desk, first, second) = asked_twice();
    let kept = [
        (50, Some(first), "Take"),
        (51, Some(first), "Take the train"),
        (52, None, "Then"),
        (53, Some(first), "walk along the road"),
    ];
    for (n, question, text) in kept {
        save(&desk, n, question, text);
    }
    save(&desk, 60, Some(second), "Take the train at noon.");
    let merged = desk.read(&both_and_the_answer());
    assert_eq!((merged.answers, merged.absorbed), (vec![key(60)], vec![]));
    for (n, _, text) in kept {
        assert_eq!(desk.message(key(n)).expect("the row").text, text);
    }
}

// covers: INV-11
#[test]
fn a_part_that_came_after_its_row_goes_when_the_row_is_told_again() {
    let (mut desk, first, _) = asked_twice();
    save(&desk, 50, Some(first), "Take the train ");
    desk.read(&both_and_the_answer());
    save(&desk, 51, None, "Then walk along");
    assert_eq!(desk.read(&both_and_the_answer()).absorbed, [key(51)]);
    let rows = desk.rows();
    assert_eq!(desk.read(&both_and_the_answer()).absorbed, []);
    assert_eq!(desk.rows(), rows);
}

/// The answer to this question broke off with an error.
fn fail(desk: &Desk, question: ClientMessageId) {
    break_off(desk, question, Completeness::Failed);
}

fn break_off(desk: &Desk, question: ClientMessageId, completeness: Completeness) {
    save(desk, 50, Some(question), "Far away is");
    let failed = AnswerDraft {
        id: key(50),
        conversation: chat(),
        answers: Some(question),
        text: "Far away is".to_owned(),
        completeness,
        now: NOW,
    };
    desk.write(move |rows| save_answer(rows, failed));
}

// covers: INV-07
#[test]
fn an_answer_given_up_stays_behind_its_question() {
    let (mut desk, first, second) = asked_twice();
    fail(&desk, first);
    desk.read(&[mine("m1", "q1"), mine("m2", "q2")]);
    let places = ["q1", "q2", "Far away is"];
    assert_eq!(desk.texts(), places, "it may still be stored");
    save(&desk, 51, Some(second), "Take the train ");
    let page = [theirs("m3", WHOLE), mine("m4", "q3"), theirs("m5", "a3")];
    desk.read(&page);
    let places = ["q1", "Far away is", "q2", WHOLE, "q3", "a3"];
    assert_eq!(desk.texts(), places);
    let rows = desk.rows();
    desk.read(&page);
    assert_eq!(desk.rows(), rows, "and moves no more");
    let late = "Far away is the sea, after all";
    desk.read(&[theirs("m6", late)]);
    assert_eq!(desk.texts().last().map(String::as_str), Some(late));
    assert_eq!(desk.rows().len(), 6, "the server stored it after all");
}

/// A question that was deleted since was a turn all the same (seed 9312).
// covers: INV-07
#[test]
fn an_answer_is_given_up_behind_a_deleted_question_too() {
    let (mut desk, first, _) = asked_twice();
    fail(&desk, first);
    desk.read(&[mine("m1", "q1"), mine("m2", "q2")]);
    let gone = ServerMessage {
        deleted: true,
        revision: 1,
        ..mine("m2", "")
    };
    desk.read(&[gone, theirs("m3", WHOLE)]);
    assert_eq!(desk.texts(), ["q1", "Far away is", "", WHOLE]);
}

/// Its row may be in the part that is missing.
// covers: INV-07, INV-09
#[test]
fn an_answer_is_not_given_up_across_a_gap() {
    let (mut desk, first, _) = asked_twice();
    fail(&desk, first);
    desk.read(&[mine("m1", "q1"), mine("m2", "q2")]);
    desk.write(move |rows| {
        let asked = rows.message(first)?.expect("the question");
        let gap = Some(Gap { before: None });
        let mut editor = Editor::open(rows, &chat())?;
        editor.update(&asked.clone(), Message { gap, ..asked })?;
        editor.finish()
    });
    desk.read(&[theirs("m8", "a2"), mine("m9", "q3"), theirs("m10", "a3")]);
    assert_eq!(desk.texts().last().map(String::as_str), Some("Far away is"));
}

// covers: INV-18
#[test]
fn what_waits_to_be_sent_neither_gives_an_answer_up_nor_hides_it() {
    let (mut desk, first, second) = asked_twice();
    fail(&desk, first);
    for n in 100..140 {
        desk.accept(n, "waiting", SendMode::Durable);
    }
    desk.read(&[mine("m1", "q1"), mine("m2", "q2")]);
    assert_eq!(desk.texts()[..3], ["q1", "q2", "Far away is"]);
    save(&desk, 51, Some(second), "Take the train ");
    desk.read(&[theirs("m3", WHOLE)]);
    assert_eq!(desk.texts()[..4], ["q1", "Far away is", "q2", WHOLE]);
    let late = "Far away is the sea, after all";
    desk.read(&[theirs("m4", late)]);
    assert_eq!(desk.texts()[..4], ["q1", "q2", WHOLE, late]);
}

// covers: INV-08
#[test]
fn an_answer_given_up_is_found_by_its_words_alone_and_then_waits_for_its_place() {
    let (mut desk, first, second) = asked_twice();
    break_off(&desk, first, Completeness::Incomplete);
    save(&desk, 51, Some(second), "Take the train ");
    desk.read(&[mine("m1", "q1"), mine("m2", "q2"), theirs("m3", WHOLE)]);
    assert_eq!(desk.texts(), ["q1", "Far away is", "q2", WHOLE]);
    let third = desk.send(3, "q3");
    desk.acknowledged(third);
    desk.push(theirs("m5", "a remark"));
    let places = ["q1", "Far away is", "q2", WHOLE, "q3", "a remark"];
    assert_eq!(desk.texts(), places, "another row is not that answer");
    let late = theirs("m6", "Far away is the sea, after all");
    desk.push(late.clone());
    let places = ["q1", "q2", WHOLE, "q3", "a remark", &late.text];
    assert_eq!(desk.texts(), places);
    desk.read(&[mine("m4", "q3"), theirs("m5", "a remark"), late.clone()]);
    assert_eq!(desk.texts(), places, "as the server has them");
    assert!(desk.rows().iter().all(|row| row.key.is_server()));
}

// covers: INV-07
#[test]
fn an_answer_given_up_finds_its_place_with_its_question_in_older_history() {
    let (mut desk, first, _) = asked_twice();
    fail(&desk, first);
    desk.read(&[mine("m2", "q2"), theirs("m3", "a2")]);
    desk.merge(&[mine("m1", "q1")], Placement::Older);
    assert_eq!(desk.texts(), ["q1", "Far away is", "q2", "a2"]);
}

/// Pieces name no question: while a second one is on its way they are taken for its answer.
fn taken_for_the_second(desk: &mut Desk) -> [ClientMessageId; 2] {
    let first = desk.send(1, "q1");
    desk.acknowledged(first);
    let second = desk.send(2, "q2");
    save(desk, 50, Some(second), "To the fi");
    [first, second]
}

// covers: INV-18
#[test]
fn an_answer_above_the_question_it_was_taken_for_is_not_its_answer() {
    let mut desk = Desk::new();
    let [first, second] = taken_for_the_second(&mut desk);
    let page = [
        mine("m1", "q1"),
        theirs("m2", "To the first"),
        mine("m3", "q2"),
    ];
    let merged = desk.read(&page);
    assert_eq!(desk.texts(), ["q1", "To the first", "q2"]);
    assert_eq!(desk.message(key(50)).expect("the row").answers, None);
    assert_eq!(merged.answered, [first], "{second} still waits");
}

// covers: INV-18
#[test]
fn a_question_that_is_placed_later_disowns_the_answers_above_it() {
    let mut desk = Desk::new();
    let [_, second] = taken_for_the_second(&mut desk);
    desk.read(&[mine("m1", "q1"), theirs("m2", "To the first")]);
    let row = desk.message(key(50)).expect("the row");
    assert_eq!(row.answers, Some(second), "nothing tells yet");
    desk.read(&[mine("m3", "q2"), theirs("m4", "To the second")]);
    assert_eq!(desk.message(key(50)).expect("the row").answers, None);
    assert_eq!(desk.texts(), ["q1", "To the first", "q2", "To the second"]);
}

// covers: INV-18
#[test]
fn an_answer_that_gets_its_place_after_its_question_did_is_compared_with_it() {
    let mut desk = Desk::new();
    let [_, second] = taken_for_the_second(&mut desk);
    desk.read(&[mine("m1", "q1"), mine("m3", "q2")]);
    let row = desk.message(key(50)).expect("the row");
    assert_eq!(row.answers, Some(second), "nothing tells yet");
    desk.merge(&[theirs("m2", "To the first")], Placement::Older);
    assert_eq!(desk.message(key(50)).expect("the row").answers, None);
}

// covers: INV-18
#[test]
fn pushed_rows_are_compared_by_their_numbers_and_not_by_their_coming() {
    let mut desk = Desk::new();
    let [_, second] = taken_for_the_second(&mut desk);
    let numbered = |sequence, row| ServerMessage {
        sequence: Some(sequence),
        ..row
    };
    let asked = ServerMessage {
        client_id: Some(second),
        ..numbered(3, mine("m3", "q2"))
    };
    let pushed = [asked, numbered(2, theirs("m2", "To the first"))];
    desk.merge(&pushed, Placement::Live);
    assert_eq!(desk.texts(), ["To the first", "q2", "q1"]);
    assert_eq!(desk.message(key(50)).expect("the row").answers, None);
}
