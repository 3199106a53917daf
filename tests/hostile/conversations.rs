//! Conversations: there already, too many, listed in parts, unknown to the store, gone.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidings::{
    domain::{
        connection::ConnectionState,
        conversation::Context,
        ids::ConversationId,
        ports::{NewConversation, chat_repository::ConversationFilter},
    },
    error::ChatError,
    usecases::wait_for_delivery::Delivery,
};
use tidings_backend::{Action, BackendConfig, ConflictPolicy, On, Rule};

use crate::{
    device::{Device, backend, backend_with, held, spoil},
    raw::{Reply, Seen},
    server::Stub,
};

fn about(goal: &str) -> NewConversation {
    NewConversation {
        persona: Some("wellness_specialist".to_owned()),
        context: Some(Context {
            kind: "goal".to_owned(),
            id: Some(goal.to_owned()),
        }),
        ..NewConversation::default()
    }
}

const EVERY: ConversationFilter = ConversationFilter {
    include_archived: true,
    limit: 0,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l39_conflict_returns_the_existing_conversation() {
    let backend = backend();
    let first = Device::start(&backend.url()).await;
    let id = first.create().await;
    let chat = first.open(&id, ConnectionState::Live).await;
    chat.send("from the first device").await.unwrap();
    first.answered(&id, "from the first device").await;
    let second = Device::start(&backend.url()).await;
    let new = NewConversation {
        persona: Some("wellness_specialist".to_owned()),
        ..NewConversation::default()
    };
    let found = second.client.create_conversation(new).await.unwrap();
    assert!(found.existed);
    assert_eq!(found.conversation.id, id);
    let chat = second.open(&id, ConnectionState::Live).await;
    second.answered(&id, "from the first device").await;
    chat.send("from the second").await.unwrap();
    second.answered(&id, "from the second").await;
    first.answered(&id, "from the second").await;
    assert!(
        backend
            .requests()
            .iter()
            .all(|seen| seen.method != "DELETE")
    );
    first.stop().await;
    second.stop().await;
}

/// A create that conflicts without saying with what, and a list to find it in.
async fn conflicted(listed: Value) -> Stub {
    Stub::start(move |seen, _| {
        if seen.is("POST", "/api/v1/consultations") {
            let body = json!({"error": {"message": "conflicting consultation: already have an \
                active consultation for this persona and goal"}});
            return Some(Reply::json(409, body));
        }
        let count = listed.as_array().unwrap().len();
        let list = json!({"data": {"consultations": listed, "total_count": count}});
        seen.is("GET", "/api/v1/consultations")
            .then(|| Reply::json(200, list))
    })
    .await
}

fn listed(id: &str, persona: &str, goal: &str) -> Value {
    json!({"id": id, "persona": persona, "status": "active", "context_type": "goal",
        "context_id": goal, "created_at": "2025-11-20T09:00:00Z"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l38_conflict_without_an_id_is_resolved_by_the_list() {
    let stub = conflicted(json!([
        listed("c7", "wellness_specialist", "other"),
        listed("c8", "nutritionist", "goal-1"),
        {"id": "c9", "persona": "wellness_specialist", "status": "active"},
        listed("c1", "wellness_specialist", "goal-1"),
    ]))
    .await;
    let device = Device::start(&stub.url()).await;
    let found = device
        .client
        .create_conversation(about("goal-1"))
        .await
        .unwrap();
    assert!(found.existed);
    assert_eq!(found.conversation.id.as_str(), "c1");
    let chat = device
        .open(&found.conversation.id, ConnectionState::Live)
        .await;
    chat.send("hello").await.unwrap();
    device.answered(&found.conversation.id, "hello").await;
    assert_eq!(stub.count(|seen| seen.method == "DELETE"), 0);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l38_conflict_that_no_list_explains_is_a_clear_error() {
    let stub = conflicted(json!([listed("c7", "wellness_specialist", "other")])).await;
    let device = Device::start(&stub.url()).await;
    let error = device
        .client
        .create_conversation(about("goal-1"))
        .await
        .unwrap_err();
    assert!(matches!(error, ChatError::Conflict { .. }), "{error:?}");
    assert_eq!(error.code(), "conflict");
    assert_eq!(stub.count(|seen| seen.method == "DELETE"), 0);
    assert_eq!(
        stub.count(|seen| seen.is("POST", "/api/v1/consultations")),
        1
    );
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l48_greeting_in_the_create_answer_is_stored() {
    let greeting = Some("Hello! How can I help?".to_owned());
    let backend = backend_with(BackendConfig {
        greeting,
        ..BackendConfig::default()
    });
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let said = |rows: &[tidings::domain::message::Message]| {
        rows.len() == 1 && rows[0].text == "Hello! How can I help?" && !rows[0].own
    };
    device
        .until(&id, "the greeting, before anything is opened", said)
        .await;
    let chat = device.open(&id, ConnectionState::Live).await;
    chat.send("ping").await.unwrap();
    device.answered(&id, "ping").await;
    device.client.synchronise(id.clone()).await.unwrap();
    let rows = device.until(&id, "no double", |rows| rows.len() >= 3).await;
    assert_eq!(rows.len(), 3, "{rows:#?}");
    assert!(said(&rows[..1]), "it stands first");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f22_l56_too_many_active_is_typed_and_not_waited_for() {
    let backend = backend_with(BackendConfig {
        conflicts: ConflictPolicy::Many,
        max_active: 2,
        ..BackendConfig::default()
    });
    let device = Device::start(&backend.url()).await;
    let (a, _b) = (device.create().await, device.create().await);
    backend.forget_records();
    let error = device
        .client
        .create_conversation(about("goal-1"))
        .await
        .unwrap_err();
    assert!(matches!(error, ChatError::TooManyActive), "{error:?}");
    assert!(!error.is_retryable());
    let creations = backend.requests();
    let creations = creations.iter().filter(|seen| seen.method == "POST");
    assert_eq!(creations.count(), 1);
    device.complete(&a).await;
    device
        .client
        .create_conversation(about("goal-1"))
        .await
        .unwrap();
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l82_all_statuses_are_listed() {
    let list = |seen: &Seen| {
        let status = seen.query("status").unwrap_or_else(|| "active".to_owned());
        // This server does not know one of them.
        if status == "pending_approval" {
            return Reply::json(400, json!({"error": {"message": "bad query"}}));
        }
        let one = json!({"id": format!("is-{status}"), "status": status, "persona": "oracle",
            "created_at": "2025-11-20T09:00:00Z"});
        Reply::json(
            200,
            json!({"data": {"consultations": [one], "total_count": 1}}),
        )
    };
    let stub =
        Stub::start(move |seen, _| seen.is("GET", "/api/v1/consultations").then(|| list(seen)))
            .await;
    let device = Device::start(&stub.url()).await;
    let refreshed = device.client.refresh_conversations().await.unwrap();
    assert_eq!((refreshed.listed, refreshed.skipped), (5, 0));
    let stored = device.client.conversations(EVERY).await.unwrap();
    let mut ids: Vec<_> = stored.iter().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    let expected = [
        "is-abandoned",
        "is-active",
        "is-archived",
        "is-completed",
        "is-pending",
    ];
    assert_eq!(ids, expected);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l83_list_is_read_to_its_end() {
    let gone = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(usize::MAX));
    let missing = gone.clone();
    let stub = Stub::start(move |seen, _| {
        seen.is("GET", "/api/v1/consultations").then(|| {
            let gone = missing.load(std::sync::atomic::Ordering::SeqCst);
            let all = (0..230).filter(|n| *n != gone);
            let all: Vec<_> = all
                .map(|n| listed(&format!("c{n:03}"), "triage", "g"))
                .collect();
            let of = |name| seen.query(name).map_or(0, |n| n.parse::<usize>().unwrap());
            let active = seen.query("status").as_deref() == Some("active");
            let all = if active { all } else { Vec::new() };
            let page: Vec<_> = all
                .iter()
                .skip(of("offset"))
                .take(of("limit").min(50))
                .collect();
            Reply::json(
                200,
                json!({"data": {"consultations": page, "total_count": all.len()}}),
            )
        })
    })
    .await;
    let device = Device::start(&stub.url()).await;
    let refreshed = device.client.refresh_conversations().await.unwrap();
    assert_eq!((refreshed.listed, refreshed.removed), (230, 0));
    assert_eq!(device.client.conversations(EVERY).await.unwrap().len(), 230);
    let asked = stub.seen().len();
    assert!(asked <= 11, "{asked} requests");
    // What was deleted elsewhere goes; nothing is deleted for it.
    gone.store(117, std::sync::atomic::Ordering::SeqCst);
    let refreshed = device.client.refresh_conversations().await.unwrap();
    assert_eq!((refreshed.listed, refreshed.removed), (229, 1));
    assert_eq!(stub.count(|seen| seen.method == "DELETE"), 0);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l40_conversation_unknown_to_the_store_is_opened_as_it_is() {
    let backend = backend();
    let first = Device::start(&backend.url()).await;
    let id = first.create().await;
    let chat = first.open(&id, ConnectionState::Live).await;
    chat.send("before").await.unwrap();
    first.answered(&id, "before").await;
    first.stop().await;
    backend.forget_records();
    let second = Device::start(&backend.url()).await;
    let chat = second.open(&id, ConnectionState::Live).await;
    second.answered(&id, "before").await;
    chat.send("after").await.unwrap();
    let rows = second.answered(&id, "after").await;
    assert_eq!(rows.len(), 4, "{rows:#?}");
    assert_eq!(held(&backend, &id), ["before", "after"]);
    let creates = backend.requests();
    let creates = creates
        .iter()
        .filter(|seen| seen.method == "DELETE" || seen.path == "/api/v1/consultations");
    assert_eq!(creates.count(), 0, "neither created nor deleted");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l40_send_to_a_conversation_unknown_to_the_store_arrives() {
    let backend = backend();
    let first = Device::start(&backend.url()).await;
    let id = first.create().await;
    first.stop().await;
    let second = Device::start(&backend.url()).await;
    let mode = tidings::domain::outbox::SendMode::Durable;
    second
        .client
        .send(id.clone(), "out of the blue", mode)
        .await
        .unwrap();
    let _chat = second.client.open(id.clone());
    second.answered(&id, "out of the blue").await;
    assert_eq!(held(&backend, &id), ["out of the blue"]);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l43_delete_of_what_is_gone_is_done_and_a_refused_one_is_told() {
    for code in [404, 410] {
        let backend = backend();
        let device = Device::start(&backend.url()).await;
        let id = device.create().await;
        let gone = status(code);
        spoil(
            &backend,
            Rule::new(On::Http, gone).method("DELETE").times(0),
        );
        device.client.delete_conversation(id.clone()).await.unwrap();
        assert!(device.client.conversation(&id).await.unwrap().is_none());
        device.stop().await;
    }
    for (code, said) in [(403, "not_allowed"), (500, "service.unavailable")] {
        let backend = backend();
        let device = Device::start(&backend.url()).await;
        let id = device.create().await;
        let refused = status(code);
        spoil(
            &backend,
            Rule::new(On::Http, refused).method("DELETE").times(0),
        );
        let error = device
            .client
            .delete_conversation(id.clone())
            .await
            .unwrap_err();
        assert_eq!(error.code(), said);
        assert!(device.client.conversation(&id).await.unwrap().is_some());
        let tries = backend.requests();
        let tries = tries.iter().filter(|seen| seen.method == "DELETE");
        assert_eq!(tries.count(), 1);
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f24_refused_reads_and_creations_are_told_once_and_never_repeated() {
    for (code, said) in [(400, "rejected"), (403, "not_allowed"), (404, "not_found")] {
        let backend = backend();
        let device = Device::start(&backend.url()).await;
        spoil(&backend, Rule::new(On::Http, status(code)).times(0));
        let error = device
            .client
            .create_conversation(about("g"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), said);
        let id = ConversationId::parse("c1").unwrap();
        let error = device.client.synchronise(id.clone()).await.unwrap_err();
        assert_eq!(error.code(), said);
        let Delivery::Failed(reason) = device.complete(&id).await else {
            panic!("it was refused");
        };
        assert_eq!(reason.code, said);
        let seen = backend.requests();
        let count = |method: &str| seen.iter().filter(|seen| seen.method == method).count();
        // The conversation's own word is asked for where 400 and 403 may mean "completed".
        assert_eq!((count("POST"), count("DELETE")), (2, 0), "{seen:#?}");
        assert!(count("GET") <= 2, "{seen:#?}");
        device.stop().await;
    }
}

fn status(code: u16) -> Action {
    Action::Status {
        code,
        headers: BTreeMap::new(),
        body: String::new(),
        content_type: "application/json".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l83_refused_list_drops_nothing_that_is_stored() {
    for refused in ["*/consultations", "*/consultations*"] {
        let backend = backend();
        let device = Device::start(&backend.url()).await;
        let id = device.create().await;
        spoil(
            &backend,
            Rule::new(On::Http, status(400))
                .method("GET")
                .path(refused)
                .times(0),
        );
        let error = device.client.refresh_conversations().await.unwrap_err();
        assert_eq!(error.code(), "rejected");
        assert!(device.client.conversation(&id).await.unwrap().is_some());
        device.stop().await;
    }
    // A server that lists active ones only: what is finished is not gone.
    let stub = Stub::start(|seen, _| {
        seen.is("GET", "/api/v1/consultations")
            .then(|| match seen.query("status").as_deref() {
                Some("active") => Reply::json(200, json!({"data": {"consultations": []}})),
                _ => Reply::json(400, json!({"error": {"message": "bad query"}})),
            })
    })
    .await;
    let device = Device::start(&stub.url()).await;
    let created = device.client.create_conversation(about("g")).await.unwrap();
    let refreshed = device.client.refresh_conversations().await.unwrap();
    assert_eq!((refreshed.listed, refreshed.removed), (0, 0));
    let id = created.conversation.id;
    assert!(device.client.conversation(&id).await.unwrap().is_some());
    device.stop().await;
}
