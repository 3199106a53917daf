//! Which stored row a server row is: at most one, and each stored row at most once.
//!
//! By the server's id, else by the key we sent with it, else (backends that echo no key) an own
//! message by exact text in order, or by what is left of it where the server cleans texts, and a
//! streamed answer by its place behind its question.

use std::{cmp::Reverse, collections::BTreeSet};

use crate::domain::{
    delivery::DeliveryState,
    ids::{ClientMessageId, ConversationId, MessageId},
    message::{Completeness, Message, ServerMessage},
    order::SortKey,
    plant::planted,
    ports::{Rows, chat_repository::RowResult},
    rules::{
        changes,
        editor::Editor,
        merge::{Placement, Slot},
        partial::{self, Heard, Whole},
        repeat::{Words, without_marks},
        settle_down,
    },
    sorted_map::SortedMap,
};

/// Finds stored rows for server rows, each at most once.
pub(super) struct Matcher {
    unplaced: Vec<Message>,
    claimed: BTreeSet<ClientMessageId>,
    /// Own messages passed so far in this page: an answer binds only behind its question.
    passed: BTreeSet<ClientMessageId>,
    /// The last of them.
    nearest: Option<ClientMessageId>,
    conversation: ConversationId,
    placement: Placement,
    /// Whether the page stands behind others that are stored.
    continues: bool,
    /// What was sent under texts that were changed since.
    beneath: SortedMap<ClientMessageId, String>,
}

impl Matcher {
    pub(super) fn load(
        editor: &mut Editor<'_>,
        placement: Placement,
        page: &[&ServerMessage],
    ) -> RowResult<Self> {
        let id = editor.conversation().id.clone();
        let continues =
            placement == Placement::Newer && editor.conversation().sync.newest.is_some();
        let mut unplaced = waiting(editor.rows(), &id, page)?;
        if placement.is_backward() {
            // What left, or was heard, since that end was known is not among older rows; what left
            // before it may be.
            let end = placement.end();
            unplaced.retain(|row| row.server_id.is_none() && row.left_above <= end);
        }
        let mut beneath = SortedMap::new();
        for row in unplaced.iter().filter(|row| row.overlay.is_some()) {
            beneath.insert(row.id, changes::beneath(editor.rows(), row)?);
        }
        let conversation = id;
        let (claimed, passed) = (BTreeSet::new(), BTreeSet::new());
        Ok(Self {
            unplaced,
            claimed,
            passed,
            nearest: None,
            conversation,
            placement,
            continues,
            beneath,
        })
    }

    pub(super) fn find(
        &mut self,
        rows: &mut dyn Rows,
        said: &ServerMessage,
    ) -> RowResult<Option<Message>> {
        let found = match self.by_id(rows, said)? {
            Some(row) => Some(row),
            None if said.own => self.own_by_text(said),
            None => self.answer_by_place(said),
        };
        if let Some(row) = &found {
            self.claimed.insert(row.id);
            if row.own {
                self.passed.insert(row.id);
                self.nearest = Some(row.id);
            }
        }
        Ok(found)
    }

    fn by_id(&self, rows: &mut dyn Rows, said: &ServerMessage) -> RowResult<Option<Message>> {
        if let Some(row) = self.stored(rows, &said.id)? {
            return Ok(Some(row));
        }
        if planted("same-words-same-message") && !said.text.is_empty() {
            let known = rows.page(&self.conversation, None, 1_000, false)?;
            let same = |row: &Message| row.own == said.own && row.text == said.text;
            return Ok(known.into_iter().find(same));
        }
        let Some(client_id) = said.client_id.filter(|_| !planted("echo-is-new")) else {
            return Ok(None);
        };
        let row = rows.message(client_id)?;
        Ok(row.filter(|row| row.own && row.server_id.is_none() && !self.claimed.contains(&row.id)))
    }

    fn stored(&self, rows: &mut dyn Rows, id: &MessageId) -> RowResult<Option<Message>> {
        if let Some(row) = self
            .unplaced
            .iter()
            .find(|row| row.server_id.as_ref() == Some(id))
        {
            return Ok(Some(row.clone()));
        }
        rows.message_by_server_id(&self.conversation, id)
    }

    fn own_by_text(&self, said: &ServerMessage) -> Option<Message> {
        // A row that names its sender's key was sent by another device if the key is not ours.
        if said.client_id.is_some() || self.placement.is_push() {
            return None;
        }
        let fits = |row: &&Message| {
            row.own
                && row.may_be_on_server()
                && self.sent_text(row) == said.text
                && !self.claimed.contains(&row.id)
        };
        // What was there before the first page was read stands before it.
        let passed =
            |row: &Message| self.continues && row.left_above.is_none() && row.state.is_on_server();
        let exact = self
            .unplaced
            .iter()
            .filter(fits)
            .min_by_key(|row| (passed(row), doubt(row)));
        exact.or_else(|| self.own_cleaned(said)).cloned()
    }

    /// One whose text the server cleaned of marks before it stored it. Only what is still in doubt is
    /// looked for so: anything else was confirmed, and its row will come as it was sent.
    fn own_cleaned(&self, said: &ServerMessage) -> Option<&Message> {
        let cleaned = without_marks(&said.text);
        let fits = |row: &&Message| {
            row.own
                && row.may_be_on_server()
                && !row.state.is_on_server()
                && !self.claimed.contains(&row.id)
                && without_marks(self.sent_text(row)) == cleaned
        };
        let mut waiting = self.unplaced.iter().filter(|_| !cleaned.is_empty());
        waiting.find(fits)
    }

    fn sent_text<'m>(&'m self, row: &'m Message) -> &'m str {
        self.beneath.get(&row.id).unwrap_or(&row.text)
    }

    /// A streamed answer, by what this device heard of it, else by its place behind its question.
    ///
    /// Place alone would let an answer that the server gave up, whose row never comes, take the
    /// row of the next one, and that one the row after it.
    fn answer_by_place(&self, said: &ServerMessage) -> Option<Message> {
        let fits = |row: &&Message| {
            partial::is_partial(row) && row.role == said.role && !self.claimed.contains(&row.id)
        };
        // The question is this device's guess: a stream does not name it. What was heard is not.
        let whole = Words::of(&said.text);
        let heard = self
            .unplaced
            .iter()
            .filter(fits)
            .filter_map(|row| Some((row, Heard::of(row, &whole)?)))
            .rev()
            .max_by_key(|(row, heard)| (*heard, self.answers_nearest(row)))
            .map(|(row, _)| row);
        if self.placement.is_backward() {
            return heard.cloned();
        }
        // What was given up is found by its words alone.
        let behind =
            |row: &&Message| fits(row) && !row.key.is_server() && self.question_is_passed(row);
        let waiting = || self.unplaced.iter().filter(behind);
        heard
            .or_else(|| waiting().find(|row| self.answers_nearest(row)))
            .or_else(|| waiting().find(|row| row.completeness != Completeness::Failed))
            .cloned()
    }

    /// See [`partial::repeated`].
    pub(super) fn fragments(&self, slots: &[Slot<'_>]) -> Vec<Message> {
        let whole: Vec<_> = slots
            .iter()
            .filter(|slot| !slot.said.own)
            .map(|slot| Whole::new(slot.said, slot.row.as_ref()))
            .collect();
        let free = |row: &&Message| !self.claimed.contains(&row.id);
        let free = self.unplaced.iter().filter(free);
        partial::repeated(free, &whole)
    }

    /// Whether its question is the own message that this page was last at.
    fn answers_nearest(&self, answer: &Message) -> bool {
        answer.answers.is_some() && answer.answers == self.nearest
    }

    fn question_is_passed(&self, answer: &Message) -> bool {
        let Some(question) = answer.answers else {
            return true;
        };
        self.placement.is_push()
            || self.passed.contains(&question)
            || !self.unplaced.iter().any(|row| row.id == question)
    }
}

/// The rows that wait for one of the server's. A page of own rows that are known by their ids, as
/// a confirmation is, needs none of them, and after a long queue they are many.
fn waiting(
    rows: &mut dyn Rows,
    conversation: &ConversationId,
    page: &[&ServerMessage],
) -> RowResult<Vec<Message>> {
    for said in page {
        if !said.own || rows.message_by_server_id(conversation, &said.id)?.is_none() {
            let mut waiting = rows.unplaced(conversation)?;
            waiting.extend(settle_down::settled(rows, conversation)?);
            return Ok(waiting);
        }
    }
    Ok(Vec::new())
}

/// Of equal words, which are found first: those that are known to be there, then those on their
/// way, then those that reads have not shown so far, the latest first and of these the uncertain
/// before those that are to leave again, then those given up.
const fn doubt(row: &Message) -> (u8, Reverse<Option<SortKey>>, bool) {
    let (rank, left_above) = match row.state {
        DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read => (0, None),
        DeliveryState::Sending => (1, None),
        DeliveryState::Queued | DeliveryState::Uncertain => (2, row.left_above),
        DeliveryState::Cancelled | DeliveryState::Failed => (3, row.left_above),
    };
    let leaves_again = matches!(row.state, DeliveryState::Queued);
    (rank, Reverse(left_above), leaves_again)
}
