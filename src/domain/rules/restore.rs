//! Reading a transcript into the store: what a document may do here, and what only the server may.
//!
//! | here | a row of the document |
//! |---|---|
//! | the conversation was deleted on this device | none is read: the whole document is refused |
//! | nothing of it was read, and nothing waits in it | all are stored, places and holes as they were; where to read on is the server's to say |
//! | the row is here, by its key or its server id, deleted perhaps | stays as it is here |
//! | own, never confirmed | stored behind all others, for the user to decide: nothing is queued |
//! | confirmed, and what is around it is here | stored in its place; the mark of the hole it lies in stays |
//! | newer than all that is here | stored behind it, with a mark that the next forward read takes away |
//! | before all that is here, while the server has more there | left to the server |
//! | confirmed, while a row here waits to be found on the server | left to the server: it may be that row |
//! | confirmed without an id, or sharing no neighbour with what is here | left to the server |
//!
//! Marks are never taken away: whether a hole is closed is for the server's history to say.

use crate::domain::{
    conversation::Conversation,
    cursor::Gap,
    delivery::{DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId},
    message::Message,
    order::SortKey,
    outbox::{Action, OutboxEntry, SendMode},
    ports::{Rows, chat_repository::RowResult},
    rules::{
        conversations,
        editor::{Editor, Note},
        placement::keys_for,
        settle_down,
    },
    time::WallTime,
    transcript::{Creation, Edit, Imported, Line, Transcript, unsent},
};

/// Stores what of the transcript may be stored; `None` where its conversation was deleted here.
///
/// Doing it again changes nothing.
///
/// # Errors
/// The store's.
pub fn restore(
    rows: &mut dyn Rows,
    transcript: Transcript,
    now: WallTime,
) -> RowResult<Option<Imported>> {
    let transcript = transcript.at_rest();
    let id = conversations::resolve(rows, &transcript.conversation.id)?;
    if conversations::is_buried(rows, &id)? {
        return Ok(None);
    }
    let blank = is_blank(rows, &id)?;
    if blank {
        settle_conversation(rows, &id, &transcript.conversation)?;
    }
    let count = Imported {
        conversation: id.clone(),
        restored: blank,
        added: 0,
        known: 0,
        left: 0,
    };
    let mut reading = Reading {
        editor: Editor::open(rows, &id)?,
        now,
        count,
    };
    if id.is_local() {
        reading.begin(&transcript)?;
    }
    if blank {
        reading.whole(transcript)?;
    } else {
        reading.beside(transcript.lines)?;
    }
    reading.editor.finish()?;
    Ok(Some(reading.count))
}

/// Whether nothing of the conversation's history is here that a document could contradict.
fn is_blank(rows: &mut dyn Rows, id: &ConversationId) -> RowResult<bool> {
    let read = rows
        .conversation(id)?
        .is_some_and(|row| row.sync.newest.is_some() || row.sync.oldest.is_some());
    Ok(!read && rows.oldest(id, 1)?.is_empty())
}

/// The conversation as the document has it, where nothing of it was read here; what is here of it
/// stays, the server's word included.
fn settle_conversation(
    rows: &mut dyn Rows,
    id: &ConversationId,
    said: &Conversation,
) -> RowResult<()> {
    let read_to = said.read_to.filter(|mark| mark.is_server());
    let said = Conversation {
        id: id.clone(),
        read_to,
        ..said.clone()
    };
    let Some(here) = rows.conversation(id)? else {
        return rows.put_conversation(&said);
    };
    let settled = laid_under(here.clone(), said);
    if settled == here {
        return Ok(());
    }
    let version = here.version + 1;
    rows.put_conversation(&Conversation { version, ..settled })
}

/// What the document says, where nothing here says otherwise.
fn laid_under(here: Conversation, said: Conversation) -> Conversation {
    let mut settled = Conversation {
        title: here.title.or(said.title),
        draft: here.draft.or(said.draft),
        archived: here.archived,
        completing: here.completing,
        ..said
    };
    settled.server.id = here.server.id.clone();
    // The first word stands, and that is the one here.
    let bound = here.server.context.clone();
    settled.server.context = bound.or_else(|| settled.server.context.take());
    settled.merge(here.server);
    settled.activity_at = settled.activity_at.max(here.activity_at);
    settled.version = here.version;
    settled
}

/// One document on its way into a conversation.
struct Reading<'a> {
    editor: Editor<'a>,
    now: WallTime,
    count: Imported,
}

impl Reading<'_> {
    /// A conversation that no server has is begun only when the user asks for it again.
    fn begin(&mut self, transcript: &Transcript) -> RowResult<()> {
        let id = self.editor.conversation().id.clone();
        let creations = self.editor.rows().outbox_creations()?;
        let Some(Creation { id: key, new }) = transcript.creation.clone() else {
            return Ok(());
        };
        if creations.iter().any(|entry| entry.conversation == id) || !self.is_free(key)? {
            return Ok(());
        }
        self.keep(key, Action::Create(new), unsent())
    }

    /// Everything as it was: nothing here says otherwise.
    fn whole(&mut self, transcript: Transcript) -> RowResult<()> {
        let read_to = transcript.conversation.read_to;
        let active = self.editor.conversation().activity_at;
        for mut line in transcript.lines {
            let listed = Some(line.message.key);
            if self.is_known(&line)? {
                self.count.known += 1;
                continue;
            }
            if !line.message.key.is_server() {
                line.message.key = SortKey::pending(self.editor.rows().next_order()?);
            }
            if listed == read_to {
                self.editor.conversation_mut().read_to = Some(line.message.key);
            }
            self.add(line)?;
        }
        if self.editor.conversation().activity_at != active {
            self.editor.conversation_mut().activity_at = active;
        }
        Ok(())
    }

    /// Beside what was read here.
    fn beside(&mut self, lines: Vec<Line>) -> RowResult<()> {
        let found = !self.waits_for_its_row()?;
        let mut run = Run::default();
        for line in lines {
            if let Some(row) = self.here(&line)? {
                self.count.known += 1;
                if row.key.is_server() {
                    self.place(&mut run, Some(&row))?;
                    run.left = Some(row.id);
                }
            } else if line.message.server_id.is_none() {
                self.behind(line)?;
            } else if found && line.message.key.is_server() {
                run.lines.push(line);
            } else {
                self.count.left += 1;
            }
        }
        self.place(&mut run, None)
    }

    /// Whether a row here may be one of the server's that is not known by its id.
    fn waits_for_its_row(&mut self) -> RowResult<bool> {
        let id = self.editor.conversation().id.clone();
        let unnamed = |row: &Message| row.server_id.is_none();
        let waiting = self.editor.rows().unplaced(&id)?;
        Ok(waiting.iter().any(unnamed)
            || !settle_down::settled(self.editor.rows(), &id)?.is_empty())
    }

    /// The row that is here already.
    fn here(&mut self, line: &Line) -> RowResult<Option<Message>> {
        let id = self.editor.conversation().id.clone();
        if let Some(name) = &line.message.server_id
            && let Some(row) = self.editor.rows().message_by_server_id(&id, name)?
        {
            return Ok(Some(row));
        }
        self.editor.rows().message(line.message.id)
    }

    fn is_known(&mut self, line: &Line) -> RowResult<bool> {
        Ok(self.here(line)?.is_some())
    }

    /// A row that no server has named: what the user has to decide about comes last; whatever else
    /// it is, the server has it, and tells.
    fn behind(&mut self, mut line: Line) -> RowResult<()> {
        if line.message.state.is_on_server() {
            self.count.left += 1;
            return Ok(());
        }
        line.message.key = SortKey::pending(self.editor.rows().next_order()?);
        // Places of another history say nothing here.
        line.message.left_above = None;
        self.add(line)
    }

    /// Stores a run of rows between two that are here.
    fn place(&mut self, run: &mut Run, right: Option<&Message>) -> RowResult<()> {
        let lines = std::mem::take(&mut run.lines);
        if lines.is_empty() {
            return Ok(());
        }
        let id = self.editor.conversation().id.clone();
        let below = match (run.left, right) {
            (Some(left), _) => self.editor.rows().message(left)?,
            (None, Some(right)) => {
                let mut below = self.editor.rows().page(&id, Some(right.key), 1, true)?;
                below.pop()
            }
            (None, None) => None,
        };
        let begins = right.is_some() && self.editor.conversation().sync.oldest.is_none();
        if below.is_none() && !begins {
            self.count.left += lines.len();
            return Ok(());
        }
        let low = below.as_ref().map(|row| row.key);
        let hole = self.hole(below)?;
        let wanted: Vec<_> = lines.iter().map(|line| line.message.key).collect();
        let keys = keys_for(&mut self.editor, low, &wanted)?;
        let last = lines.len() - 1;
        let marker = self.editor.conversation().read_to;
        for (at, (mut line, key)) in lines.into_iter().zip(keys).enumerate() {
            let open = line.message.gap.is_some() || (at == last && hole.ends);
            line.message.gap = hole.mark.clone().filter(|_| open);
            line.message.key = key;
            line.message.unread &= marker.is_none_or(|mark| key > mark);
            self.add(line)?;
        }
        Ok(())
    }

    /// The hole above a row; above the newest there is one from now on, for a forward read.
    fn hole(&mut self, below: Option<Message>) -> RowResult<Hole> {
        let Some(row) = below else {
            return Ok(Hole::default());
        };
        let id = self.editor.conversation().id.clone();
        let ends = self
            .editor
            .rows()
            .server_key_above(&id, Some(row.key))?
            .is_some();
        if ends {
            return Ok(Hole {
                mark: row.gap,
                ends,
            });
        }
        let mark = row.gap.clone().or_else(|| Some(Gap::ahead()));
        if row.gap != mark {
            let gap = mark.clone();
            self.editor.update(&row.clone(), Message { gap, ..row })?;
        }
        Ok(Hole { mark, ends })
    }

    fn add(&mut self, line: Line) -> RowResult<()> {
        let decided = !line.is_unsent();
        let Line {
            mut message,
            reason,
            wire_id,
            edit,
        } = line;
        message.conversation = self.editor.conversation().id.clone();
        self.editor.insert(&message)?;
        self.count.added += 1;
        if !decided {
            self.editor
                .journal(&message, Note::because(self.now, reason.clone()))?;
            let entry = self.entry(&message, reason, wire_id)?;
            self.editor.rows().put_outbox(&entry)?;
        }
        match edit {
            Some(edit) => self.keep_edit(&message, edit),
            None => Ok(()),
        }
    }

    /// What holds a message for the user: failed, to be tried again; or of unknown outcome, parked.
    fn entry(
        &mut self,
        message: &Message,
        reason: Option<Reason>,
        wire_id: Option<String>,
    ) -> RowResult<OutboxEntry> {
        let text = message.text.clone();
        Ok(OutboxEntry {
            state: message.state,
            attempt: message.attempts,
            reason,
            wire_id,
            parked: message.state == DeliveryState::Uncertain,
            accepted_at: message.created_at.unwrap_or(self.now),
            ..self.failed(message.id, Action::Send { text })?
        })
    }

    fn keep_edit(&mut self, message: &Message, edit: Edit) -> RowResult<()> {
        if !self.is_free(edit.id)? {
            return Ok(());
        }
        let action = Action::Edit {
            message: message.id,
            text: edit.text,
            beneath: message.text.clone(),
        };
        self.keep(edit.id, action, edit.reason)
    }

    /// Keeps an action for the user, as one that failed.
    fn keep(&mut self, id: ClientMessageId, action: Action, reason: Reason) -> RowResult<()> {
        let entry = OutboxEntry {
            reason: Some(reason.clone()),
            ..self.failed(id, action)?
        };
        self.editor.rows().put_outbox(&entry)?;
        self.editor
            .journal_action(&entry, Note::because(self.now, Some(reason)))
    }

    fn failed(&mut self, id: ClientMessageId, action: Action) -> RowResult<OutboxEntry> {
        Ok(OutboxEntry {
            id,
            conversation: self.editor.conversation().id.clone(),
            action,
            mode: SendMode::Durable,
            state: DeliveryState::Failed,
            order: self.editor.rows().next_order()?,
            attempt: 0,
            failures: 0,
            accepted_at: self.now,
            expires_at: self.now,
            next_attempt_at: None,
            reason: None,
            wire_id: None,
            parked: false,
        })
    }

    /// Whether neither a row nor an action has this key.
    fn is_free(&mut self, id: ClientMessageId) -> RowResult<bool> {
        let rows = self.editor.rows();
        Ok(rows.message(id)?.is_none() && rows.outbox_entry(id)?.is_none())
    }
}

/// Rows of the document that stand next to each other and are not here.
#[derive(Default)]
struct Run {
    /// The row here that they stand behind.
    left: Option<ClientMessageId>,
    lines: Vec<Line>,
}

/// What is missing where a run goes.
#[derive(Default)]
struct Hole {
    mark: Option<Gap>,
    /// Whether something stored lies above it.
    ends: bool,
}
