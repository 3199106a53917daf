//! What each command of a session does.

use tidings::{
    ChatClient, NetworkChange,
    domain::{ids::ConversationId, outbox::SendMode},
};

use super::{
    Done, Outcome, Session,
    request::{Request, bad},
};
use crate::{
    commands::create,
    failure::Failure,
    output::records::{ConversationRecord, MessageRecord, Record},
};

impl Session<'_> {
    /// Starts a command. Those that need no network are done when this returns.
    pub(super) async fn perform(&mut self, request: Request) {
        let outcome = match request.verb.as_str() {
            "open" => self.open(&request),
            "close" => self.close(&request),
            "send" => match self.send(&request).await {
                Some(outcome) => outcome,
                None => return,
            },
            "cancel" | "retry" => self.unsent(&request).await,
            "foreground" => {
                self.client.foreground();
                Ok(Done::default())
            }
            "network" => request.network().map(|change| self.network(change)),
            "background" => match request.deadline() {
                Ok(deadline) => {
                    let client = self.client;
                    self.beside.push(Box::pin(async move {
                        let ended = client.background(deadline).await;
                        (
                            request,
                            ended.map(|()| Done::default()).map_err(Failure::from),
                        )
                    }));
                    return;
                }
                Err(failure) => Err(failure),
            },
            "create" => {
                let client = self.client;
                self.current = Some(Box::pin(async move {
                    let outcome = create(client, &request).await;
                    (request, outcome)
                }));
                return;
            }
            "stop" | "typing" | "read" | "history" => match self.meant(&request) {
                Ok(id) => {
                    self.start_networked(request, id);
                    return;
                }
                Err(failure) => Err(failure),
            },
            verb => Err(bad(&format!("there is no command {verb:?}")).field("cmd")),
        };
        self.finish(&request, outcome).await;
    }

    /// The conversation named, else the one shown.
    fn meant(&self, request: &Request) -> Result<ConversationId, Failure> {
        let unnamed = || bad("name the conversation: none is open").field("conversation");
        match request.conversation()? {
            Some(id) => Ok(id),
            None => self.shown.clone().ok_or_else(unnamed),
        }
    }

    fn open(&mut self, request: &Request) -> Outcome {
        let id = self.meant(request)?;
        self.show(&id, request.flag("keep"));
        Ok(about(id))
    }

    fn close(&mut self, request: &Request) -> Outcome {
        let id = self.meant(request)?;
        self.leave(&id);
        Ok(about(id))
    }

    fn network(&self, change: NetworkChange) -> Done {
        self.client.network_changed(change);
        Done::default()
    }

    /// Sends. A direct one goes on beside the next commands.
    async fn send(&mut self, request: &Request) -> Option<Outcome> {
        let parsed = self
            .meant(request)
            .and_then(|id| Ok((id, request.text()?, request.mode()?)));
        let (id, text, mode) = match parsed {
            Ok(parsed) => parsed,
            Err(failure) => return Some(Err(failure)),
        };
        self.hold(&id);
        let client = self.client;
        let sending = client.send(id.clone(), text, mode);
        if mode == SendMode::Direct {
            let request = request.clone();
            self.beside.push(Box::pin(async move {
                let outcome = match sending.await {
                    Ok(row) => Ok(Done {
                        message: Some(row.id),
                        ..about(id)
                    }),
                    Err(error) => Err(error.into()),
                };
                (request, outcome)
            }));
            return None;
        }
        Some(match sending.await {
            Ok(row) => Ok(Done {
                lines: vec![Record::Accepted((&row).into())],
                message: Some(row.id),
                ..about(id)
            }),
            Err(error) => Err(error.into()),
        })
    }

    async fn unsent(&self, request: &Request) -> Outcome {
        let id = request.message()?;
        let row = match request.verb.as_str() {
            "cancel" => self.client.cancel(id).await?,
            _ => self.client.retry(id).await?,
        };
        Ok(Done {
            message: Some(id),
            ..about(row.conversation)
        })
    }

    fn start_networked(&mut self, request: Request, id: ConversationId) {
        let client = self.client;
        let handle = self.open.get(&id).cloned();
        self.current = Some(Box::pin(async move {
            let not_open = || bad("open the conversation first").field("conversation");
            let outcome = match (request.verb.as_str(), handle) {
                ("history", _) => history(client, &request, id).await,
                ("read", _) => read(client, id).await,
                ("stop", Some(handle)) => done(handle.stop_answer().await, id),
                (_, Some(handle)) => done(handle.set_typing(request.active()).await, id),
                (_, None) => Err(not_open()),
            };
            (request, outcome)
        }));
    }
}

fn about(id: ConversationId) -> Done {
    Done {
        conversation: Some(id),
        ..Done::default()
    }
}

fn done(ended: Result<(), tidings::ChatError>, id: ConversationId) -> Outcome {
    ended?;
    Ok(about(id))
}

async fn read(client: &ChatClient, id: ConversationId) -> Outcome {
    let row = client.mark_read(id.clone()).await?;
    Ok(Done {
        lines: vec![Record::Conversation((&row).into())],
        ..about(id)
    })
}

async fn history(client: &ChatClient, request: &Request, id: ConversationId) -> Outcome {
    let before = request.before()?;
    if request.flag("refresh") {
        client.synchronise(id.clone()).await?;
    }
    let deleted = request.flag("include_deleted");
    let view = client
        .history(id.clone(), before, request.limit(), deleted)
        .await?;
    let mut older = view.older.map(|cursor| cursor.encode());
    let rows = view.messages.iter();
    let lines = rows.map(|(position, row)| {
        Record::Message(MessageRecord {
            cursor: older.take(),
            ..MessageRecord::new(Some(*position), row)
        })
    });
    Ok(Done {
        lines: lines.collect(),
        ..about(id)
    })
}

async fn create(client: &ChatClient, request: &Request) -> Outcome {
    let (persona, kind, context) = request.wanted();
    let created = client
        .create_conversation(create::wanted(persona, kind, context))
        .await?;
    let id = created.conversation.id.clone();
    let record = ConversationRecord {
        existed: Some(created.existed),
        ..(&created.conversation).into()
    };
    Ok(Done {
        lines: vec![Record::Conversation(record)],
        show: Some(id.clone()),
        first: request.first(),
        ..about(id)
    })
}
