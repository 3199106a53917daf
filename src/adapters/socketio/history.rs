//! Reading a channel's history: pages next to a message.
//!
//! A cursor names a message. A forward one names the last but two of what is known, so that a page
//! overlaps: two rows written in one millisecond by two servers may change places meanwhile.

use super::{
    rest::payload,
    rows::{self, Row},
    service::SocketIoService,
};
use crate::{
    adapters::http::{Effect, HttpReply, HttpRequest, status},
    domain::{
        cursor::{HistoryRange, SyncCursor},
        ids::{ConversationId, MessageId},
        ports::HistoryPage,
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

/// How many known messages a forward read asks for again.
const OVERLAP: usize = 2;

/// The smallest page that moves a forward cursor on.
const SMALLEST_PAGE: usize = OVERLAP + 2;

/// The forward cursor of a channel in which there is next to nothing.
const START: &str = "start";

/// Where the newest page ends: it is asked for by no place.
const NEWEST: &str = "newest";

/// Most requests of one read.
const MOST_REQUESTS: usize = 20;

/// A part of the history.
struct Part {
    rows: Vec<Row>,
    skipped: usize,
    older: bool,
    newer: bool,
}

/// Next to what.
enum Beside<'a> {
    Nothing,
    Before(&'a str),
    After(&'a str),
}

impl SocketIoService {
    pub(super) async fn history_page(
        &self,
        id: &ConversationId,
        range: &HistoryRange,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        let limit = limit.clamp(SMALLEST_PAGE, self.config.page.max(SMALLEST_PAGE));
        let Some(channel) = self.channel_id(id).await? else {
            return Ok(nothing());
        };
        let (part, kept) = match range {
            HistoryRange::Newest | HistoryRange::Tail(_) => {
                (self.part(&channel, Beside::Nothing, limit).await?, START)
            }
            HistoryRange::After(cursor) if cursor.as_str() == START => {
                (self.all_since_start(&channel, limit).await?, START)
            }
            HistoryRange::After(cursor) => {
                let beside = Beside::After(cursor.as_str());
                (self.part(&channel, beside, limit).await?, cursor.as_str())
            }
            HistoryRange::Before(cursor) => {
                let beside = Beside::Before(cursor.as_str());
                (self.part(&channel, beside, limit).await?, START)
            }
        };
        for row in &part.rows {
            self.directory.see(id, row);
        }
        Ok(part.into_page(kept))
    }

    /// When a message was written, in the server's own words.
    pub(super) async fn moment_of(
        &self,
        id: &ConversationId,
        message: &MessageId,
    ) -> Result<String, ServiceError> {
        let mut range = HistoryRange::Newest;
        for _ in 0..MOST_REQUESTS {
            if let Some(moment) = self.directory.seen(message).and_then(|seen| seen.moment) {
                return Ok(moment);
            }
            let page = self.history_page(id, &range, self.config.page).await?;
            let Some(older) = page.older else { break };
            range = HistoryRange::Before(older);
        }
        let seen = self.directory.seen(message).and_then(|seen| seen.moment);
        seen.ok_or_else(|| {
            ServiceError::new(
                FailureKind::NotFound,
                RetryClass::Never,
                Outcome::NotApplied,
                "the message to mark is not in the history",
            )
        })
    }

    /// Everything there is, where next to nothing was known; a lot since then is a fresh start.
    async fn all_since_start(&self, channel: &str, limit: usize) -> Result<Part, ServiceError> {
        let mut whole = self.part(channel, Beside::Nothing, limit).await?;
        for _ in 0..MOST_REQUESTS {
            let first = whole.rows.first().map(|row| row.message.id.clone());
            let Some(first) = first.filter(|_| whole.older) else {
                return Ok(whole);
            };
            let before = self
                .part(channel, Beside::Before(first.as_str()), limit)
                .await?;
            whole.older = before.older;
            whole.skipped += before.skipped;
            whole.rows.splice(0..0, before.rows);
        }
        Err(cursor_refused())
    }

    async fn part(
        &self,
        channel: &str,
        beside: Beside<'_>,
        limit: usize,
    ) -> Result<Part, ServiceError> {
        let mut url = self.rest(&["channels", channel, "messages"])?;
        url.query_pairs_mut()
            .append_pair("limit", &limit.to_string());
        match beside {
            Beside::Nothing => {}
            Beside::Before(id) => drop(url.query_pairs_mut().append_pair("before", id)),
            Beside::After(id) => drop(url.query_pairs_mut().append_pair("after", id)),
        }
        let reply = match self.succeed(HttpRequest::get(url)).await {
            Err(error) if error.status == Some(410) => return Err(cursor_refused()),
            other => other?,
        };
        self.read_part(&reply, &beside, limit)
            .ok_or_else(|| status::unreadable(&reply, Effect::Read))
    }

    fn read_part(&self, reply: &HttpReply, beside: &Beside<'_>, limit: usize) -> Option<Part> {
        let data = payload(reply)?;
        let (rows, skipped) = rows::rows(&data, &["messages"], self.directory.me().as_ref())?;
        // A server that does not say is taken to have more where the page is full.
        let full = rows.len() + skipped >= limit;
        let forward = matches!(beside, Beside::After(_));
        Some(Part {
            older: data
                .flag(&["hasOlder", "has_older"])
                .unwrap_or(full || forward),
            newer: data
                .flag(&["hasNewer", "has_newer"])
                .unwrap_or(full && forward),
            rows,
            skipped,
        })
    }
}

impl Part {
    /// `kept` is the forward cursor where the page is too small to give a new one.
    fn into_page(self, kept: &str) -> HistoryPage {
        let anchor = self.rows.len().checked_sub(OVERLAP + 1);
        let anchor = anchor.and_then(|at| self.rows.get(at));
        let newer = anchor.map_or(kept, |row| row.message.id.as_str());
        let first = self.rows.first().filter(|_| self.older);
        HistoryPage {
            older: first.map(|row| SyncCursor::new(row.message.id.as_str())),
            newer: SyncCursor::new(newer),
            more: self.newer,
            tail: self.newer.then(|| SyncCursor::new(NEWEST)),
            skipped: self.skipped,
            messages: self.rows.into_iter().map(|row| row.message).collect(),
        }
    }
}

/// The history of a channel that is not there yet.
fn nothing() -> HistoryPage {
    HistoryPage {
        messages: Vec::new(),
        older: None,
        newer: SyncCursor::new(START),
        more: false,
        tail: None,
        skipped: 0,
    }
}

fn cursor_refused() -> ServiceError {
    ServiceError::new(
        FailureKind::CursorRefused,
        RetryClass::Never,
        Outcome::NotApplied,
        "the channel has no such message any more",
    )
}
