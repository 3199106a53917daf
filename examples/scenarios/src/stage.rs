//! What a scenario is played on: the client, the names it gave, and what it has seen.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicUsize},
};

use serde_json::{Value, json};
use tidings::{ChatClient, ChatClientParts, Config, ConversationHandle, prelude::*};

use crate::{backend::Backend, rest, script::Scenario, tokens::Tokens, watching::Seen};

/// The stage.
pub(crate) struct Stage {
    pub(crate) client: ChatClient,
    /// Conversations that are open, by their name.
    pub(crate) open: BTreeMap<String, ConversationHandle>,
    /// What happened since the client started.
    pub(crate) seen: Seen,
    pub(crate) refreshes: Arc<AtomicUsize>,
    /// The step that follows the one under way.
    pub(crate) next: usize,
    names: BTreeMap<String, String>,
    place: Place,
    parts: Parts,
}

/// Where it is played.
pub(crate) struct Place {
    pub(crate) backend: Backend,
    pub(crate) origin: String,
    pub(crate) admin: String,
    /// Where the store lies.
    pub(crate) folder: PathBuf,
}

/// What a client is made of, as often as one is made.
struct Parts {
    extensions: bool,
    settings: BTreeMap<String, String>,
    tokens: Vec<String>,
}

impl Stage {
    pub(crate) async fn set(
        scenario: &Scenario,
        place: Place,
        from: usize,
    ) -> Result<Self, String> {
        let parts = Parts {
            extensions: scenario.extensions,
            settings: scenario.settings.clone(),
            tokens: scenario.tokens.clone(),
        };
        let refreshes = Arc::default();
        let client = parts.start(&place, &refreshes).await?;
        Ok(Self {
            seen: Seen::of(&client),
            client,
            open: BTreeMap::new(),
            refreshes,
            next: from,
            names: if from > 0 {
                left(&place.folder)?
            } else {
                BTreeMap::new()
            },
            place,
            parts,
        })
    }

    /// The first capability that the scenario needs and the backend has not.
    pub(crate) fn lacking<'a>(&self, scenario: &'a Scenario) -> Option<&'a str> {
        let can = self.client.capabilities();
        let has = |need: &str| match need {
            "streaming" => can.streaming,
            "stop" => can.stop,
            "edit" => can.edit,
            "delete" => can.delete,
            "contexts" => can.contexts,
            "complete" => can.complete,
            "delete_conversation" => can.delete_conversation,
            "read_marker" => can.read_marker,
            "idempotent_send" => can.idempotent_send,
            _ => false,
        };
        scenario
            .needs
            .iter()
            .map(String::as_str)
            .find(|need| !has(need))
    }

    /// The backend it is played against.
    pub(crate) const fn backend(&self) -> &Backend {
        &self.place.backend
    }

    /// Ends the client and begins another one on the same store.
    pub(crate) async fn reopen(&mut self) -> Result<(), String> {
        self.leave().await;
        self.client = self.parts.start(&self.place, &self.refreshes).await?;
        self.seen = Seen::of(&self.client);
        Ok(())
    }

    pub(crate) async fn leave(&mut self) {
        self.open.clear();
        self.client.shutdown().await;
    }

    /// Leaves to the next player what it needs, and goes without a word.
    pub(crate) async fn kill(&self) -> Result<(), String> {
        let left = json!({ "next": self.next, "names": self.names });
        fs::write(self.place.folder.join("left.json"), left.to_string())
            .map_err(|error| error.to_string())?;
        let me = std::process::id().to_string();
        let killed = tokio::process::Command::new("kill")
            .args(["-9", &me])
            .status();
        killed.await.map_err(|error| error.to_string())?;
        std::future::pending().await
    }

    // Names

    pub(crate) fn give(&mut self, name: &str, id: &str) {
        self.names.insert(name.to_owned(), id.to_owned());
    }

    /// The id behind a name; what has none is taken as it is.
    pub(crate) fn id(&self, name: &str) -> String {
        self.names
            .get(name)
            .cloned()
            .unwrap_or_else(|| name.to_owned())
    }

    /// The name of an id: the scenario's, or a number in the order of appearance.
    pub(crate) fn name(&mut self, id: &str) -> String {
        let known = self.names.iter().find(|(_, known)| *known == id);
        if let Some((name, _)) = known {
            return name.clone();
        }
        let fresh = 1 + self
            .names
            .keys()
            .filter(|name| name.starts_with('#'))
            .count();
        let name = format!("#{fresh}");
        self.give(&name, id);
        name
    }

    pub(crate) fn conversation(&self, name: &str) -> Result<ConversationId, String> {
        ConversationId::parse(&self.id(name)).ok_or_else(|| format!("{name} is no conversation"))
    }

    pub(crate) fn message(&self, name: &str) -> Result<ClientMessageId, String> {
        ClientMessageId::parse(&self.id(name)).ok_or_else(|| format!("{name} is no message"))
    }

    // The server

    pub(crate) async fn ask_admin(&self, path: &str, body: Option<&str>) -> Result<String, String> {
        let body = body.map(|body| self.with_ids(body));
        rest::ask(
            &self.place.admin,
            &self.with_ids(path),
            None,
            body.as_deref(),
        )
        .await
    }

    pub(crate) async fn ask_as_other(&self, path: &str, body: &str) -> Result<String, String> {
        let (path, body) = (self.with_ids(path), self.with_ids(body));
        let token = self.parts.tokens.last().map(String::as_str);
        rest::ask(&self.place.origin, &path, token, Some(&body)).await
    }

    /// `$name` stands for an id; the longest name first, as one may begin with another.
    fn with_ids(&self, text: &str) -> String {
        let mut names: Vec<&String> = self.names.keys().collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names.iter().fold(text.to_owned(), |text, name| {
            text.replace(&format!("${name}"), &self.id(name))
        })
    }
}

/// What a killed player left.
fn left(folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let text = fs::read_to_string(folder.join("left.json")).map_err(|error| error.to_string())?;
    let left: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let names = left["names"].as_object().into_iter().flatten();
    Ok(names
        .filter_map(|(name, id)| Some((name.clone(), id.as_str()?.to_owned())))
        .collect())
}

impl Parts {
    async fn start(
        &self,
        place: &Place,
        refreshes: &Arc<AtomicUsize>,
    ) -> Result<ChatClient, String> {
        let mut config = Config::default();
        for (name, value) in &self.settings {
            config.set(name, value).map_err(|error| error.to_string())?;
        }
        let platform = Arc::new(SystemPlatform::new());
        let tokens = Arc::new(Tokens::new(&self.tokens, refreshes));
        let extensions = self.extensions;
        let service = place
            .backend
            .service(place, &config, extensions, tokens, platform.clone());
        let store = SqliteOptions::new(place.folder.join("chat.db"));
        let parts = ChatClientParts {
            service: service?,
            repository: SqliteRepository::open(store).map_err(|error| error.to_string())?,
            platform,
            config,
        };
        ChatClient::start(parts)
            .await
            .map_err(|error| error.to_string())
    }
}
