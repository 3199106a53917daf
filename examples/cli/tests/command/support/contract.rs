//! The contract of the JSON lines: fields may be added, never renamed or left out.

use std::process::ExitStatus;

use serde_json::Value;

/// The fields that each type of line must have.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "conversation",
        &[
            "id",
            "title",
            "persona",
            "status",
            "context",
            "unread",
            "last_message",
            "archived",
            "participants",
        ],
    ),
    (
        "message",
        &[
            "id",
            "server_id",
            "conversation",
            "role",
            "sender",
            "text",
            "state",
            "position",
            "created_at",
            "deleted",
            "incomplete",
            "at",
        ],
    ),
    (
        "audit",
        &[
            "server_id",
            "conversation",
            "at",
            "role",
            "sender",
            "text",
            "deleted",
            "deleted_at",
        ],
    ),
    ("accepted", &["id"]),
    ("salvaged", &["at", "kept", "unsent", "drafts", "lost"]),
    (
        "storage",
        &[
            "bytes",
            "free_bytes",
            "conversations",
            "messages",
            "unsent",
            "drafts",
            "journal",
            "gaps",
        ],
    ),
    (
        "delivery",
        &[
            "id",
            "state",
            "server_id",
            "attempt",
            "next_attempt_at",
            "reason",
            "conversation",
            "at",
        ],
    ),
    (
        "timeline",
        &["change", "position", "message", "conversation", "at"],
    ),
    (
        "stream",
        &["id", "phase", "offset", "text", "conversation", "at"],
    ),
    (
        "connection",
        &[
            "state",
            "transport",
            "retry_at",
            "reason",
            "conversation",
            "at",
        ],
    ),
    ("typing", &["user", "active", "conversation"]),
    ("presence", &["user", "online", "last_seen"]),
    ("receipt", &["user", "up_to", "kind"]),
    ("sync", &["phase", "fetched", "conversation"]),
    ("cooldown", &["until", "scope"]),
    ("unknown_event", &["name"]),
    ("draft", &["id", "conversation"]),
    ("troubled", &["id", "conversation"]),
    ("lagged", &["missed"]),
    ("check", &["name", "ok", "text"]),
    ("step", &["step", "ok", "evidence"]),
    ("setting", &["name", "default", "unit", "bounds", "reason"]),
    ("explanation", &["name", "text", "state", "at"]),
    ("export", &["conversation", "format"]),
    (
        "import",
        &["conversation", "restored", "added", "known", "left"],
    ),
    ("error", &["code", "text", "field", "retry_after_ms"]),
    ("result", &["cmd", "ok"]),
];

/// Words that a field may have.
const WORDS: &[(&str, &str, &[&str])] = &[
    (
        "delivery",
        "state",
        &[
            "queued",
            "sending",
            "uncertain",
            "sent",
            "delivered",
            "read",
            "failed",
            "cancelled",
        ],
    ),
    (
        "timeline",
        "change",
        &["reset", "insert", "update", "remove"],
    ),
    (
        "stream",
        "phase",
        &[
            "started",
            "delta",
            "completed",
            "incomplete",
            "failed",
            "stopped",
        ],
    ),
    (
        "connection",
        "state",
        &[
            "idle",
            "connecting",
            "live",
            "stale",
            "polling",
            "backoff",
            "offline",
            "suspended",
            "sign_in_required",
            "closed",
        ],
    ),
    ("connection", "transport", &["websocket", "polling", "none"]),
    (
        "sync",
        "phase",
        &["started", "gap", "synced", "discontinuity"],
    ),
];

/// The exit codes there are.
const EXITS: [i32; 8] = [0, 2, 3, 4, 5, 6, 7, 124];

/// Reads lines, each of which must keep the contract.
pub(super) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(line).collect()
}

/// Reads one line.
pub(super) fn line(text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    let kind = value["type"].as_str().expect("type");
    let known = FIELDS.iter().find(|(name, _)| *name == kind);
    let (_, fields) = known.unwrap_or_else(|| panic!("unknown line: {text}"));
    for field in *fields {
        assert!(value.get(field).is_some(), "{field} is missing: {text}");
    }
    for (name, field, words) in WORDS {
        if *name == kind {
            let word = value[field].as_str().expect("word");
            assert!(words.contains(&word), "{field} is {word}");
        }
    }
    if let Some(at) = value["at"].as_str() {
        assert!(at.parse::<jiff::Timestamp>().is_ok(), "no time: {at}");
    }
    if kind == "delivery" && !value["reason"].is_null() {
        for field in ["code", "retryable", "retry_after_ms", "text"] {
            assert!(
                value["reason"].get(field).is_some(),
                "reason.{field}: {text}"
            );
        }
    }
    value
}

/// The exit code; never a signal's, never a panic's.
pub(super) fn exit(status: ExitStatus) -> i32 {
    let code = status.code().expect("ended by a signal");
    assert!(EXITS.contains(&code), "exit code {code}");
    code
}
