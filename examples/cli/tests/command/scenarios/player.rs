//! Plays steps: most of them to a running `session`, the others as commands beside it.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    node::{self, Node},
    support::{Live, Ran, bare, run},
};

/// Who plays.
const ACCOUNT: &str = "me";

/// A store, a server, and the session that plays.
pub(super) struct Player {
    directory: TempDir,
    node: Node,
    options: Vec<String>,
    session: Option<Live>,
    names: BTreeMap<String, String>,
    asked: u32,
}

impl Player {
    pub(super) fn start(scenario: &Value) -> Self {
        let words = texts(&scenario["backend"]);
        let tokens = words.windows(2).filter(|pair| pair[0] == "--token");
        let mut switches = vec!["--scenarios".to_owned()];
        switches.extend(tokens.map(|pair| format!("--token={}", pair[1])));
        let switches: Vec<_> = switches.iter().map(String::as_str).collect();
        let mut player = Self {
            directory: TempDir::new().expect("a directory"),
            node: Node::start(&switches),
            options: Vec::new(),
            session: None,
            names: BTreeMap::new(),
            asked: 0,
        };
        player.options = player.options_of(scenario);
        player.session = Some(player.open());
        player
    }

    fn options_of(&self, scenario: &Value) -> Vec<String> {
        let mut options = vec!["--url".to_owned(), self.node.origin(), "--user".to_owned()];
        options.push(ACCOUNT.to_owned());
        let mut set = |pair: String| options.extend(["--config".to_owned(), pair]);
        set("socketio.dedupes=true".to_owned());
        set("socketio.max_text=5000".to_owned());
        let settings = scenario["settings"].as_object().into_iter().flatten();
        let mut websocket = true;
        for (key, value) in settings {
            let value = value.as_str().expect("text");
            match key.as_str() {
                "websocket" => websocket = value == "true",
                _ => set(format!("{key}={value}")),
            }
        }
        if !websocket {
            options.push("--no-websocket".to_owned());
        }
        let tokens = texts(&scenario["tokens"]);
        if !tokens.is_empty() {
            options.push("--token-command".to_owned());
            options.push(self.one_after_the_other(&tokens));
        }
        options
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A command that prints the next token at each call; behind the last one the session is over.
    fn one_after_the_other(&self, tokens: &[String]) -> String {
        let (list, asked) = (self.path("tokens"), self.path("asked"));
        fs::write(&list, tokens.join("\n") + "\n").expect("written");
        let (list, asked) = (list.display(), asked.display());
        format!(
            "echo >> '{asked}'; t=$(sed -n \"$(wc -l < '{asked}')p\" '{list}'); \
             test -n \"$t\" && echo \"$t\""
        )
    }

    fn command(&self) -> Command {
        let mut command = bare();
        command.args(["--json", "--backend", "socketio", "--store"]);
        command.arg(self.path("store.sqlite3")).args(&self.options);
        command
    }

    fn open(&self) -> Live {
        Live::start(self.command().arg("session"))
    }

    fn session(&mut self) -> &mut Live {
        self.session.as_mut().expect("a session")
    }

    /// A command beside the session.
    fn beside(&self, args: &[&str]) -> Ran {
        run(self.command().args(args))
    }

    /// Tells the session, and waits for the end of that.
    fn tell(&mut self, verb: &str, mut fields: Value) -> Value {
        self.asked += 1;
        let reference = format!("{verb} {}", self.asked);
        fields["cmd"] = verb.into();
        fields["ref"] = reference.as_str().into();
        let session = self.session();
        session.tell(&fields);
        session.result(&reference)
    }

    /// What a name stands for; a word that is none stands for itself.
    fn id(&self, name: &str) -> String {
        self.names.get(name).map_or(name, String::as_str).to_owned()
    }

    /// Performs a step. `None` where the command has nothing that shows what became of it.
    pub(super) fn perform(&mut self, step: &Value) -> Option<Vec<String>> {
        let verb = step["do"].as_str().expect("a verb");
        // Behind the end of a client nobody is there to refuse anything.
        self.session.as_ref()?;
        let text = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
        let conversation = self.id(&text("in"));
        let message = self.id(&text("of"));
        Some(match verb {
            "create" => self.create(step),
            "open" => self.told(
                "open",
                json!({ "conversation": conversation, "keep": true }),
                "done",
            ),
            "leave" => self.told("close", json!({ "conversation": conversation }), "done"),
            "send" => self.send(step, &conversation),
            "retry" => self.told("retry", json!({ "message": message }), "queued"),
            "cancel" => self.told("cancel", json!({ "message": message }), "cancelled"),
            "read" => self.told("read", json!({ "conversation": conversation }), "done"),
            "background" => self.told("background", json!({ "ms": step["ms"] }), "done"),
            "foreground" => self.told("foreground", json!({}), "done"),
            "network_changed" => self.told("network", json!({ "change": step["is"] }), "done"),
            "synchronise" => {
                let whole = json!({ "conversation": conversation, "refresh": true });
                self.told("history", whole, "done")
            }
            "edit" => said(
                &self.beside(&["edit-message", &message, &text("text")]),
                "accepted",
            ),
            "answered" => vec!["nobody answers here".to_owned()],
            "delivered" => self.delivered(&message),
            "state" => self.state(&message, &text("is")),
            "connection" => self.connection(&conversation, &text("is")),
            "event" => self.event(&text("is")),
            "outbox" => self.outbox(step["is"].as_u64().expect("a number")),
            "conversation" => self.conversation(&conversation),
            "history" => self.history(&conversation),
            "search" => self.search(step),
            "server" => self.server(&conversation),
            "admin" | "other_device" => self.outside(step),
            "refreshes" => self.refreshes(),
            "kill" => {
                self.session.take().expect("a session").kill();
                self.session = Some(self.open());
                vec!["gone".to_owned()]
            }
            "reopen" => {
                self.leave();
                self.session = Some(self.open());
                vec!["done".to_owned()]
            }
            "shutdown" => {
                self.leave();
                vec!["done".to_owned()]
            }
            // The command has no ids for other actions.
            "cancel_action" => return None,
            other => panic!("no step of a scenario: {other}"),
        })
    }

    fn leave(&mut self) {
        let mut session = self.session.take().expect("a session");
        session.tell(&json!({ "cmd": "quit" }));
        assert_eq!(session.end().0, 0);
    }

    fn told(&mut self, verb: &str, fields: Value, well: &str) -> Vec<String> {
        let result = self.tell(verb, fields);
        vec![outcome(&result, well)]
    }

    fn create(&mut self, step: &Value) -> Vec<String> {
        let name = step["as"].as_str().expect("a name");
        let own = format!("Booking/{name}");
        let context = step["context"].as_str().unwrap_or(&own);
        let (kind, id) = context.split_once('/').expect("kind/id");
        let result = self.tell("create", json!({ "context_type": kind, "context_id": id }));
        let conversation = result["conversation"].as_str().expect("created").to_owned();
        let created =
            |line: &&Value| line["type"] == "conversation" && line["existed"].is_boolean();
        let line = self
            .session()
            .seen
            .iter()
            .rev()
            .find(created)
            .expect("its line");
        let existed = line["existed"] == true;
        // A session looks at what it created; a scenario says so itself.
        self.tell("close", json!({ "conversation": conversation }));
        self.names.insert(name.to_owned(), conversation);
        vec![if existed { "existed" } else { "created" }.to_owned()]
    }

    fn send(&mut self, step: &Value, conversation: &str) -> Vec<String> {
        let times = usize::try_from(step["times"].as_u64().unwrap_or(1)).expect("a count");
        let text = step["text"].as_str().expect("text").repeat(times);
        let mode = step["mode"].as_str().unwrap_or("durable");
        let fields = json!({ "conversation": conversation, "text": text, "mode": mode });
        let result = self.tell("send", fields);
        if let Some(id) = result["id"].as_str() {
            let name = step["as"].as_str().expect("a name");
            self.names.insert(name.to_owned(), id.to_owned());
        }
        let mut told = outcome(&result, "accepted");
        let reference = &result["ref"];
        let error = |line: &&Value| line["type"] == "error" && line["ref"] == *reference;
        let error = self.session().seen.iter().find(error);
        if let Some(draft) = error.and_then(|line| line["draft"].as_str()) {
            told += &format!(" draft {}", quoted(draft));
        }
        vec![told]
    }

    /// The newest line about a message.
    fn delivery(&mut self, message: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let about = |line: &Value| line["type"] == "delivery" && line["id"] == message;
        let session = self.session();
        let last = session.seen.iter().rev().find(|line| about(line));
        match last.filter(|line| fits(line)) {
            Some(line) => line.clone(),
            None => session.until(message, |line| about(line) && fits(line)),
        }
    }

    fn delivered(&mut self, message: &str) -> Vec<String> {
        let ends = ["sent", "delivered", "read", "failed", "cancelled"];
        let last = self.delivery(message, |line| ends.iter().any(|end| line["state"] == *end));
        vec![match last["state"].as_str() {
            Some("failed") => format!(
                "failed {}",
                last["reason"]["code"].as_str().expect("a code")
            ),
            Some("cancelled") => "cancelled".to_owned(),
            _ => "on the server".to_owned(),
        }]
    }

    fn state(&mut self, message: &str, wanted: &str) -> Vec<String> {
        self.delivery(message, |line| line["state"] == wanted);
        vec![wanted.to_owned()]
    }

    fn connection(&mut self, conversation: &str, wanted: &str) -> Vec<String> {
        let about =
            |line: &Value| line["type"] == "connection" && line["conversation"] == conversation;
        let fits = |line: &Value| match wanted {
            "polling" => line["transport"] == "polling",
            _ => line["state"] == wanted && line["transport"] != "polling",
        };
        let session = self.session();
        let last = session.seen.iter().rev().find(|line| about(line));
        if !last.is_some_and(fits) {
            session.until(wanted, |line| about(line) && fits(line));
        }
        vec![wanted.to_owned()]
    }

    fn event(&mut self, name: &str) -> Vec<String> {
        let fits = |line: &Value| match name.split_once(' ') {
            Some(("cooldown", scope)) => line["type"] == "cooldown" && line["scope"] == scope,
            _ => line["type"] == "error" && line["code"] == name,
        };
        let session = self.session();
        if !session.seen.iter().any(fits) {
            session.until(name, fits);
        }
        vec![name.to_owned()]
    }

    /// Looks until so many actions wait.
    fn outbox(&self, count: u64) -> Vec<String> {
        loop {
            let ran = self.beside(&["outbox"]);
            ran.assert_done();
            let waiting = ran.of("delivery");
            if waiting.len() as u64 == count {
                let kinds = waiting
                    .iter()
                    .map(|line| line["action"].as_str().expect("a kind"));
                let kinds = kinds.map(str::to_owned);
                return [count.to_string()].into_iter().chain(kinds).collect();
            }
        }
    }

    fn conversation(&self, id: &str) -> Vec<String> {
        let ran = self.beside(&["conversations"]);
        ran.assert_done();
        let row = ran
            .of("conversation")
            .into_iter()
            .find(|line| line["id"] == id);
        let Some(row) = row else {
            return vec!["none".to_owned()];
        };
        let mut words = vec![format!("unread {}", row["unread"])];
        words.extend((row["archived"] == true).then(|| "archived".to_owned()));
        words.extend(
            row["draft"]
                .as_str()
                .map(|text| format!("draft {}", quoted(text))),
        );
        vec![words.join(" ")]
    }

    fn history(&self, conversation: &str) -> Vec<String> {
        let ran = self.beside(&["history", conversation, "--limit", "200"]);
        ran.assert_done();
        let mut unnamed = 0;
        let mut lines = vec![ran.of("message").len().to_string()];
        for row in ran.of("message") {
            let named = self.names.iter().find(|(_, id)| row["id"] == id.as_str());
            let name = named.map_or_else(
                || {
                    unnamed += 1;
                    format!("#{unnamed}")
                },
                |(name, _)| name.clone(),
            );
            let word = |key: &str| row[key].as_str().expect("text").to_owned();
            let text = quoted(&word("text"));
            lines.push(format!("{name} {} {} {text}", word("role"), word("state")));
        }
        lines
    }

    fn search(&self, step: &Value) -> Vec<String> {
        let limit = step["limit"].as_u64().unwrap_or(50).to_string();
        let query = step["query"].as_str().expect("a query");
        let ran = self.beside(&["search", query, "--limit", &limit]);
        if ran.code != 0 {
            return said(&ran, "");
        }
        let hits = ran.of("message");
        let more = hits.last().is_some_and(|hit| hit["cursor"].is_string());
        let mut lines = vec![format!(
            "{}{}",
            hits.len(),
            if more { " and more" } else { "" }
        )];
        for hit in hits {
            let snippet = hit["snippet"].as_str().expect("a snippet");
            let marks = hit["marks"].as_array().into_iter().flatten();
            let mut words = vec![quoted(snippet)];
            for mark in marks {
                let at = |n: usize| mark[n].as_u64().and_then(|n| usize::try_from(n).ok());
                let (first, end) = (at(0).expect("a place"), at(1).expect("a place"));
                let found: String = snippet.chars().skip(first).take(end - first).collect();
                words.push(quoted(&found));
            }
            lines.push(words.join(" "));
        }
        lines
    }

    /// The messages as the server has them.
    fn server(&self, conversation: &str) -> Vec<String> {
        let told = self.admin(&format!("messages/{conversation}"), &json!({}));
        let rows = told["messages"].as_array().expect("rows").iter();
        let rows = rows.filter(|row| row["deleted"] != true);
        let texts: Vec<_> = rows
            .map(|row| quoted(row["content"].as_str().expect("text")))
            .collect();
        [texts.len().to_string()].into_iter().chain(texts).collect()
    }

    fn admin(&self, verb: &str, body: &Value) -> Value {
        node::post(self.node.admin(), &format!("/admin/{verb}"), None, body)
    }

    /// What happens at the server, or from another device of the account.
    fn outside(&self, step: &Value) -> Vec<String> {
        let named = |text: &str| {
            let names = self.names.iter();
            names.fold(text.to_owned(), |text, (name, id)| {
                text.replace(&format!("${name}"), id)
            })
        };
        let path = named(step["path"].as_str().expect("a path"));
        let body = named(&step["body"].to_string());
        let body: Value = serde_json::from_str(&body).expect("json");
        for _ in 0..step["times"].as_u64().unwrap_or(1) {
            let (port, token) = match step["do"].as_str() {
                Some("admin") => (self.node.admin(), None),
                _ => (self.node.port(), Some(self.last_token())),
            };
            node::post(port, &path, token.as_deref(), &body);
        }
        vec!["done".to_owned()]
    }

    fn last_token(&self) -> String {
        let list = fs::read_to_string(self.path("tokens")).expect("tokens");
        list.lines().next_back().expect("a token").to_owned()
    }

    /// Tokens that were asked for behind the first one.
    fn refreshes(&self) -> Vec<String> {
        let asked = fs::read_to_string(self.path("asked")).expect("asked");
        vec![(asked.lines().count() - 1).to_string()]
    }
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten();
    texts
        .map(|text| text.as_str().expect("text").to_owned())
        .collect()
}

fn outcome(result: &Value, well: &str) -> String {
    match result["code"].as_str() {
        Some(code) => format!("error {code}"),
        None => well.to_owned(),
    }
}

fn said(ran: &Ran, well: &str) -> Vec<String> {
    let told = match ran.code {
        0 => well.to_owned(),
        _ => format!("error {}", ran.error()["code"].as_str().expect("a code")),
    };
    vec![told]
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
