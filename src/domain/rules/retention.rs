//! How much of the history stays on this device.
//!
//! Removed is only what the server has and can give again, from the oldest end up to the first row
//! that has to stay: one unread, one that a waiting change lies over, one without its place. A
//! conversation in which anything unsent waits, or that has a hole which is still being filled, is
//! left alone. Afterwards the history says that there is more before it, and reading back brings it.
//!
//! Age goes by the server's times and this device's clock: a clock that is wrong costs a read.

use std::{collections::BTreeSet, time::Duration};

use crate::domain::{
    conversation::Conversation,
    cursor::SyncCursor,
    ids::ConversationId,
    message::Message,
    ports::{
        Rows,
        chat_repository::{ConversationFilter, RowResult},
    },
    rules::editor::Editor,
    time::WallTime,
};

/// The newest messages of each conversation stay, whatever the policy: what a screen shows.
pub const LEAST: u64 = 50;

const ALL: ConversationFilter = ConversationFilter {
    include_archived: true,
    limit: 0,
};

/// What is kept; `None` sets no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Messages up to this age.
    pub age: Option<Duration>,
    /// So many messages of each conversation.
    pub messages: Option<u64>,
    /// So many bytes in all, the conversations longest without activity giving way first.
    pub bytes: Option<u64>,
}

impl Retention {
    /// Whether it limits anything.
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        self.age.is_some() || self.messages.is_some() || self.bytes.is_some()
    }

    /// How many messages more than allowed a conversation has.
    fn excess(&self, stored: u64) -> u64 {
        self.messages.map_or(0, |most| stored.saturating_sub(most))
    }

    fn is_too_old(&self, row: &Message, now: WallTime) -> bool {
        let age = row
            .created_at
            .filter(|at| *at <= now)
            .map(|at| at.until(now));
        age.zip(self.age).is_some_and(|(age, most)| age > most)
    }
}

/// What one pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Messages removed.
    pub removed: usize,
    /// Whether another pass would find more.
    pub more: bool,
}

/// Removes at most `budget` messages that the policy does not keep; conversations in `spared` are
/// being looked at.
///
/// # Errors
/// The store's.
pub fn trim(
    rows: &mut dyn Rows,
    policy: Retention,
    now: WallTime,
    spared: &BTreeSet<ConversationId>,
    budget: usize,
) -> RowResult<Trimmed> {
    let mut done = Trimmed::default();
    let over = match policy.bytes {
        Some(most) => rows.size()? > most,
        None => false,
    };
    for conversation in rows.conversations(ALL)?.iter().rev() {
        if done.removed >= budget {
            done.more = true;
            break;
        }
        if spared.contains(&conversation.id) || !may_be_trimmed(rows, conversation)? {
            continue;
        }
        let left = budget - done.removed;
        done.removed += trim_one(rows, conversation, policy, over, now, left)?;
    }
    done.more |= over && done.removed > 0;
    Ok(done)
}

fn may_be_trimmed(rows: &mut dyn Rows, conversation: &Conversation) -> RowResult<bool> {
    let id = &conversation.id;
    Ok(conversation.stored > LEAST
        && conversation.sync.newest.is_some()
        && rows.gaps(id)?.is_empty()
        && rows.unplaced(id)?.is_empty()
        && rows.outbox(Some(id))?.is_empty())
}

fn trim_one(
    rows: &mut dyn Rows,
    conversation: &Conversation,
    policy: Retention,
    over: bool,
    now: WallTime,
    budget: usize,
) -> RowResult<usize> {
    let most = usize::try_from(conversation.stored - LEAST).unwrap_or(usize::MAX);
    let excess = policy.excess(conversation.stored);
    let oldest = rows.oldest(&conversation.id, budget.min(most))?;
    let due = |(at, row): &(usize, &Message)| {
        let counted = (*at as u64) < excess;
        !must_stay(row) && (over || counted || policy.is_too_old(row, now))
    };
    let doomed = oldest.iter().enumerate().take_while(due).count();
    if doomed == 0 {
        return Ok(0);
    }
    let mut editor = Editor::open(rows, &conversation.id)?;
    for row in oldest.iter().take(doomed) {
        editor.remove(row)?;
    }
    editor.conversation_mut().sync.oldest = Some(SyncCursor::end());
    editor.finish()?;
    Ok(doomed)
}

const fn must_stay(row: &Message) -> bool {
    row.unread || row.overlay.is_some() || !row.key.is_server() || row.server_id.is_none()
}
