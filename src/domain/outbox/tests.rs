use super::{Action as A, DeliveryState as S, Fold as F, *};

fn key(n: u8) -> ClientMessageId {
    ClientMessageId::from_bytes([n; 16])
}

fn edit(text: &str) -> A {
    let (message, text) = (key(1), text.to_owned());
    let beneath = "old".to_owned();
    A::Edit {
        message,
        text,
        beneath,
    }
}

fn delete() -> A {
    let (message, beneath) = (key(1), "new on screen".to_owned());
    A::Delete { message, beneath }
}

fn send(text: &str) -> A {
    let text = text.to_owned();
    A::Send { text }
}

fn read(name: &str) -> A {
    let up_to = MessageId::parse(name).expect("an id");
    A::MarkRead { up_to }
}

const HIDE: A = A::Archive {
    archived: true,
    beneath: false,
};
/// Hidden before, and hidden again.
const HIDDEN_STILL: A = A::Archive {
    archived: true,
    beneath: true,
};
const SHOW: A = A::Archive {
    archived: false,
    beneath: true,
};

// covers: G3
#[test]
fn every_pair_that_waits_collapses_as_the_table_says() {
    let stop = A::Stop { question: None };
    let later = A::Stop {
        question: Some(key(2)),
    };
    let deleted_old = delete().over("old");
    for (waiting, new, folded) in [
        (send("a"), edit("b"), F::Into(send("b"))),
        (send("a"), delete(), F::Neither),
        (edit("a"), edit("b"), F::Into(edit("b"))),
        (edit("a"), edit("old"), F::Neither),
        (edit("a"), delete(), F::Instead(deleted_old)),
        (delete(), delete(), F::Already),
        (read("m1"), read("m2"), F::Into(read("m2"))),
        (HIDE, HIDE, F::Already),
        (HIDE, SHOW, F::Neither),
        (HIDDEN_STILL, SHOW, F::Into(SHOW)),
        (A::Complete, A::Complete, F::Already),
        (stop, later.clone(), F::Into(later)),
        (send("a"), A::Complete, F::Behind),
        (send("a"), send("b"), F::Behind),
        (HIDE, read("m1"), F::Behind),
    ] {
        assert_eq!(
            fold(&waiting, S::Queued, 0, &new),
            folded,
            "{waiting:?} {new:?}"
        );
    }
}

#[test]
fn what_may_have_arrived_is_said_again_rather_than_forgotten() {
    let shown_again = A::Archive {
        archived: false,
        beneath: false,
    };
    assert_eq!(fold(&HIDE, S::Uncertain, 1, &SHOW), F::Into(shown_again));
    let back = fold(&edit("a"), S::Uncertain, 1, &edit("old"));
    assert_eq!(back, F::Into(edit("old")));
    assert_eq!(fold(&send("a"), S::Uncertain, 1, &edit("b")), F::Behind);
    assert_eq!(fold(&send("a"), S::Uncertain, 1, &delete()), F::Behind);
}

#[test]
fn what_is_on_the_wire_keeps_what_it_says() {
    for (waiting, new) in [
        (send("a"), edit("b")),
        (edit("a"), edit("b")),
        (edit("a"), delete()),
        (read("m1"), read("m2")),
        (HIDE, SHOW),
    ] {
        assert_eq!(
            fold(&waiting, S::Sending, 1, &new),
            F::Behind,
            "{waiting:?}"
        );
    }
}

#[test]
fn debug_prints_no_text() {
    let printed = format!("{:?} {:?}", send("secret"), edit("secret"));
    assert!(!printed.contains("secret"), "{printed}");
}
