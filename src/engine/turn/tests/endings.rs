//! Every way a turn ends, and what is looked for afterwards.

use super::*;

#[test]
fn l58_turn_waits_its_whole_inactivity_deadline() {
    let mut talk = Talk::waiting();
    talk.delta("x");
    talk.wait(ms(29_999));
    assert!(talk.turns.is_open());
    talk.wait(ms(1));
    assert!(!talk.turns.is_open());
}

// covers: F-34
#[test]
fn l19_answer_without_a_terminator_ends_incomplete_and_unlocks_sending() {
    let mut talk = Talk::waiting();
    talk.delta("half an ");
    let said = talk.wait(secs(31));
    assert!(said.contains(&(secs(30), Output::Open(false))));
    assert_eq!(talk.last_save().completeness, Completeness::Incomplete);
    assert_eq!(talk.phases().last(), Some(&StreamPhase::Incomplete));
    assert!(
        reads(&talk.wait(secs(60))).len() >= 3,
        "history is read until it is there"
    );
}

// covers: F-34
#[test]
fn l24_partial_text_survives_the_deadline() {
    let mut talk = Talk::waiting();
    talk.delta("half an ");
    talk.wait(secs(31));
    assert_eq!(talk.last_save().text, "half an ");
    talk.delta("answer");
    talk.completed();
    assert_eq!(
        talk.last_save().text,
        "half an answer",
        "a late piece joins it"
    );
    assert_eq!(talk.rows(), [key(101)]);
}

#[test]
fn half_the_deadline_reads_the_history_once() {
    let mut talk = Talk::waiting();
    talk.delta("x");
    let said = talk.wait(ms(29_000));
    assert_eq!(reads(&said), [secs(15)]);
    talk.delta("y");
    assert_eq!(
        reads(&talk.wait(ms(29_000))).len(),
        1,
        "again after each silence"
    );
}

#[test]
fn a_whole_answer_is_read_back_until_its_row_is_bound() {
    let mut talk = Talk::waiting();
    talk.delta("all");
    talk.completed();
    let said = talk.wait(secs(40));
    assert!((5..=7).contains(&reads(&said).len()), "{:?}", reads(&said));
    talk.stored(&[], &[key(101)], false);
    assert_eq!(talk.wait(secs(3600)), []);
    assert!(!talk.turns.is_busy());
}

#[test]
fn a_row_that_never_shows_is_given_up() {
    let mut talk = Talk::waiting();
    talk.delta("all");
    talk.completed();
    talk.wait(secs(3600));
    assert_eq!(talk.wait(secs(3600 * 24)), []);
}

// covers: F-34
#[test]
fn l72_error_frame_ends_the_turn_and_keeps_its_text() {
    let mut talk = Talk::waiting();
    talk.delta("as far as ");
    let text = "the model is busy".to_owned();
    let said = talk.tell(Input::Failed { text: text.clone() });
    assert_eq!(talk.last_save().text, "as far as ");
    assert_eq!(talk.last_save().completeness, Completeness::Failed);
    assert!(said.contains(&Output::Open(false)));
    let told = Output::Stream {
        id: key(101),
        phase: StreamPhase::Failed,
        offset: 10,
        text,
    };
    assert!(said.contains(&told));
}

#[test]
fn an_error_before_any_text_is_told_of_the_question() {
    let mut talk = Talk::waiting();
    let text = "no".to_owned();
    let said = talk.tell(Input::Failed { text: text.clone() });
    let told = Output::Stream {
        id: key(QUESTION),
        phase: StreamPhase::Failed,
        offset: 0,
        text,
    };
    assert!(said.contains(&told));
    assert_eq!(talk.saves(), []);
}

#[test]
fn a_stopped_answer_is_kept_as_stopped() {
    let mut talk = Talk::waiting();
    talk.delta("enough");
    talk.tell(Input::Completed { stopped: true });
    assert_eq!(talk.last_save().completeness, Completeness::Stopped);
    assert_eq!(talk.phases().last(), Some(&StreamPhase::Stopped));
}

// covers: INV-18
#[test]
fn the_end_of_an_answer_with_a_hole_does_not_make_it_whole() {
    let whole = |talk: &mut Talk| {
        talk.completed();
        let (saved, phase) = (talk.last_save().completeness, talk.phases().last().copied());
        assert_eq!(
            saved == Completeness::Complete,
            phase == Some(StreamPhase::Completed)
        );
        saved == Completeness::Complete
    };
    let mut talk = Talk::waiting();
    talk.delta("from the first");
    assert!(whole(&mut talk));
    let mut talk = Talk::waiting();
    talk.delta("a frame ");
    talk.tell(Input::Missed);
    talk.delta("is missing");
    assert!(!whole(&mut talk));
    assert!(
        !reads(&talk.wait(secs(1))).is_empty(),
        "its row is looked for at once"
    );
    let mut talk = Talk::waiting();
    talk.delta("nobody ");
    talk.tell(Input::Left);
    talk.delta("listened");
    assert!(!whole(&mut talk));
    let mut talk = Talk::new();
    talk.delta("its beginning went elsewhere");
    assert!(!whole(&mut talk));
    talk.delta("the next one");
    assert!(whole(&mut talk), "it was heard from its first piece");
}

#[test]
fn a_server_row_ends_the_turn_over_either_transport() {
    let mut talk = Talk::waiting();
    assert!(talk.stored(&[1], &[], false).contains(&Output::Open(false)));
    let mut talk = Talk::waiting();
    assert!(talk.stored(&[], &[], true).contains(&Output::Open(false)));
    let mut talk = Talk::waiting();
    talk.delta("x");
    assert!(
        talk.stored(&[], &[key(101)], false)
            .contains(&Output::Open(false))
    );
    assert_eq!(talk.phases().last(), Some(&StreamPhase::Completed));
}

// covers: L69
#[test]
fn an_answer_to_another_question_ends_no_turn() {
    let mut talk = Talk::waiting();
    assert_eq!(talk.stored(&[7], &[key(99)], false), []);
    assert!(talk.turns.is_open());
}

#[test]
fn a_terminator_without_a_turn_reads_the_history_and_opens_nothing() {
    let mut talk = Talk::new();
    assert_eq!(talk.completed(), [Output::ReadTail]);
    assert!(!talk.turns.is_open());
}

// covers: F-34
#[test]
fn a_late_terminator_after_the_deadline_closes_the_answer() {
    let mut talk = Talk::waiting();
    talk.delta("x");
    talk.wait(secs(31));
    talk.completed();
    talk.delta("another device asks");
    assert_eq!(
        talk.rows().len(),
        2,
        "what comes after the end is another answer"
    );
}

#[test]
fn leaving_keeps_the_text_and_looks_for_nothing() {
    let mut talk = Talk::waiting();
    talk.delta("half");
    let said = talk.tell(Input::Left);
    assert!(said.contains(&Output::Open(false)));
    assert_eq!(talk.last_save().completeness, Completeness::Incomplete);
    assert_eq!(talk.wait(secs(3600)), []);
}

#[test]
fn leaving_before_the_question_is_confirmed_keeps_the_turn() {
    let mut talk = Talk::new();
    talk.tell(Input::Asked(key(1)));
    assert_eq!(talk.tell(Input::Left), []);
    assert!(talk.turns.is_open());
}

// covers: INV-18, INV-23
#[test]
fn every_open_turn_that_the_server_has_ends_by_itself() {
    type Step = fn(&mut Talk);
    let steps: [Step; 8] = [
        |talk| drop(talk.delta(" ")),
        |talk| drop(talk.delta("x")),
        |talk| drop(talk.wait(secs(16))),
        |talk| drop(talk.completed()),
        |talk| {
            drop(talk.tell(Input::Failed {
                text: String::new(),
            }))
        },
        |talk| drop(talk.tell(Input::Confirmed(key(1)))),
        |talk| drop(talk.stored(&[], &[], false)),
        |talk| drop(talk.stored(&[1], &[], false)),
    ];
    for path in 0..8_usize.pow(4) {
        let mut talk = Talk::waiting();
        let mut rest = path;
        for _ in 0..4 {
            steps[rest % 8](&mut talk);
            rest /= 8;
        }
        talk.wait(secs(60));
        assert!(!talk.turns.is_open(), "{:?}", talk.turns);
        let open = talk
            .said
            .iter()
            .filter(|(_, output)| *output == Output::Open(true));
        let closed = talk
            .said
            .iter()
            .filter(|(_, output)| *output == Output::Open(false));
        assert_eq!(open.count(), closed.count());
    }
}
