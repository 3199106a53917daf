//! A stream slower than the history, and pieces that find their answer told whole already.

use super::*;

const WHOLE: &str = "Take the train at noon. Then walk along the river.";

// covers: F-34
#[test]
fn pieces_after_the_server_row_add_nothing() {
    let mut talk = Talk::waiting();
    talk.delta("Take the train ");
    talk.read_whole(WHOLE, &[101], &[]);
    let before = talk.said.len();
    talk.delta("at noon. ");
    talk.wait(secs(3600));
    talk.delta("Then walk along ");
    talk.delta("the river.");
    talk.delta("\n");
    assert_eq!(talk.said.len(), before);
    assert!(!talk.turns.is_open());
}

// covers: INV-18
#[test]
fn an_answer_read_before_its_first_piece_came_has_no_second_row() {
    let mut talk = Talk::new();
    talk.read_whole(WHOLE, &[], &[]);
    for piece in ["Take the train ", "at noon. ", "Then walk along the river."] {
        assert_eq!(talk.delta(piece), [], "{piece}");
    }
    assert_eq!(talk.completed(), [Output::ReadTail]);
    assert_eq!(talk.rows(), []);
}

// covers: INV-18
#[test]
fn text_taken_away_while_nobody_looked_is_not_gone_on_with() {
    let mut talk = Talk::waiting();
    talk.delta("along the ");
    talk.tell(Input::Left);
    talk.read_whole(WHOLE, &[], &[101]);
    talk.delta("Because of the view.");
    assert_eq!(talk.rows().len(), 2, "a row of its own");
    assert_eq!(talk.last_save().text, "Because of the view.");
}

// covers: INV-18
#[test]
fn pieces_slower_than_the_deadline_of_a_turn_without_any_are_not_a_new_answer() {
    let mut talk = Talk::waiting();
    talk.wait(secs(31));
    // Another question stands before the answer: the read binds it to none of ours.
    talk.read_whole(WHOLE, &[], &[]);
    for piece in ["Take the train ", "at noon. "] {
        assert_eq!(talk.delta(piece), [], "{piece}");
    }
    assert_eq!(talk.rows(), []);
}

#[test]
fn the_next_answer_may_begin_with_the_words_of_the_last() {
    let mut talk = Talk::new();
    talk.read_whole(WHOLE, &[], &[]);
    assert_eq!(
        talk.delta("Take the "),
        [],
        "it may be the one that was told"
    );
    talk.delta("bus");
    talk.delta(" at noon.");
    assert_eq!(talk.shown(), "Take the bus at noon.");
    assert_eq!(talk.rows().len(), 1);
}

#[test]
fn the_end_of_an_answer_told_already_ends_no_other_turn() {
    let mut talk = Talk::new();
    talk.read_whole(WHOLE, &[], &[]);
    talk.tell(Input::Asked(key(1)));
    talk.tell(Input::Confirmed(key(1)));
    talk.delta("Then walk along the river.");
    talk.completed();
    assert!(talk.turns.is_open(), "the question is not answered");
    talk.delta("Because of the view.");
    talk.completed();
    assert_eq!(talk.last_save().text, "Because of the view.");
    assert_eq!(talk.last_save().question, Some(key(1)));
}

// covers: INV-18
#[test]
fn text_taken_away_is_not_stored_again() {
    let mut talk = Talk::waiting();
    talk.delta("Then walk ");
    talk.read_whole(WHOLE, &[], &[101]);
    assert!(talk.turns.is_open(), "the question is not answered");
    let before = talk.saves().len();
    talk.delta("along the river.");
    talk.wait(secs(1));
    assert_eq!(talk.saves().len(), before);
    talk.delta("Because of the view.");
    assert_eq!(talk.last_save().text, "Because of the view.");
    assert_ne!(talk.last_save().id, key(101));
}

#[test]
fn another_devices_turn_whose_text_is_taken_away_is_over() {
    let mut talk = Talk::new();
    talk.delta("Then walk ");
    let said = talk.read_whole(WHOLE, &[], &[101]);
    assert!(said.contains(&Output::Open(false)));
    assert_eq!(talk.phases().last(), Some(&StreamPhase::Completed));
    talk.wait(secs(60));
    assert!(!talk.turns.is_open());
}

// covers: INV-18
#[test]
fn a_row_of_another_answer_behind_the_question_cuts_no_stream() {
    let mut talk = Talk::waiting();
    talk.delta("Take the ");
    talk.stored(&[QUESTION], &[], false);
    talk.stored(&[QUESTION], &[], true);
    talk.delta("train");
    assert_eq!(talk.shown(), "Take the train");
    talk.wait(secs(31));
    talk.stored(&[QUESTION], &[], false);
    talk.delta(" at noon.");
    talk.completed();
    assert_eq!(talk.last_save().text, "Take the train at noon.");
    assert_eq!(talk.rows(), [key(101)]);
}

#[test]
fn the_late_end_of_an_attempt_does_not_withdraw_a_confirmed_question() {
    let mut talk = Talk::waiting();
    talk.tell(Input::Withdrawn(key(QUESTION)));
    assert!(talk.turns.is_open());
}

#[test]
fn the_same_answer_once_more_is_another_answer() {
    let mut talk = Talk::waiting();
    for n in [QUESTION, 2] {
        talk.tell(Input::Asked(key(n)));
        talk.tell(Input::Confirmed(key(n)));
        talk.delta(WHOLE);
        talk.completed();
        let row = talk.fresh;
        talk.read_whole(WHOLE, &[row], &[]);
    }
    assert_eq!(talk.rows().len(), 2);
}

// covers: L75
#[test]
fn equal_answers_each_find_their_row_whichever_comes_first() {
    let mut talk = Talk::new();
    talk.read_whole("ok", &[], &[]);
    talk.read_whole("ok", &[], &[]);
    for _ in 0..2 {
        assert_eq!(talk.delta("ok"), [], "a row was told of it");
        talk.completed();
    }
    talk.delta("ok");
    assert_eq!(talk.rows().len(), 1, "no row yet was told of the third");
}
