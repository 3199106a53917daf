use serde_json::json;

use super::*;

fn thrown(value: Value) -> Complaint {
    Complaint::read(&Arguments::of([value]))
}

fn reply(status: u16, body: &str) -> HttpReply {
    HttpReply {
        status,
        body: body.to_owned(),
        ..HttpReply::default()
    }
}

fn rest(status: u16, body: &str) -> ServiceError {
    of_reply(
        &reply(status, body),
        Effect::Write,
        WallTime::from_millis(0),
    )
}

#[test]
fn an_exception_fits_the_question_it_was_thrown_at() {
    let data = json!({ "content": "x" });
    let cause = json!({ "pattern": "message:send", "data": { "content": "x" } });
    let complaint = thrown(json!({ "status": "error", "message": "no", "cause": cause }));
    assert!(complaint.fits("message:send", &data));
    assert!(!complaint.fits("channel:join", &data));
    assert!(!complaint.fits("message:send", &json!({ "content": "y" })));
    for nameless in [json!({ "message": "no" }), json!("no"), json!([])] {
        assert!(!thrown(nameless).fits("message:send", &data));
    }
}

#[test]
fn a_refusal_is_proof_and_a_crash_is_not() {
    let refused = thrown(json!({ "status": "error", "message": "empty" })).error();
    assert_eq!(refused.outcome, Outcome::NotApplied);
    assert_eq!(refused.retry, RetryClass::Never);
    let crashed = thrown(json!({ "status": "error", "message": CRASHED })).error();
    assert_eq!(crashed.outcome, Outcome::Unknown);
    assert_eq!(crashed.retry, RetryClass::Backoff);
}

#[test]
fn codes_over_the_socket_mean_what_they_mean_over_rest() {
    for (code, kind, retry) in [
        (
            "AUTH_INVALID",
            FailureKind::SignInRequired,
            RetryClass::AfterReauth,
        ),
        (
            "AUTH_INSUFFICIENT_PERMISSIONS",
            FailureKind::NotAllowed,
            RetryClass::Never,
        ),
        (
            "RESOURCE_NOT_FOUND",
            FailureKind::NotFound,
            RetryClass::Never,
        ),
        (
            "RATE_LIMIT_EXCEEDED",
            FailureKind::RateLimited,
            RetryClass::Backoff,
        ),
        ("VALIDATION_ERROR", FailureKind::Invalid, RetryClass::Never),
    ] {
        let answer = Arguments::of([json!({ "ok": false, "error": { "code": code } })]);
        let error = in_answer(&answer).expect(code);
        assert_eq!((error.kind, error.retry), (kind, retry), "{code}");
        assert_eq!(error.server_code.as_deref(), Some(code));
    }
    for fine in [json!({ "ok": true }), json!({}), json!(null), json!("no")] {
        assert_eq!(in_answer(&Arguments::of([fine])), None);
    }
}

#[test]
fn errors_of_rest_are_read_in_all_three_forms() {
    for (body, code) in [
        (
            r#"{"error":{"code":"VALIDATION_ERROR","message":"m","userHint":"h"},"meta":{}}"#,
            Some("VALIDATION_ERROR"),
        ),
        (
            r#"{"error":{"code":"A","message":"m","retryable":false,"correlationId":"c"}}"#,
            Some("A"),
        ),
        (r#"{"error":"text","userHint":"h"}"#, None),
        ("", None),
    ] {
        let error = rest(400, body);
        assert_eq!(error.kind, FailureKind::Invalid, "{body}");
        assert_eq!(error.server_code.as_deref(), code, "{body}");
    }
}

#[test]
fn the_wait_of_a_429_is_read_from_its_details_where_no_header_says_it() {
    let error = rest(
        429,
        r#"{"error":{"code":"RATE_LIMIT_EXCEEDED","details":{"retryAfter":7}}}"#,
    );
    assert_eq!(error.retry, RetryClass::After(Duration::from_secs(7)));
    assert_eq!(rest(429, "{}").retry, RetryClass::Backoff);
}

#[test]
fn a_403_whose_code_says_so_refuses_the_token_and_a_plain_one_does_not() {
    assert!(refuses_token(&reply(401, "{}")));
    assert!(refuses_token(&reply(
        403,
        r#"{"error":{"code":"AUTH_INVALID"}}"#
    )));
    assert!(!refuses_token(&reply(
        403,
        r#"{"error":{"code":"AUTH_INSUFFICIENT_PERMISSIONS"}}"#
    )));
    assert!(!refuses_token(&reply(403, "{}")));
    assert!(!refuses_token(&reply(401, "<html>hotel</html>")));
}

#[test]
fn the_end_of_a_limit_is_waited_for_where_nothing_else_is_said() {
    let limited = |reset: &str| {
        let reply = HttpReply {
            limit_reset: Some(reset.to_owned()),
            ..reply(429, "{}")
        };
        of_reply(&reply, Effect::Write, WallTime::from_millis(1_000_500)).retry
    };
    assert_eq!(limited("1010"), RetryClass::After(Duration::from_secs(10)));
    for nothing in ["1000", "soon", "-5", "99999999999999999999"] {
        assert_eq!(limited(nothing), RetryClass::Backoff, "{nothing}");
    }
}
