//! Pieces become one answer on one row.

use super::*;

#[test]
fn sending_waits_while_a_turn_is_open() {
    let mut talk = Talk::new();
    assert!(
        talk.tell(Input::Asked(key(1)))
            .contains(&Output::Open(true))
    );
    talk.tell(Input::Confirmed(key(1)));
    talk.delta("a");
    assert!(talk.turns.is_open());
    assert!(talk.completed().contains(&Output::Open(false)));
}

#[test]
fn a_question_that_did_not_arrive_opens_sending_again() {
    let mut talk = Talk::new();
    talk.tell(Input::Asked(key(1)));
    assert!(
        talk.tell(Input::Withdrawn(key(1)))
            .contains(&Output::Open(false))
    );
    assert_eq!(talk.wait(secs(3600)), []);
}

#[test]
fn another_message_withdrawn_leaves_the_turn_alone() {
    let mut talk = Talk::waiting();
    assert_eq!(talk.tell(Input::Withdrawn(key(9))), []);
    assert!(talk.turns.is_open());
}

#[test]
fn an_unconfirmed_question_has_no_inactivity_deadline_of_its_own() {
    let mut talk = Talk::new();
    talk.tell(Input::Asked(key(1)));
    assert_eq!(talk.wait(secs(3600)), [], "the attempt's deadline rules");
}

// covers: INV-18
#[test]
fn l20_long_answer_with_steady_chunks_is_one_message() {
    let mut talk = Talk::waiting();
    let mut whole = String::new();
    for n in 0..600 {
        let piece = format!("word{n} ");
        talk.delta(&piece);
        whole.push_str(&piece);
        talk.wait(ms(900));
    }
    talk.completed();
    assert_eq!(talk.rows().len(), 1);
    assert_eq!(talk.last_save().text, whole);
    assert_eq!(talk.last_save().completeness, Completeness::Complete);
    assert_eq!(talk.shown(), whole);
}

// covers: INV-18
#[test]
fn l21_timer_between_chunks_opens_no_new_answer() {
    let mut talk = Talk::waiting();
    talk.delta("one ");
    talk.wait(secs(31));
    talk.delta("two ");
    talk.wait(secs(16));
    talk.delta("three");
    talk.tell(Input::Tick);
    talk.completed();
    assert_eq!(talk.rows(), [key(101)]);
    assert_eq!(talk.last_save().text, "one two three");
    assert_eq!(talk.shown(), "one two three");
}

#[test]
fn l22_acknowledgement_is_not_the_answer() {
    let mut talk = Talk::waiting();
    assert!(talk.turns.is_open());
    assert_eq!(talk.rows(), []);
    let said = talk.wait(secs(30));
    assert_eq!(reads(&said), [secs(15), secs(30)], "history may have it");
    assert!(
        !talk.turns.is_open(),
        "then the turn ends, and sending is free"
    );
}

#[test]
fn l23_blank_answer_is_never_stored() {
    for blanks in [&["", " ", "\n"][..], &[][..]] {
        let mut talk = Talk::waiting();
        for blank in blanks {
            talk.delta(blank);
        }
        talk.wait(secs(1));
        talk.completed();
        assert_eq!(talk.rows(), []);
        assert!(!talk.turns.is_open());
    }
    let mut talk = Talk::waiting();
    talk.delta(" ");
    talk.wait(secs(40));
    assert_eq!(talk.rows(), [], "nor at the deadline");
}

#[test]
fn leading_blanks_are_kept_once_there_is_text() {
    let mut talk = Talk::waiting();
    talk.delta("\n ");
    talk.delta("x");
    talk.completed();
    assert_eq!(talk.last_save().text, "\n x");
    assert_eq!(talk.shown(), "\n x");
}

#[test]
fn l26_streamed_text_is_an_update_of_one_row() {
    let mut talk = Talk::waiting();
    for piece in ["Hi ", "there", "!"] {
        let said = talk.delta(piece);
        let update = Output::Stream {
            id: key(101),
            phase: StreamPhase::Delta,
            offset: talk.shown().len() - piece.len(),
            text: piece.to_owned(),
        };
        assert!(said.contains(&update), "told when it comes");
    }
    talk.completed();
    use StreamPhase::{Completed, Delta, Started};
    assert_eq!(talk.phases(), [Started, Delta, Delta, Delta, Completed]);
}

#[test]
fn l27_typing_is_derived_from_the_turn() {
    let mut talk = Talk::new();
    talk.tell(Input::Asked(key(1)));
    assert!(
        talk.typing().is_empty(),
        "not before the server has the question"
    );
    talk.tell(Input::Confirmed(key(1)));
    assert_eq!(talk.typing(), [true]);
    talk.delta(" ");
    assert_eq!(talk.typing(), [true], "a blank shows nothing yet");
    talk.delta("x");
    talk.delta("y");
    talk.completed();
    assert_eq!(talk.typing(), [true, false]);
    type Ending = fn(&mut Talk);
    let endings: [Ending; 5] = [
        |talk| drop(talk.completed()),
        |talk| drop(talk.tell(Input::Failed { text: "no".into() })),
        |talk| drop(talk.stored(&[1], &[], false)),
        |talk| drop(talk.tell(Input::Left)),
        |talk| drop(talk.wait(secs(31))),
    ];
    for end in endings {
        let mut talk = Talk::waiting();
        end(&mut talk);
        assert_eq!(talk.typing(), [true, false]);
    }
}

#[test]
fn text_is_stored_at_once_when_it_begins_and_every_quarter_second() {
    let mut talk = Talk::waiting();
    for _ in 0..100 {
        talk.delta("word ");
        talk.wait(ms(20));
    }
    let saves = talk.saves();
    assert_eq!(saves[0].0, Duration::ZERO);
    assert!(
        saves
            .windows(2)
            .all(|pair| pair[1].0 - pair[0].0 <= ms(250 + 20))
    );
    assert!(
        (8..=12).contains(&saves.len()),
        "{} writes in two seconds",
        saves.len()
    );
    assert!(
        saves
            .iter()
            .all(|(_, save)| save.completeness == Completeness::Streaming)
    );
    assert_eq!(saves[0].1.question, Some(key(QUESTION)));
}

#[test]
fn another_devices_answer_opens_a_turn() {
    let mut talk = Talk::new();
    let said = talk.delta("Hello");
    assert!(said.contains(&Output::Open(true)));
    talk.completed();
    assert_eq!(talk.last_save().question, None);
    assert_eq!(talk.last_save().text, "Hello");
}

#[test]
fn two_answers_in_a_row_are_two_rows() {
    let mut talk = Talk::waiting();
    talk.delta("one");
    talk.completed();
    talk.stored(&[1], &[key(101)], false);
    talk.tell(Input::Asked(key(2)));
    talk.tell(Input::Confirmed(key(2)));
    talk.delta("two");
    talk.completed();
    assert_eq!(talk.rows(), [key(101), key(102)]);
    assert_eq!(talk.last_save().question, Some(key(2)));
    assert_eq!(talk.last_save().text, "two");
}

// covers: F-34
#[test]
fn the_next_answer_does_not_begin_with_the_remains_of_the_last() {
    let mut talk = Talk::waiting();
    talk.delta("left over ");
    talk.wait(secs(31));
    talk.tell(Input::Asked(key(2)));
    talk.tell(Input::Confirmed(key(2)));
    talk.delta("fresh");
    talk.completed();
    assert_eq!(talk.last_save().text, "fresh");
    assert_eq!(talk.rows().len(), 2);
}

// covers: INV-18
#[test]
fn a_question_that_left_twice_has_one_answer() {
    let mut talk = Talk::new();
    talk.tell(Input::Asked(key(1)));
    talk.delta("one ");
    talk.wait(secs(31));
    talk.tell(Input::Asked(key(1)));
    talk.tell(Input::Confirmed(key(1)));
    talk.delta("two ");
    talk.delta("three");
    talk.completed();
    assert_eq!(talk.last_save().text, "one two three");
    assert_eq!(talk.shown(), "one two three");
    assert_eq!(talk.rows().len(), 1);
}
