//! The server that the demo plays on, as far as the demo looks at it and breaks it.

use tidings::domain::{ids::ConversationId, message::Message, message::Role};
use tidings_backend::{Action, Backend, Network, On, Rule};

use super::gateway::Gateway;
use crate::failure::{Exit, Failure};

/// One of them.
pub(super) enum Server {
    /// The reference backend, in this process. `None` once it was stopped.
    Reference(Option<Backend>),
    /// A gateway elsewhere, behind a network of the demo's own.
    Gateway(Box<Gateway>),
}

/// A message as the server has it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Its id there.
    pub(super) id: String,
    /// Its text there.
    pub(super) content: String,
    /// Whether the demo said it; else it is an answer.
    pub(super) asked: bool,
}

/// What another device of the same account answers, where there is no assistant.
const ANSWER: &str = "My other device has read: ";

/// The answer of the other device.
pub(super) fn answer_to(text: &str) -> String {
    format!("{ANSWER}{text}")
}

/// Whether a row answers something.
pub(super) fn is_answer(row: &Message) -> bool {
    row.role == Role::Assistant || row.text.starts_with(ANSWER)
}

impl Kept {
    /// A message of a server without assistants.
    pub(super) fn new(id: &str, content: String) -> Self {
        Self {
            id: id.to_owned(),
            asked: !content.starts_with(ANSWER),
            content,
        }
    }
}

impl Server {
    /// Whether answers are streamed.
    pub(super) const fn streams(&self) -> bool {
        matches!(self, Self::Reference(_))
    }

    /// What it has of a conversation.
    pub(super) async fn record(&mut self, conversation: &ConversationId) -> Vec<Kept> {
        match self {
            Self::Reference(backend) => {
                let rows = backend
                    .as_ref()
                    .map(|backend| backend.messages(conversation.as_str()));
                let kept = rows.into_iter().flatten().map(|row| Kept {
                    asked: row.role == "user",
                    id: row.id,
                    content: row.content,
                });
                kept.collect()
            }
            Self::Gateway(gateway) => gateway.record(conversation).await,
        }
    }

    /// Sockets that are open.
    pub(super) fn sockets(&self, conversation: &ConversationId) -> usize {
        match self {
            Self::Reference(backend) => backend
                .as_ref()
                .map_or(0, |backend| backend.sockets_of(conversation.as_str()).len()),
            Self::Gateway(gateway) => gateway.relay.sockets(),
        }
    }

    /// How often the history was read so far.
    pub(super) fn reads(&self) -> usize {
        match self {
            Self::Reference(backend) => {
                let requests = backend.iter().flat_map(Backend::requests);
                requests
                    .filter(|r| r.method == "GET" && r.path.ends_with("/messages"))
                    .count()
            }
            Self::Gateway(gateway) => gateway.relay.reads(),
        }
    }

    /// Changes what the network does.
    pub(super) fn network(&self, network: Network) -> Result<(), Failure> {
        match self {
            Self::Reference(backend) => reference(backend)?
                .network(network)
                .map_err(|error| trouble(&error.to_string())),
            Self::Gateway(gateway) => {
                gateway.relay.network(network);
                Ok(())
            }
        }
    }

    /// Nobody answers any more. `stored`: an answer that was on its way is kept all the same.
    pub(super) fn falls_silent(&mut self, stored: bool) -> Result<(), Failure> {
        match self {
            Self::Reference(_) => {
                for on in [On::Http, On::WsIn] {
                    self.add_rule(Rule::new(on, Action::NoAnswer { stored }).times(0))?;
                }
            }
            Self::Gateway(gateway) => gateway.answers = false,
        }
        Ok(())
    }

    /// Answers to messages that come by REST stay away, or not any longer.
    pub(super) fn hold(&self, holding: bool) -> Result<(), Failure> {
        match self {
            Self::Reference(_) if holding => {
                let trickle = Rule::new(On::Http, Action::SlowBody { bytes_per_sec: 1 });
                self.add_rule(trickle.method("POST").path("*/messages"))
            }
            Self::Reference(backend) => {
                reference(backend)?.faults().clear();
                Ok(())
            }
            Self::Gateway(gateway) => {
                gateway.relay.hold(holding);
                Ok(())
            }
        }
    }

    /// Ends it.
    pub(super) async fn stop(&mut self) {
        if let Self::Reference(backend) = self
            && let Some(backend) = backend.take()
        {
            backend.stop().await;
        }
    }

    fn add_rule(&self, rule: Rule) -> Result<(), Failure> {
        let Self::Reference(backend) = self else {
            return Err(Failure::internal());
        };
        let added = reference(backend)?.faults().add(rule);
        added.map(drop).map_err(|error| trouble(&error.to_string()))
    }
}

fn reference(backend: &Option<Backend>) -> Result<&Backend, Failure> {
    backend.as_ref().ok_or_else(Failure::internal)
}

fn trouble(error: &str) -> Failure {
    let text = format!("the demo's server cannot be made to fail: {error}");
    Failure::new(Exit::GaveUp, "demo.backend", text)
}
