//! A place whose server is the interop gateway: the real `socket.io`. Needs Node 20 and npm.

use std::{path::PathBuf, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    node::Node,
    support::{Live, Ran, bare, run},
};

/// A store of one user's, and a gateway to talk to.
pub(crate) struct Gateway {
    directory: TempDir,
    pub(crate) node: Node,
}

impl Gateway {
    pub(crate) fn new(switches: &[&str]) -> Self {
        Self {
            directory: TempDir::new().expect("directory"),
            node: Node::start(switches),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The command, on a user's own store, without a server.
    pub(crate) fn offline(&self, user: &str) -> Command {
        let mut command = bare();
        command.args(["--json", "--backend", "socketio", "--store"]);
        command.arg(self.path(user));
        command
    }

    /// The command, as this user.
    pub(crate) fn command(&self, user: &str) -> Command {
        let mut command = self.offline(user);
        command.args(["--url", &self.node.origin(), "--token", &self.token(user)]);
        for pair in [
            "socketio.dedupes=true",
            "reconnect.base=200ms",
            "send.base=200ms",
            "reconcile.grace=300ms",
        ] {
            command.args(["--config", pair]);
        }
        command
    }

    pub(crate) fn run(&self, user: &str, args: &[&str]) -> Ran {
        run(self.command(user).args(args))
    }

    pub(crate) fn start(&self, user: &str, args: &[&str]) -> Live {
        Live::start(self.command(user).args(args))
    }

    pub(crate) fn token(&self, user: &str) -> String {
        let told = self.admin("token", &json!({ "user": user }));
        told["token"].as_str().expect("a token").to_owned()
    }

    /// A channel of a booking between these people.
    pub(crate) fn booking(&self, context: &str, users: &[&str]) -> String {
        let body = json!({ "contextType": "Booking", "contextId": context, "users": users });
        let told = self.admin("channel", &body);
        told["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn say(&self, channel: &str, user: &str, content: &str) {
        let body = json!({ "channelId": channel, "user": user, "content": content });
        self.admin("say", &body);
    }

    /// The texts that the server has, in its order.
    pub(crate) fn stored(&self, channel: &str) -> Vec<String> {
        let told = self.admin("messages", &json!({ "channelId": channel }));
        let rows = told["messages"].as_array().expect("rows").iter();
        rows.map(|row| row["content"].as_str().expect("text").to_owned())
            .collect()
    }

    /// Tells the server's admin endpoint.
    pub(crate) fn admin(&self, verb: &str, body: &Value) -> Value {
        self.node.admin(verb, body)
    }
}
