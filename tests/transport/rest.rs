//! REST: sending, creating, listing, finishing and deleting.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidings::domain::{
    conversation::Context,
    ports::{ChatService, CreateOutcome, ListScope, NewConversation},
    retry::{FailureKind as K, Outcome, RetryClass},
};

use crate::support::{Reply, Seen, Server, config, id, outgoing, service, within};

const ROOT: &str = "/api/v1/consultations";

fn new(context: Option<(&str, &str)>) -> NewConversation {
    NewConversation {
        key: None,
        persona: Some("nutritionist".into()),
        context: context.map(|(kind, id)| Context {
            kind: kind.into(),
            id: Some(id.into()),
        }),
        attributes: BTreeMap::new(),
    }
}

fn listed(items: &Value) -> Value {
    json!({"data": {"consultations": items, "total_count": items.as_array().map_or(0, Vec::len), "limit": 100, "offset": 0}})
}

#[tokio::test]
async fn l6_sent_message_is_read_wrapped_or_bare() {
    let message = json!({"id": "m1", "role": "user", "content": "hi", "created_at": "2025-11-20T09:00:00.1Z"});
    let answer = json!({"id": "m2", "content": "yo"});
    let bodies = [
        (
            201,
            json!({"data": {"user_message": message, "assistant_message": null}}),
            false,
        ),
        (
            201,
            json!({"data": {"user_message": message, "assistant_message": answer}}),
            true,
        ),
        (
            201,
            json!({"data": {"user_message": message, "assistant_messages": [answer]}}),
            true,
        ),
        (202, json!({"success": true, "data": message}), false),
        (200, json!({"message": message, "response": answer}), true),
        (200, message.clone(), false),
    ];
    for (status, body, answered) in bodies {
        let text = body.to_string();
        let server = Server::start(move |_| Reply::json(status, &body)).await;
        let receipt = within(service(&server).send(&outgoing("hi")))
            .await
            .expect("receipt");
        let sent = receipt.message.expect("message");
        assert_eq!((sent.id.as_str(), sent.own), ("m1", true), "{text}");
        assert_eq!(receipt.answer.is_some_and(|a| !a.own), answered, "{text}");
        let seen = &server.seen()[0];
        assert!(seen.is("POST", "/api/v1/consultations/c1/messages"));
        assert_eq!(seen.body, r#"{"content":"hi"}"#);
        assert_eq!(seen.header("authorization"), Some("Bearer secret-token"));
    }
}

#[tokio::test]
async fn a_send_that_the_server_takes_without_a_row_is_taken() {
    for (status, body) in [(202, ""), (204, ""), (201, "{\"data\":{}}")] {
        let server = Server::start(move |_| Reply::json(status, body)).await;
        let receipt = within(service(&server).send(&outgoing("hi")))
            .await
            .expect("taken");
        assert_eq!(receipt.message, None);
    }
}

#[tokio::test]
async fn l57_finished_conversation_refuses_with_one_code() {
    let silent = |status: &'static str| {
        move |seen: &Seen| match seen.method.as_str() {
            "GET" => Reply::json(200, json!({"data": {"id": "c1", "status": status}})),
            _ => Reply::json(
                if status == "completed" { 403 } else { 400 },
                json!({"success": false, "error": "no"}),
            ),
        }
    };
    for status in ["completed", "abandoned"] {
        let server = Server::start(silent(status)).await;
        let error = within(service(&server).send(&outgoing("hi")))
            .await
            .expect_err("finished");
        assert_eq!(
            (error.kind, error.retry, error.outcome),
            (K::NotActive, RetryClass::Never, Outcome::NotApplied)
        );
    }
    let server = Server::start(silent("active")).await;
    let error = within(service(&server).send(&outgoing("hi")))
        .await
        .expect_err("refused");
    assert_eq!(error.kind, K::Invalid);
    let coded = json!({"error": {"message": "x", "code": "CONSULTATION_NOT_ACTIVE"}});
    let server = Server::start(move |_| Reply::json(400, &coded)).await;
    let error = within(service(&server).send(&outgoing("hi")))
        .await
        .expect_err("finished");
    assert_eq!((error.kind, server.seen().len()), (K::NotActive, 1));
}

#[tokio::test]
async fn l3_conversation_is_read_wrapped_or_bare() {
    for body in [
        json!({"data": {"id": "c1"}}),
        json!({"data": {"consultation": {"id": "c1"}}}),
        json!({"success": true, "data": {"conversation": {"id": "c1"}}}),
        json!({"id": "c1"}),
    ] {
        let server = Server::start(move |_| Reply::json(200, &body)).await;
        let read = within(service(&server).conversation(&id("c1")))
            .await
            .expect("conversation");
        assert_eq!(read.id, id("c1"));
    }
}

#[tokio::test]
async fn l48_greeting_in_the_create_answer_is_stored() {
    let body = json!({"data": {
        "consultation": {"id": "c9", "status": "active", "messages": [{"id": "g0", "role": "assistant"}]},
        "greeting_message": {"id": "g1", "content": "welcome"},
        "survey_message": {"id": "g0", "content": "again"},
        "needs_survey": true,
    }});
    let server = Server::start(move |_| Reply::json(201, &body)).await;
    let made = within(service(&server).create_conversation(&new(None)))
        .await
        .expect("created");
    let CreateOutcome::Created(conversation, messages) = made else {
        panic!("a new one");
    };
    let ids: Vec<_> = messages.iter().map(|m| m.id.as_str()).collect();
    assert_eq!((conversation.id, ids), (id("c9"), vec!["g0", "g1"]));
}

#[tokio::test]
async fn l41_context_id_travels_in_one_field_in_lower_case() {
    let server = Server::start(|_| Reply::json(201, json!({"data": {"id": "c9"}}))).await;
    let goal = "7F3C0000-0000-4000-8000-00000000000A";
    let mut wanted = new(Some(("goal", goal)));
    for (name, value) in [
        ("goal_id", goal),
        ("title", "x"),
        ("quick_action", "goal_support"),
    ] {
        wanted.attributes.insert(name.into(), value.into());
    }
    within(service(&server).create_conversation(&wanted))
        .await
        .expect("created");
    let sent: Value = serde_json::from_str(&server.seen()[0].body).expect("json");
    let expected = json!({
        "persona": "nutritionist", "context_type": "goal",
        "context_id": goal.to_ascii_lowercase(), "quick_action": "goal_support",
    });
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn l79_unknown_persona_is_read_verbatim_and_not_sent() {
    let server = Server::start(|_| {
        Reply::json(200, json!({"data": {"id": "c1", "persona": "sleep_coach"}}))
    })
    .await;
    let read = within(service(&server).conversation(&id("c1")))
        .await
        .expect("conversation");
    assert_eq!(read.persona.as_deref(), Some("sleep_coach"));
    let mut wanted = new(None);
    wanted.persona = read.persona;
    let error = within(service(&server).create_conversation(&wanted))
        .await
        .expect_err("unknown");
    assert_eq!((error.kind, server.count("POST", ROOT)), (K::Invalid, 0));
    let mut settings = config(&server);
    settings.personas.clear();
    let open = crate::support::service_with(
        settings,
        std::sync::Arc::new(tidings::adapters::http::NoToken),
    );
    within(open.create_conversation(&wanted))
        .await
        .expect("any persona");
}

fn conflicting(error: Value, active: Value) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |seen| match (seen.method.as_str(), seen.path()) {
        ("POST", _) => Reply::json(409, json!({ "error": error })),
        ("GET", ROOT) => Reply::json(200, listed(&active)),
        _ => Reply::json(
            200,
            json!({"data": {"id": "c7", "messages": [{"id": "m1"}]}}),
        ),
    }
}

#[tokio::test]
async fn l39_conflict_returns_the_existing_conversation() {
    for error in [
        json!({"code": "CONSULTATION_EXISTS", "message": "m", "details": {"existing_consultation_id": "c7", "can_continue": true}}),
        json!({"message": "m", "existing_consultation_id": "c7"}),
    ] {
        let server = Server::start(conflicting(error, json!([]))).await;
        let found = within(service(&server).create_conversation(&new(None)))
            .await
            .expect("found");
        let CreateOutcome::Existing(conversation, messages) = found else {
            panic!("an existing one");
        };
        assert_eq!((conversation.id, messages.len()), (id("c7"), 1));
    }
}

#[tokio::test]
async fn l38_conflict_without_an_id_is_resolved_by_the_list() {
    let active = json!([
        {"id": "other", "persona": "triage", "context_type": "goal", "context_id": "g1"},
        {"id": "plain", "persona": "nutritionist"},
        {"id": "match", "persona": "nutritionist", "context_type": "goal", "context_id": "g1"},
    ]);
    let server = Server::start(conflicting(
        json!({"message": "conflicting consultation"}),
        active,
    ))
    .await;
    let service = service(&server);
    for (context, expected) in [(Some(("goal", "G1")), "match"), (None, "plain")] {
        let found = within(service.create_conversation(&new(context)))
            .await
            .expect("found");
        assert!(matches!(found, CreateOutcome::Existing(c, _) if c.id == id(expected)));
    }
    assert!(server.seen().iter().all(|seen| seen.method != "DELETE"));
}

#[tokio::test]
async fn l50_existing_conversation_is_matched_by_context_not_persona() {
    let active = json!([{"id": "plain", "persona": "nutritionist"}]);
    let server = Server::start(conflicting(json!({"message": "m"}), active)).await;
    let wanted = new(Some(("goal", "g2")));
    let error = within(service(&server).create_conversation(&wanted))
        .await
        .expect_err("none fits");
    assert_eq!(
        (error.kind, error.retry),
        (K::Conflict { existing: None }, RetryClass::Never)
    );
}

#[tokio::test]
async fn l86_recovery_sends_no_delete() {
    for error in [
        json!({"message": "m"}),
        json!({"code": "CONSULTATION_EXISTS", "details": {"existing_consultation_id": "c7"}}),
    ] {
        let server = Server::start(conflicting(
            error,
            json!([{"id": "x", "persona": "triage"}]),
        ))
        .await;
        let _ = within(service(&server).create_conversation(&new(None))).await;
        let methods: Vec<_> = server.seen().into_iter().map(|seen| seen.method).collect();
        assert_eq!(methods, ["POST", "GET"]);
    }
}

#[tokio::test]
async fn l56_cap_on_active_conversations_is_not_a_cooldown() {
    let many: Vec<Value> = (0..10).map(|n| json!({"id": format!("c{n}")})).collect();
    for (error, active, capped) in [
        (
            json!({"message": "too many active consultations: 10"}),
            json!([]),
            true,
        ),
        (
            json!({"code": "TOO_MANY_ACTIVE", "message": "x"}),
            json!([]),
            true,
        ),
        (json!({"message": "zu viele"}), json!(many), true),
        (json!({"message": "slow down"}), json!([]), false),
        (
            json!({"code": "RATE_LIMIT_EXCEEDED", "message": "x"}),
            json!(many),
            false,
        ),
    ] {
        let text = error.to_string();
        let server = Server::start(move |seen| match seen.method.as_str() {
            "POST" => Reply::json(429, json!({ "error": error })),
            _ => Reply::json(200, listed(&active)),
        })
        .await;
        let error = within(service(&server).create_conversation(&new(None)))
            .await
            .expect_err("429");
        let expected = if capped {
            (K::TooManyActive, RetryClass::Never)
        } else {
            (K::RateLimited, RetryClass::Backoff)
        };
        assert_eq!((error.kind, error.retry), expected, "{text}");
    }
}

/// A list of `count` conversations of each status, served in pages of at most `most`.
fn paged(
    count: usize,
    most: usize,
    says_total: bool,
) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |seen| {
        let status = seen.query("status").unwrap_or_default();
        if status == "pending_approval" {
            return Reply::json(400, json!({"error": {"message": "bad query"}}));
        }
        let number = |name| {
            seen.query(name)
                .and_then(|v| v.parse::<usize>().ok())
                .unwrap_or(0)
        };
        let (offset, limit) = (number("offset"), number("limit").min(most));
        let items: Vec<Value> = (offset..count.min(offset + limit))
            .map(|n| json!({"id": format!("{status}-{n}"), "status": status}))
            .collect();
        let mut data = json!({"consultations": items});
        if says_total {
            data["total_count"] = json!(count);
        }
        Reply::json(200, json!({ "data": data }))
    }
}

async fn all(server: &Server) -> Vec<String> {
    let service = service(server);
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let page = within(service.list_conversations(&ListScope::All, cursor.as_ref()))
            .await
            .expect("page");
        ids.extend(
            page.conversations
                .into_iter()
                .map(|c| c.id.as_str().to_owned()),
        );
        cursor = page.next;
        if cursor.is_none() {
            return ids;
        }
    }
}

#[tokio::test]
async fn l82_all_statuses_are_listed() {
    let server = Server::start(paged(1, 100, true)).await;
    let expected = [
        "active-0",
        "pending-0",
        "completed-0",
        "abandoned-0",
        "archived-0",
    ];
    assert_eq!(all(&server).await, expected);
}

#[tokio::test]
async fn l83_list_is_read_to_its_end() {
    for (most, says_total) in [(100, true), (20, true), (20, false)] {
        let server = Server::start(paged(130, most, says_total)).await;
        assert_eq!(all(&server).await.len(), 5 * 130, "{most} {says_total}");
    }
}

#[tokio::test]
async fn f33_list_whose_paging_is_ignored_ends() {
    let server = Server::start(|_| {
        Reply::json(
            200,
            json!({"data": {"conversations": [{"id": "a"}, {"x": 1}], "has_more": true}}),
        )
    })
    .await;
    let page = within(service(&server).list_conversations(&ListScope::Active, None))
        .await
        .expect("page");
    assert_eq!((page.conversations.len(), page.skipped), (1, 1));
    let ids = all(&server).await;
    assert_eq!(ids.len(), 12);
}

#[tokio::test]
async fn l5_list_is_read_under_every_known_key() {
    for body in [
        json!({"data": {"consultations": [{"id": "a"}], "total_count": 1, "limit": 20, "offset": 0}}),
        json!({"data": {"conversations": [{"id": "a"}], "total": 1, "has_more": false}}),
        json!({"success": true, "data": {"consultations": [{"id": "a"}], "pagination": {"total": 1}}}),
        json!({"consultations": [{"id": "a"}], "total": "1"}),
    ] {
        let text = body.to_string();
        let server = Server::start(move |_| Reply::json(200, &body)).await;
        let page = within(service(&server).list_conversations(&ListScope::Active, None))
            .await
            .expect("page");
        assert_eq!((page.conversations.len(), page.next), (1, None), "{text}");
    }
    let server =
        Server::start(|_| Reply::json(200, json!({"data": {"consultations": null}}))).await;
    let page = within(service(&server).list_conversations(&ListScope::Active, None))
        .await
        .expect("page");
    assert!(page.conversations.is_empty() && page.next.is_none());
}

#[tokio::test]
async fn l43_delete_of_what_is_gone_is_done() {
    for status in [204, 200, 404, 410] {
        let server = Server::start(move |_| Reply::status(status)).await;
        within(service(&server).delete_conversation(&id("c1")))
            .await
            .expect("gone");
        assert_eq!(server.count("DELETE", "/api/v1/consultations/c1"), 1);
    }
    let server = Server::start(|_| Reply::status(403)).await;
    let error = within(service(&server).delete_conversation(&id("c1")))
        .await
        .expect_err("not ours");
    assert_eq!(error.kind, K::NotAllowed);
}

#[tokio::test]
async fn completing_what_is_completed_is_done() {
    for status in ["completed", "active"] {
        let server = Server::start(move |seen| match seen.method.as_str() {
            "POST" => Reply::json(400, json!({"error": {"message": "already"}})),
            _ => Reply::json(200, json!({"data": {"id": "c1", "status": status}})),
        })
        .await;
        let done = within(service(&server).complete(&id("c1"))).await;
        assert_eq!(done.is_ok(), status == "completed");
    }
}

#[tokio::test]
async fn the_dialect_is_learned_from_answers() {
    let server =
        Server::start(|_| Reply::json(200, json!({"success": true, "data": {"id": "c1"}}))).await;
    let service = service(&server);
    assert!(service.capabilities().send_over_socket);
    within(service.conversation(&id("c1")))
        .await
        .expect("conversation");
    let learned = service.capabilities();
    assert!(!learned.send_over_socket && !learned.ready_frame && !learned.history_paging);
}
