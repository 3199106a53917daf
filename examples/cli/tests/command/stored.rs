//! The store: pages, search, export, read markers, archive, delete; and conversations.

use tidings_backend::BackendConfig;

use crate::support::Place;

/// A conversation with some talk in it.
fn talked(place: &Place) -> String {
    let id = place.create("nutritionist");
    for text in ["apples short", "pears short", "plums short"] {
        place
            .run(&["send", &id, text, "--wait", "reply"])
            .assert_done();
    }
    id
}

#[test]
fn history_is_read_page_by_page_from_newest_to_oldest() {
    let place = Place::new();
    let id = talked(&place);
    let newest = place.run_offline(&["history", &id, "--limit", "4"]);
    newest.assert_done();
    let positions = |ran: &crate::support::Ran| -> Vec<u64> {
        ran.lines
            .iter()
            .filter_map(|line| line["position"].as_u64())
            .collect()
    };
    assert_eq!(positions(&newest), [2, 3, 4, 5]);
    let cursor = newest.lines[0]["cursor"].as_str().expect("cursor");
    let older = place.run_offline(&["history", &id, "--limit", "4", "--before", cursor]);
    assert_eq!(positions(&older), [0, 1]);
    assert!(
        older.lines[0].get("cursor").is_none(),
        "the beginning has no page before it"
    );
}

#[test]
fn the_server_has_it_and_another_device_reads_all_of_it() {
    let place = Place::new();
    let id = talked(&place);
    let other = place.path("other.sqlite3");
    let mut command = crate::support::bare();
    command
        .arg("--json")
        .arg("--url")
        .arg(place.backend.url())
        .arg("--store")
        .arg(&other);
    let ran = crate::support::run(command.args(["history", &id, "--refresh"]));
    ran.assert_done();
    assert_eq!(ran.lines.len(), place.backend.messages(&id).len());
    assert!(ran.lines.iter().all(|line| line["server_id"].is_string()));
}

#[test]
fn search_finds_whole_messages_offline_with_their_place() {
    let place = Place::new();
    let id = talked(&place);
    let ran = place.run_offline(&["search", "PEARS"]);
    ran.assert_done();
    assert_eq!(
        ran.lines.len(),
        2,
        "the message and the answer that repeats it: {ran:?}"
    );
    for line in &ran.lines {
        assert_eq!(line["conversation"], id.as_str());
        assert!(line["text"].as_str().expect("text").contains("pears"));
        let snippet: Vec<char> = line["snippet"].as_str().expect("snippet").chars().collect();
        let mark = &line["marks"][0];
        let [start, end] = [0, 1].map(|at| mark[at].as_u64().expect("a place") as usize);
        let marked: String = snippet[start..end].iter().collect();
        assert_eq!(marked.to_lowercase(), "pears", "{line}");
        assert!(matches!(line["position"].as_u64(), Some(2 | 3)));
    }
    let first = place.run_offline(&["search", "PEAR", "--limit", "1", "--conversation", &id]);
    first.assert_done();
    assert_eq!(first.lines.len(), 1, "{first:?}");
    let cursor = first.lines[0]["cursor"].as_str().expect("a next page");
    let next = place.run_offline(&["search", "PEAR", "--limit", "1", "--after", cursor]);
    assert_eq!(next.lines.len(), 1, "{next:?}");
    assert_ne!(next.lines[0]["id"], first.lines[0]["id"]);
    assert!(next.lines[0]["cursor"].is_null(), "the end: {next:?}");
    let best = place.run_offline(&["search", "pears", "--best"]);
    assert_eq!(best.lines.len(), 2, "{best:?}");
    place
        .run_offline(&["search", "pears", "--after", "nonsense"])
        .assert_fails(2, "usage");
    place
        .run_offline(&["search", " "])
        .assert_fails(5, "search.blank");
    assert!(place.run_offline(&["search", "100%"]).lines.is_empty());
}

#[test]
fn export_gives_one_document_or_a_page() {
    let place = Place::new();
    let id = talked(&place);
    let json = place.run_offline(&["export", &id]);
    json.assert_done();
    let messages = json.lines[0]["document"]["messages"]
        .as_array()
        .expect("messages");
    assert_eq!(messages.len(), 6);
    let markdown = place.run_offline(&["export", &id, "--format", "markdown"]);
    let page = markdown.lines[0]["text"].as_str().expect("text");
    assert!(
        page.starts_with("# Chat with nutritionist") && page.contains("**user**"),
        "{page}"
    );
}

#[test]
fn reading_clears_the_unread_count_and_archiving_hides_nothing_from_the_list() {
    let place = Place::new();
    let id = talked(&place);
    let unread = |ran: &crate::support::Ran| ran.lines[0]["unread"].as_u64();
    assert_eq!(unread(&place.run_offline(&["conversations"])), Some(3));
    assert_eq!(unread(&place.run_offline(&["read", &id])), Some(0));
    assert_eq!(unread(&place.run_offline(&["conversations"])), Some(0));
    place.run_offline(&["archive", &id]).assert_done();
    place.run(&["conversations", "--refresh"]).assert_done();
    let listed = place.run_offline(&["conversations"]);
    assert_eq!(
        listed.lines[0]["archived"], true,
        "the server's list does not undo it"
    );
    place.run_offline(&["archive", &id, "--undo"]).assert_done();
    assert_eq!(
        place.run_offline(&["conversations"]).lines[0]["archived"],
        false
    );
}

#[test]
fn l39_creating_what_exists_returns_it() {
    let place = Place::new();
    let args = [
        "create",
        "--persona",
        "triage",
        "--context-type",
        "goal",
        "--context-id",
        "g1",
    ];
    let first = place.run(&args);
    first.assert_done();
    assert_eq!(first.lines[0]["existed"], false);
    let second = place.run(&args);
    second.assert_done();
    assert_eq!(second.lines[0]["existed"], true);
    assert_eq!(second.lines[0]["id"], first.lines[0]["id"]);
    let deletes = place
        .backend
        .requests()
        .into_iter()
        .filter(|r| r.method == "DELETE");
    assert_eq!(deletes.count(), 0);
}

#[test]
fn creating_with_a_first_message_sends_it() {
    let place = Place::new();
    let ran = place.run(&["create", "--persona", "triage", "--first", "hello"]);
    ran.assert_done();
    let id = ran.lines[0]["id"].as_str().expect("id");
    assert_eq!(place.copies(id, "hello"), 1);
    assert_eq!(ran.lines.last().expect("line")["state"], "sent");
}

#[test]
fn l82_the_list_shows_every_status_and_deleting_removes() {
    let place = Place::new();
    let done = place.create("nutritionist");
    place.run(&["complete", &done]).assert_done();
    let gone = place.create("triage");
    place.run(&["delete", &gone]).assert_done();
    let listed = place.run(&["conversations", "--refresh"]);
    let statuses: Vec<&str> = listed
        .lines
        .iter()
        .filter_map(|l| l["status"].as_str())
        .collect();
    assert_eq!(statuses, ["completed"]);
}

#[test]
fn deleting_works_where_the_backend_can() {
    let place = Place::with(BackendConfig {
        extensions: true,
        ..BackendConfig::default()
    });
    let id = place.create("nutritionist");
    let extended = ["--config", "consultations.extensions=true"];
    let run = |args: &[&str]| crate::support::run(place.command().args(extended).args(args));
    let sent = run(&["send", &id, "oops", "--wait", "reply"]);
    let key = sent.of("accepted")[0]["id"]
        .as_str()
        .expect("id")
        .to_owned();
    let deleted = run(&["delete-message", &key]);
    deleted.assert_done();
    assert_eq!(
        (&deleted.lines[0]["deleted"], &deleted.lines[0]["text"]),
        (&true.into(), &"".into())
    );
    let shown = place.run_offline(&["history", &id]);
    assert!(shown.lines.iter().all(|line| line["id"] != key.as_str()));
    let all = place.run_offline(&["history", &id, "--include-deleted"]);
    assert!(all.lines.iter().any(|line| line["id"] == key.as_str()));
}

/// What `import` said of a file.
fn import(place: &Place, name: &str, text: &str) -> crate::support::Ran {
    let file = place.path(name);
    std::fs::write(&file, text).expect("written");
    place.run_offline(&["import", file.to_str().expect("a path")])
}

#[test]
fn an_export_is_imported_as_it_was_and_sends_nothing() {
    let place = Place::new();
    let id = talked(&place);
    let mut waiting = place.offline();
    waiting.args(["--url", "http://127.0.0.1:9", "send", &id, "kept"]);
    crate::support::run(waiting.args(["--wait", "none"])).assert_done();
    let first = place.run_offline(&["export", &id]);
    first.assert_done();
    place.run_offline(&["wipe", "--yes"]).assert_done();
    let done = import(&place, "talk.json", &first.lines[0].to_string());
    done.assert_done();
    assert_eq!(done.lines[0]["restored"], true);
    assert_eq!(done.lines[0]["added"], 7);
    assert_eq!(place.run_offline(&["export", &id]).lines, first.lines);
    let again = import(&place, "talk.json", &first.lines[0]["document"].to_string());
    again.assert_done();
    assert_eq!(
        (&again.lines[0]["added"], &again.lines[0]["known"]),
        (&0.into(), &7.into())
    );
    let outbox = place.run_offline(&["outbox"]);
    assert_eq!(outbox.lines[0]["reason"]["code"], "send.imported");
    place.run(&["flush"]).assert_done();
    place.run(&["history", &id, "--refresh"]).assert_done();
    assert_eq!(place.copies(&id, "kept"), 0);
    let key = outbox.lines[0]["id"].as_str().expect("id");
    place.run(&["retry", key]).assert_done();
    assert_eq!(place.copies(&id, "kept"), 1);
}

#[test]
fn what_is_no_document_is_refused_with_its_code() {
    let place = Place::new();
    let id = talked(&place);
    let export = place.run_offline(&["export", &id]);
    let whole = export.lines[0]["document"].to_string();
    let before = place.run_offline(&["history", &id]).lines;
    let half: String = whole.chars().take(whole.chars().count() / 2).collect();
    import(&place, "cut.json", &half).assert_fails(5, "import.malformed");
    let later = whole.replace("\"version\":1", "\"version\":2");
    import(&place, "later.json", &later).assert_fails(5, "import.version");
    import(&place, "other.json", "{\"messages\":[]}").assert_fails(5, "import.malformed");
    let large = " ".repeat(tidings::usecases::document::LONGEST + 1);
    import(&place, "large.json", &large).assert_fails(5, "import.too_large");
    let absent = place.run_offline(&["import", "nowhere.json"]);
    absent.assert_fails(2, "usage");
    assert_eq!(place.run_offline(&["history", &id]).lines, before);
    place.run(&["delete", &id]).assert_done();
    import(&place, "gone.json", &whole).assert_fails(5, "import.deleted");
}
