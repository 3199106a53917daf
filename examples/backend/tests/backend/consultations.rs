use serde_json::json;
use tidings_backend::{ConflictPolicy, StaticToken};

use crate::support::{CONSULTATIONS, Http, id_of, messages, start, start_with, text, within};

#[tokio::test]
async fn creation_answers_in_productions_shape() {
    let backend = start();
    let answer = Http::new(&backend)
        .post(
            CONSULTATIONS,
            json!({ "persona": "nutritionist", "quick_action": "goal_support" }),
        )
        .await;
    assert_eq!(answer.status, 201);
    assert!(answer.json().get("success").is_none());
    let data = answer.data();
    assert_eq!(data["needs_survey"], false);
    assert!(data.get("greeting_message").is_none());
    let consultation = &data["consultation"];
    assert_eq!(consultation["status"], "active");
    assert_eq!(consultation["message_count"], 0);
    assert_ne!(
        consultation["created_at"], consultation["updated_at"],
        "nanoseconds apart"
    );
    for absent in ["goal_id", "completed_at", "context_type", "title"] {
        assert!(consultation.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn creations_carry_nanoseconds_and_reads_whole_seconds() {
    let backend = start();
    let http = Http::new(&backend);
    let created = http
        .post(CONSULTATIONS, json!({ "persona": "triage" }))
        .await
        .data();
    let created = &created["consultation"];
    let read = http
        .get(&format!("{CONSULTATIONS}/{}", id_of(created)))
        .await
        .data();
    let (precise, coarse) = (text(&created["created_at"]), text(&read["created_at"]));
    assert_eq!(coarse.len(), "2025-11-20T08:59:58Z".len());
    assert_eq!(precise[..19], coarse[..19]);
    assert!(precise.len() > coarse.len());
}

#[tokio::test]
async fn a_second_consultation_for_the_same_purpose_is_a_conflict_that_names_the_first() {
    let backend = start();
    let http = Http::new(&backend);
    let goal = json!({ "persona": "triage", "context_type": "goal", "context_id": "g-1" });
    let first = http.post(CONSULTATIONS, goal.clone()).await;
    let second = http.post(CONSULTATIONS, goal).await;
    assert_eq!(second.status, 409);
    let error = &second.json()["error"];
    assert_eq!(error["code"], "CONSULTATION_EXISTS");
    assert_eq!(
        error["details"]["existing_consultation_id"],
        first.data()["consultation"]["id"]
    );
    assert_eq!(error["details"]["can_continue"], true);
    let other = json!({ "persona": "triage", "context_type": "goal", "context_id": "g-2" });
    assert_eq!(http.post(CONSULTATIONS, other).await.status, 201);
}

#[tokio::test]
async fn the_eleventh_active_consultation_is_too_many() {
    let backend = start_with(|config| config.conflicts = ConflictPolicy::Many);
    let http = Http::new(&backend);
    let persona = json!({ "persona": "triage" });
    for _ in 0..10 {
        assert_eq!(http.post(CONSULTATIONS, persona.clone()).await.status, 201);
    }
    let answer = http.post(CONSULTATIONS, persona).await;
    assert_eq!(answer.status, 429);
    assert!(text(&answer.json()["error"]["message"]).starts_with("too many active consultations:"));
    assert!(answer.headers.get("retry-after").is_none());
}

#[tokio::test]
async fn invalid_creations_are_refused() {
    let backend = start();
    let http = Http::new(&backend);
    for (body, status) in [
        (json!({}), 400),
        (json!({ "persona": "mental_health_coach" }), 400),
        (
            json!({ "persona": "triage", "context_type": "weather" }),
            400,
        ),
        (
            json!({ "persona": "triage", "initial_message": "x".repeat(5001) }),
            400,
        ),
        (
            json!({ "persona": "triage", "context_type": "goal", "context_id": "ABC" }),
            404,
        ),
    ] {
        assert_eq!(
            http.post(CONSULTATIONS, body.clone()).await.status,
            status,
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_greeting_comes_with_the_creation_when_there_is_one() {
    let backend = start_with(|config| config.greeting = Some("Welcome!".to_owned()));
    let answer = Http::new(&backend)
        .post(CONSULTATIONS, json!({ "persona": "triage" }))
        .await
        .data();
    assert_eq!(answer["greeting_message"]["content"], "Welcome!");
    assert_eq!(answer["greeting_message"]["role"], "assistant");
}

#[tokio::test]
async fn an_initial_message_is_answered() {
    let backend = start();
    let body = json!({ "persona": "triage", "initial_message": "ping 5" });
    let answer = Http::new(&backend).post(CONSULTATIONS, body).await.data();
    let id = id_of(&answer["consultation"]);
    within(backend.wait_until(|backend| backend.messages(&id).len() == 2)).await;
    assert!(backend.messages(&id)[1].content.contains("ping 5"));
}

#[tokio::test]
async fn a_list_shows_active_ones_unless_told_otherwise() {
    let backend = start_with(|config| config.conflicts = ConflictPolicy::Many);
    let http = Http::new(&backend);
    let (first, second) = (http.create().await, http.create().await);
    let done = http
        .post(&format!("{CONSULTATIONS}/{first}/complete"), json!({}))
        .await;
    assert_eq!(
        (done.status, &done.data()["status"]),
        (200, &json!("completed"))
    );
    let active = http.get(CONSULTATIONS).await.data();
    assert_eq!(active["total_count"], 1);
    assert_eq!(id_of(&active["consultations"][0]), second);
    let completed = http
        .get(&format!("{CONSULTATIONS}?status=completed"))
        .await
        .data();
    assert_eq!(id_of(&completed["consultations"][0]), first);
    let again = http
        .post(&format!("{CONSULTATIONS}/{first}/complete"), json!({}))
        .await;
    assert_eq!(again.status, 400);
}

#[tokio::test]
async fn lists_are_paged_newest_first() {
    let backend = start_with(|config| config.conflicts = ConflictPolicy::Many);
    let http = Http::new(&backend);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.insert(0, http.create().await);
    }
    let page = http
        .get(&format!("{CONSULTATIONS}?limit=2&offset=1"))
        .await
        .data();
    let found: Vec<_> = page["consultations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(id_of)
        .collect();
    assert_eq!(found, ids[1..]);
    assert_eq!(
        (&page["total_count"], &page["limit"], &page["offset"]),
        (&json!(3), &json!(2), &json!(1))
    );
}

#[tokio::test]
async fn bad_list_queries_are_refused() {
    let backend = start();
    let http = Http::new(&backend);
    for query in [
        "status=pending_approval",
        "limit=0",
        "limit=101",
        "offset=-1",
        "persona=x",
    ] {
        assert_eq!(
            http.get(&format!("{CONSULTATIONS}?{query}")).await.status,
            400,
            "{query}"
        );
    }
}

#[tokio::test]
async fn messages_are_paged_oldest_first() {
    let backend = start_with(|config| config.word_delay = std::time::Duration::ZERO);
    let http = Http::new(&backend);
    let id = http.create().await;
    for n in 0..3 {
        http.say(&id, &format!("message {n}")).await;
        within(backend.wait_until(|backend| backend.messages(&id).len() == 2 * (n + 1))).await;
    }
    let page = http
        .get(&format!("{}?limit=2&offset=2", messages(&id)))
        .await
        .data();
    assert_eq!(
        (&page["total_count"], &page["limit"], &page["offset"]),
        (&json!(6), &json!(2), &json!(2))
    );
    assert_eq!(page["messages"][0]["content"], "message 1");
    assert_eq!(page["messages"][1]["role"], "assistant");
    assert!(
        page["messages"][1].get("seq").is_none(),
        "sequence numbers are an extension"
    );
}

#[tokio::test]
async fn a_posted_message_comes_back_with_its_id() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    let answer = http.say(&id, "hello <&>").await;
    assert_eq!(answer.status, 201);
    assert!(
        answer.text.contains("\\u003c\\u0026\\u003e"),
        "escaped as Go does: {}",
        answer.text
    );
    let message = &answer.data()["user_message"];
    assert_eq!(message["content"], "hello <&>");
    assert_eq!(message["consultation_id"], id.as_str());
    assert_eq!(id_of(message), backend.messages(&id)[0].id);
}

#[tokio::test]
async fn length_is_counted_in_scalars() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    assert_eq!(http.say(&id, &"é".repeat(5000)).await.status, 201);
    assert_eq!(http.say(&id, &"é".repeat(5001)).await.status, 400);
    assert_eq!(http.say(&id, " \n").await.status, 400);
}

#[tokio::test]
async fn a_completed_consultation_takes_no_messages() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    http.post(&format!("{CONSULTATIONS}/{id}/complete"), json!({}))
        .await;
    let answer = http.say(&id, "still there?").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["code"], "CONSULTATION_NOT_ACTIVE");
}

#[tokio::test]
async fn deleting_is_final_and_takes_the_messages_along() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    http.say(&id, "hello").await;
    let path = format!("{CONSULTATIONS}/{id}");
    let deleted = http.delete(&path).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    assert_eq!(http.delete(&path).await.status, 404);
    assert_eq!(http.get(&path).await.status, 404);
    assert!(backend.messages(&id).is_empty());
}

#[tokio::test]
async fn what_belongs_to_another_is_forbidden() {
    let backend = start_with(|config| {
        config.tokens = vec![StaticToken::new("a", "alice"), StaticToken::new("b", "bob")];
    });
    let alice = Http::new(&backend).with_token("a");
    let bob = Http::new(&backend).with_token("b");
    let id = alice.create().await;
    assert_eq!(
        alice.get(&format!("{CONSULTATIONS}/{id}")).await.status,
        200
    );
    assert_eq!(bob.get(&format!("{CONSULTATIONS}/{id}")).await.status, 403);
    assert_eq!(bob.say(&id, "hi").await.status, 403);
    assert_eq!(bob.get(CONSULTATIONS).await.data()["total_count"], 0);
}

#[tokio::test]
async fn reads_do_not_mind_the_case_of_an_id() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    assert_eq!(
        http.get(&format!("{CONSULTATIONS}/{}", id.to_uppercase()))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn quick_actions_and_goal_suggestions_are_offered() {
    let backend = start();
    let http = Http::new(&backend);
    let actions = http
        .get(&format!("{CONSULTATIONS}/quick-actions"))
        .await
        .data();
    assert_eq!(actions["actions"][0]["id"], "suggest-goal");
    let id = http.create().await;
    let path = format!("{CONSULTATIONS}/{id}/suggest-goals");
    assert_eq!(http.post(&path, json!({})).await.data()["count"], 3);
    assert_eq!(
        http.post(&path, json!({ "max_suggestions": 11 }))
            .await
            .status,
        400
    );
}
