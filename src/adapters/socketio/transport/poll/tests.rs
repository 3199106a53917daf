use super::*;

fn reply(status: u16, body: &str) -> HttpReply {
    HttpReply {
        status,
        body: body.to_owned(),
        content_type: Some("text/html".to_owned()),
        ..HttpReply::default()
    }
}

#[test]
fn ok_as_a_page_is_no_captive_portal() {
    assert_eq!(taken(&reply(200, "ok")), Ok(()));
    let portal = taken(&reply(200, "<html>sign in</html>")).expect_err("a portal");
    assert_eq!(portal.outcome, Outcome::Unknown);
}

#[test]
fn a_body_too_large_was_not_taken_and_is_not_tried_again() {
    let error = taken(&reply(413, "")).expect_err("too large");
    assert_eq!(
        (error.retry, error.outcome),
        (RetryClass::Never, Outcome::NotApplied)
    );
}

#[test]
fn errors_of_the_transport_have_one_meaning_each() {
    for (code, kind, retry) in [
        (0, FailureKind::Unsupported, RetryClass::Never),
        (1, FailureKind::Interrupted, RetryClass::Backoff),
        (2, FailureKind::Protocol, RetryClass::Backoff),
        (3, FailureKind::Protocol, RetryClass::Backoff),
        (4, FailureKind::NotAllowed, RetryClass::Never),
        (5, FailureKind::Unsupported, RetryClass::Never),
    ] {
        let error = refused(&reply(400, &format!(r#"{{"code":{code},"message":"x"}}"#)));
        assert_eq!((error.kind, error.retry), (kind, retry), "{code}");
    }
    let page = refused(&reply(400, "<html>"));
    assert_eq!(
        (page.kind, page.retry),
        (FailureKind::Protocol, RetryClass::Backoff)
    );
    assert_eq!(refused(&reply(502, "")).kind, FailureKind::Unavailable);
}

#[test]
fn what_is_written_at_once_is_spread_over_bodies_in_order() {
    let queue: Vec<Packet> = ["aaaa", "bbbb", "c"].map(Packet::text).into();
    assert_eq!(
        bodies(&queue, 8),
        Ok(vec!["4aaaa".to_owned(), "4bbbb\u{1e}4c".to_owned()])
    );
    assert_eq!(bodies(&queue, 4), Err(WireError::TooLarge));
}
