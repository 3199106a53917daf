//! `--backend socketio`, against the real server: what the command can do there, and what it says
//! where the backend cannot.

use serde_json::{Value, json};

use crate::{
    gateway::Gateway,
    support::{Ran, bare, run},
};

const BOOKING: &str = "Booking:b1";

fn texts(ran: &Ran) -> Vec<&str> {
    let rows = ran.of("message").into_iter();
    rows.map(|row| row["text"].as_str().expect("text"))
        .collect()
}

#[test]
fn a_channel_begins_with_its_first_message_and_both_sides_read_it() {
    let place = Gateway::new(&[]);
    let created = place.run(
        "ann",
        &[
            "create",
            "--context-type",
            "Booking",
            "--context-id",
            "b1",
            "--first",
            "hello",
        ],
    );
    created.assert_done();
    assert_eq!(created.lines[0]["id"], BOOKING);
    assert_eq!(created.lines[0]["existed"], false);
    let context = json!({ "type": "Booking", "id": "b1" });
    assert_eq!(created.lines[0]["context"], context);
    assert_eq!(
        created.of("delivery").last().expect("sent")["state"],
        "sent"
    );
    let channel = place.booking("b1", &["ann", "bob"]);
    assert_eq!(place.stored(&channel), ["hello"]);
    let member = json!({ "channelId": channel, "user": "bob", "member": true });
    place.admin("member", &member);

    let listed = place.run("bob", &["conversations", "--refresh"]);
    assert_eq!(listed.lines[0]["id"], BOOKING);
    let sent = [
        "send",
        "--context-type",
        "Booking",
        "--context-id",
        "b1",
        "<b>and</b> back",
    ];
    place.run("bob", &sent).assert_done();
    let history = place.run("ann", &["history", BOOKING, "--refresh"]);
    assert_eq!(
        texts(&history),
        ["hello", "and back"],
        "as the server cleaned it"
    );
    let senders: Vec<_> = history.of("message").iter().map(|m| &m["sender"]).collect();
    assert_eq!(senders, ["ann", "bob"]);
}

#[test]
fn a_session_hears_messages_typing_presence_and_receipts() {
    let place = Gateway::new(&[]);
    let channel = place.booking("b1", &["ann", "bob"]);
    let mut ann = place.start("ann", &["watch", BOOKING]);
    let live = |line: &Value| line["type"] == "connection" && line["state"] == "live";
    ann.until("live", live);
    let mut bob = place.start("bob", &["session"]);
    bob.tell(&json!({ "cmd": "open", "conversation": BOOKING, "ref": "open" }));
    bob.result("open");
    let online = ann.until("presence", |line| {
        line["type"] == "presence" && line["online"] == true
    });
    assert_eq!(online["user"], "bob");
    place.say(&channel, "ann", "are you there?");
    bob.until("the question", |line| {
        line["type"] == "timeline" && line["message"]["text"] == "are you there?"
    });
    bob.until("live", live);
    bob.tell(&json!({ "cmd": "typing", "active": true, "ref": "typing" }));
    bob.result("typing");
    let typing = ann.until("typing", |line| line["type"] == "typing");
    assert_eq!(
        (&typing["user"], &typing["active"]),
        (&json!("bob"), &json!(true))
    );
    bob.tell(&json!({ "cmd": "read", "ref": "read" }));
    bob.result("read");
    let receipt = ann.until("receipt", |line| line["type"] == "receipt");
    assert_eq!(
        (&receipt["user"], &receipt["kind"]),
        (&json!("bob"), &json!("read"))
    );
    bob.tell(&json!({ "cmd": "send", "text": "yes", "ref": "send" }));
    bob.result("send");
    ann.until("the answer", |line| {
        line["type"] == "timeline" && line["message"]["text"] == "yes"
    });
    ann.kill();
    assert_eq!(place.stored(&channel), ["are you there?", "yes"]);
}

#[test]
fn what_is_stored_is_explained_searched_read_exported_archived_and_deleted() {
    let place = Gateway::new(&[]);
    let channel = place.booking("b1", &["ann", "bob"]);
    place.say(&channel, "bob", "the scaffold is up");
    place
        .run("ann", &["history", BOOKING, "--refresh"])
        .assert_done();
    let sent = place.run("ann", &["send", BOOKING, "a regret"]);
    let key = sent.of("accepted")[0]["id"].as_str().expect("an id");
    place.run("ann", &["explain", key]).assert_done();
    let found = run(place.offline("ann").args(["search", "scaffold"]));
    assert_eq!(texts(&found), ["the scaffold is up"]);
    let unread = |place: &Gateway| {
        let listed = place.run("ann", &["conversations"]);
        listed.lines[0]["unread"].as_u64().expect("a count")
    };
    assert_eq!(unread(&place), 1);
    place.run("ann", &["read", BOOKING]).assert_done();
    place.run("ann", &["flush"]).assert_done();
    assert_eq!(unread(&place), 0);
    place.run("ann", &["delete-message", key]).assert_done();
    let shown = place.run("bob", &["history", BOOKING, "--refresh"]);
    assert_eq!(texts(&shown), ["the scaffold is up"]);
    let export = run(place.offline("ann").args(["export", BOOKING]));
    export.assert_done();
    place.run("ann", &["archive", BOOKING]).assert_done();
    let doctor = place.run("ann", &["doctor"]);
    doctor.assert_done();
    for name in ["rest", "websocket", "keepalive", "polling"] {
        let line = doctor.of("check").into_iter().find(|l| l["name"] == name);
        assert_eq!(line.expect(name)["ok"], true, "{doctor:?}");
    }
}

#[test]
fn an_auditor_is_shown_what_was_deleted_and_nobody_else_is() {
    let place = Gateway::new(&[]);
    let channel = place.booking("b1", &["ann"]);
    let member =
        json!({ "channelId": channel, "user": "eve", "member": true, "role": "Lender Admin" });
    place.admin("member", &member);
    place.say(&channel, "ann", "kept");
    let sent = place.run("ann", &["send", BOOKING, "a regret"]);
    let key = sent.of("accepted")[0]["id"].as_str().expect("an id");
    place.run("ann", &["delete-message", key]).assert_done();
    let audit = |user: &str, more: &[&str]| {
        let args = [
            "--config",
            "socketio.audit=true",
            "history",
            BOOKING,
            "--audit",
        ];
        place.run(user, &[&args, more].concat())
    };
    let newest = audit("eve", &["--limit", "1"]);
    newest.assert_done();
    let line = newest.of("audit")[0];
    assert_eq!(
        (&line["text"], &line["deleted"]),
        (&json!("a regret"), &json!(true))
    );
    assert!(line["deleted_at"].is_string());
    let cursor = line["cursor"].as_str().expect("more");
    let before = audit("eve", &["--before", cursor]);
    assert_eq!(before.of("audit")[0]["text"], "kept");
    assert_eq!(before.of("audit")[0]["deleted"], false);
    audit("ann", &[]).assert_fails(3, "not_allowed");
    let unset = place.run("eve", &["history", BOOKING, "--audit"]);
    unset.assert_fails(5, "unsupported");
    let elsewhere = ["--json", "history", "c1", "--audit"];
    run(bare().args(elsewhere)).assert_fails(5, "unsupported");
}

#[test]
fn what_this_backend_cannot_do_is_unsupported_and_changes_nothing() {
    let place = Gateway::new(&[]);
    let channel = place.booking("b1", &["ann"]);
    let sent = place.run("ann", &["send", BOOKING, "as it is"]);
    let key = sent.of("accepted")[0]["id"].as_str().expect("an id");
    for args in [
        &["edit-message", key, "otherwise"][..],
        &["stop", BOOKING],
        &["complete", BOOKING],
        &["delete", BOOKING],
    ] {
        place.run("ann", args).assert_fails(5, "unsupported");
    }
    let general = place.run("ann", &["create", "--persona", "anybody"]);
    assert_eq!(general.code, 5, "a channel belongs to a context");
    assert_eq!(place.stored(&channel), ["as it is"]);
}

#[test]
fn what_is_queued_without_a_network_goes_out_later_once_and_in_order() {
    let place = Gateway::new(&[]);
    let channel = place.booking("b1", &["ann"]);
    place
        .run("ann", &["conversations", "--refresh"])
        .assert_done();
    let mut away = place.offline("ann");
    away.args(["--url", "http://127.0.0.1:1", "--token", "t"]);
    away.args(["send", BOOKING, "one", "two", "--timeout", "1"]);
    run(&mut away).assert_fails(124, "timeout");
    let waiting = run(place.offline("ann").arg("outbox"));
    assert_eq!(waiting.lines.len(), 2);
    place.run("ann", &["flush"]).assert_done();
    assert_eq!(place.stored(&channel), ["one", "two"]);
}

#[test]
fn polls_stand_in_where_no_socket_may_be_opened() {
    let place = Gateway::new(&["--transports=polling"]);
    let channel = place.booking("b1", &["ann", "bob"]);
    let hears = |args: &[&str], transport: &str| {
        let mut ann = place.start("ann", &[args, &["watch", BOOKING]].concat());
        ann.until(transport, |line| {
            line["type"] == "connection" && line["transport"] == transport
        });
        let text = format!("by {args:?}");
        place.say(&channel, "bob", &text);
        ann.until(&text, |line| {
            line["type"] == "timeline" && line["message"]["text"] == text
        });
        ann.kill();
    };
    hears(&["--config", "socketio.transports=polling"], "websocket");
    hears(&["--no-websocket"], "polling");
}

#[test]
fn names_are_settings_and_what_is_not_known_is_told_and_not_fatal() {
    let place = Gateway::new(&[]);
    let channel = place.booking("b1", &["ann", "bob"]);
    let renamed = ["--config", "socketio.event.message_new=message:created"];
    let mut ann = place.start("ann", &[&renamed[..], &["watch", BOOKING]].concat());
    ann.until("live", |line| {
        line["type"] == "connection" && line["state"] == "live"
    });
    place.say(&channel, "bob", "under another name");
    ann.until("the unknown event", |line| {
        line["type"] == "unknown_event" && line["name"] == "message:new"
    });
    ann.kill();
    let listed = run(bare().args(["--json", "config"]));
    let name = |line: &&Value| line["name"] == "socketio.event.message_new";
    let line = listed.of("setting").into_iter().find(name).expect("listed");
    assert_eq!(line["default"], "message:new");
}

#[test]
fn options_that_cannot_be_meant_are_refused_by_name() {
    let place = Gateway::new(&[]);
    for (options, code, field) in [
        (&["--ws-auth", "query"][..], "usage", "ws_auth"),
        (
            &["--config", "socketio.colour=red"],
            "config.unknown_key",
            "config",
        ),
        (
            &["--config", "socketio.transports=pigeon"],
            "config.bad_value",
            "config",
        ),
        (
            &["--config", "socketio.namespace=chat"],
            "config.bad_value",
            "config",
        ),
        (
            &["--config", "socketio.event.typing=disconnect"],
            "config.bad_value",
            "config",
        ),
        (&["--ws-url", "ftp://127.0.0.1"], "config.bad_url", "url"),
    ] {
        let ran = place.run("ann", &[options, &["conversations", "--refresh"]].concat());
        ran.assert_fails(2, code);
        assert_eq!(ran.error()["field"], field, "{options:?}");
    }
    let stranger = run(place.offline("eve").args([
        "--url",
        &place.node.origin(),
        "conversations",
        "--refresh",
    ]));
    stranger.assert_fails(3, "sign_in_required");
}
