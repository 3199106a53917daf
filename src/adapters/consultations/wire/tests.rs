//! Objects in every form that was seen, specified or noted.

use super::*;
use crate::domain::time::WallTime;

fn conversation_of(text: &str) -> Option<ServerConversation> {
    conversation(&Object::parse(text)?)
}

fn message_of(text: &str) -> Option<ServerMessage> {
    message(&Object::parse(text)?, None)
}

#[test]
fn l4_conversation_needs_only_its_id() {
    let read = conversation_of(r#"{"id":"consult-1"}"#).expect("conversation");
    assert_eq!(
        read,
        ServerConversation::bare(ConversationId::parse("consult-1").expect("id"))
    );
    assert_eq!(conversation_of(r#"{"persona":"x"}"#), None);
    assert_eq!(conversation_of(r#"{"id":""}"#), None);
}

#[test]
fn l81_server_id_of_any_form_is_kept() {
    for id in ["msg-1", "7F3C0000-0000-4000-8000-000000000000", "ü/ ?"] {
        let text = serde_json::json!({ "id": id }).to_string();
        assert_eq!(message_of(&text).expect("message").id.as_str(), id);
    }
    assert_eq!(
        message_of(r#"{"id":12}"#).expect("message").id.as_str(),
        "12"
    );
}

#[test]
fn l77_unknown_role_is_kept_verbatim() {
    let read = message_of(r#"{"id":"m","role":"critic"}"#).expect("message");
    assert_eq!(read.role, Role::Other("critic".into()));
    assert!(!read.own);
    for (role, own) in [("function", false), ("system", false), ("user", true)] {
        let text = format!("{{\"id\":\"m\",\"role\":\"{role}\"}}");
        let read = message_of(&text).expect("message");
        assert_eq!((read.role.as_str(), read.own), (role, own));
    }
}

#[test]
fn l8_date_is_read_with_any_fraction_and_offset() {
    let expected = WallTime::parse_rfc3339("2025-11-20T09:00:00.5Z");
    for date in [
        "2025-11-20T09:00:00.5Z",
        "2025-11-20T09:00:00.500000000Z",
        "2025-11-20T11:00:00.50+02:00",
    ] {
        for name in CREATED {
            let text = format!("{{\"id\":\"m\",\"{name}\":\"{date}\"}}");
            assert_eq!(
                message_of(&text).expect("message").created_at,
                expected,
                "{text}"
            );
        }
    }
}

#[test]
fn l9_unreadable_date_stays_unknown() {
    for date in ["\"just now\"", "12", "null", "\"\"", "{}"] {
        let text = format!("{{\"id\":\"m\",\"content\":\"kept\",\"created_at\":{date}}}");
        let read = message_of(&text).expect("message");
        assert_eq!((read.created_at, read.text.as_str()), (None, "kept"));
    }
}

#[test]
fn l78_one_odd_item_does_not_spoil_the_list() {
    let text = r#"{"messages":[{"id":"a"},7,{"content":"no id"},null,{"id":"b","role":"oracle"}]}"#;
    let (read, skipped) = messages(&Object::parse(text).expect("object"), &["messages"]);
    let ids: Vec<_> = read.iter().map(|m| m.id.as_str()).collect();
    assert_eq!((ids, skipped), (vec!["a", "b"], 3));
    let journal = conversation_of(r#"{"id":"c","context_type":"journal","persona":"sleep_coach"}"#);
    let journal = journal.expect("conversation");
    assert_eq!(journal.context.map(|c| c.kind).as_deref(), Some("journal"));
    assert_eq!(journal.persona.as_deref(), Some("sleep_coach"));
}

#[test]
fn context_is_read_flat_nested_or_as_a_goal() {
    for (text, kind, id) in [
        (
            r#"{"id":"c","context_type":"goal","context_id":"g"}"#,
            "goal",
            Some("g"),
        ),
        (
            r#"{"id":"c","context_type":"mood","context_id":null}"#,
            "mood",
            None,
        ),
        (r#"{"id":"c","goal_id":"g"}"#, "goal", Some("g")),
        (
            r#"{"id":"c","context":{"type":"insight","id":"i"}}"#,
            "insight",
            Some("i"),
        ),
    ] {
        let context = conversation_of(text).and_then(|c| c.context).expect(text);
        assert_eq!(
            (context.kind.as_str(), context.id.as_deref()),
            (kind, id),
            "{text}"
        );
    }
}

#[test]
fn status_is_read_from_its_name_or_from_older_flags() {
    for (text, status) in [
        (
            r#"{"id":"c","status":"pending_approval"}"#,
            Some("pending_approval"),
        ),
        (r#"{"id":"c","is_archived":true}"#, Some("archived")),
        (
            r#"{"id":"c","is_archived":false,"is_active":true}"#,
            Some("active"),
        ),
        (r#"{"id":"c","is_active":false}"#, None),
    ] {
        let read = conversation_of(text).expect(text).status;
        assert_eq!(read.as_ref().map(Status::as_str), status, "{text}");
    }
}

#[test]
fn further_facts_are_kept_as_text() {
    let text = r#"{"id":"c","message_count":3,"has_context_for_goal_suggestions":true,"quick_action":"x","goal_id":null}"#;
    let read = conversation_of(text).expect("conversation").attributes;
    let pairs: Vec<_> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let expected = [
        ("has_context_for_goal_suggestions", "true"),
        ("message_count", "3"),
        ("quick_action", "x"),
    ];
    assert_eq!(pairs, expected);
}

#[test]
fn f36_null_and_absent_are_the_same() {
    let text = r#"{"id":"m","role":null,"content":null,"created_at":null,"function_name":null,"metadata":null}"#;
    assert_eq!(message_of(text), message_of(r#"{"id":"m"}"#));
}
