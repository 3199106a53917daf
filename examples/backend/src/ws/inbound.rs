//! The receiving half of a socket: what a client may say, and how rules spoil it.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    Document, Outgoing, frames,
    session::{IN, takes_messages},
};
use crate::{
    api::posting::{self, Posted},
    app::Shared,
    faults::{Action, Event, On, replacement},
    network::{Flow, Wire},
    turns::TurnPlan,
};

/// The receiving half.
pub(super) struct Inbound {
    pub(super) app: Shared,
    wire: Arc<Wire>,
    conversation: String,
    user: String,
    socket: u64,
    /// A frame that lets the next one pass.
    held: Option<String>,
}

/// What the client should learn of its message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ack {
    Sent,
    Lost,
}

impl Inbound {
    pub(super) fn new(
        app: Shared,
        wire: Arc<Wire>,
        conversation: String,
        user: String,
        socket: u64,
    ) -> Self {
        Self {
            app,
            wire,
            conversation,
            user,
            socket,
            held: None,
        }
    }

    pub(super) fn note(&self, kind: &str, bytes: usize) {
        self.app
            .journal
            .frame(&self.conversation, self.socket, IN, kind, bytes);
    }

    /// Handles a text frame.
    pub(super) async fn text(&mut self, text: &str) {
        let kind = kind_of(text);
        self.note(&kind, text.len());
        let event = Event::frame(On::WsIn, &kind, &self.conversation);
        let decision = self.app.faults.decide(&event);
        if !decision.delay.is_zero() {
            tokio::time::sleep(decision.delay).await;
        }
        match decision.action {
            None => {
                self.handle(text, TurnPlan::default(), Ack::Sent).await;
                if let Some(held) = self.held.take() {
                    self.handle(&held, TurnPlan::default(), Ack::Sent).await;
                }
            }
            Some(action) => self.spoil(action, text).await,
        }
    }

    async fn spoil(&mut self, action: Action, text: &str) {
        if let Some(plan) = TurnPlan::from_action(&action) {
            return self.handle(text, plan, Ack::Sent).await;
        }
        match action {
            Action::Freeze { direction } => {
                let (reads, writes) = direction.flows();
                self.wire.flow(reads, writes);
            }
            Action::Duplicate => {
                self.handle(text, TurnPlan::default(), Ack::Sent).await;
                self.handle(text, TurnPlan::default(), Ack::Sent).await;
            }
            Action::Reorder => self.held = Some(text.to_owned()),
            Action::Replace { text, base64 } => {
                let bytes = replacement(text.as_deref(), base64.as_deref());
                let text = String::from_utf8_lossy(&bytes);
                self.handle(&text, TurnPlan::default(), Ack::Sent).await;
            }
            Action::Close { code, reason } => self.reply(Outgoing::Close { code, reason }),
            Action::Reset => self.wire.reset(),
            Action::LostAck => {
                self.handle(text, TurnPlan::default(), Ack::Lost).await;
                self.wire.reset();
            }
            Action::FrozenAck => {
                // Silent before the answer can start.
                self.wire.flow(Flow::Open, Flow::Lost);
                self.handle(text, TurnPlan::default(), Ack::Lost).await;
                self.wire.flow(Flow::Lost, Flow::Lost);
            }
            Action::LateApply { ms } => self.apply_late(text.to_owned(), ms),
            // `drop`, and whatever the rule check lets through that means nothing here.
            _ => {}
        }
    }

    /// The connection ends now; the frame counts later, as one stuck in a queue would.
    fn apply_late(&self, text: String, ms: u64) {
        self.wire.reset();
        let (app, wire) = (Arc::clone(&self.app), Arc::clone(&self.wire));
        let (conversation, user) = (self.conversation.clone(), self.user.clone());
        let socket = self.socket;
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            let late = Self::new(app, wire, conversation, user, socket);
            late.handle(&text, TurnPlan::default(), Ack::Lost).await;
        });
    }

    async fn handle(&self, text: &str, plan: TurnPlan, ack: Ack) {
        let Ok(body) = serde_json::from_str::<Value>(text) else {
            return self.complain("invalid message", "BAD_REQUEST");
        };
        match body.get("type").and_then(Value::as_str) {
            Some("ping") => self.say(frames::pong()),
            Some("message") if takes_messages(self.app.config.dialect) => {
                self.message(&body, plan, ack).await;
            }
            Some("stop") if self.app.config.extensions => {
                self.app.hub.stop(&self.conversation);
            }
            _ => self.complain("unsupported message type", "BAD_REQUEST"),
        }
    }

    async fn message(&self, body: &Value, plan: TurnPlan, ack: Ack) {
        let content = body
            .get("content")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let client_id = body
            .get("client_id")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let client_id = client_id.filter(|_| self.app.config.extensions);
        let posted = posting::store(&self.app, &self.conversation, content, client_id).await;
        match posted {
            Ok(Posted { row, duplicate }) => {
                let named = self.app.config.extensions.then_some(&row);
                if ack == Ack::Sent {
                    self.say(frames::received(&self.conversation, named, duplicate));
                }
                if !duplicate {
                    posting::announce(&self.app, row, plan, Some(self.socket));
                }
            }
            Err(problem) => self.complain(problem.message(), problem.socket_code()),
        }
    }

    fn complain(&self, text: &str, code: &str) {
        self.say(frames::error(&self.conversation, text, Some(code)));
    }

    fn say(&self, document: Document) {
        self.reply(Outgoing::Frame(vec![document]));
    }

    fn reply(&self, what: Outgoing) {
        self.app.hub.send_one(&self.conversation, self.socket, what);
    }
}

fn kind_of(text: &str) -> String {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    body.get("type")
        .and_then(Value::as_str)
        .unwrap_or("invalid")
        .to_owned()
}
