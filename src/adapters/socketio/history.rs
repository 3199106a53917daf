//! Reading a channel's history: pages next to a message.
//!
//! A cursor names a message. A forward one names the last but two of what is known, so that a page
//! overlaps: two rows written in one millisecond by two servers may change places meanwhile. It also
//! keeps the server's word for how far its changes of older rows (deletions) have been told, where
//! the server gives one: `word|message`.

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

/// Between the word for the changes and the place.
const BETWEEN: char = '|';

/// The longest word for the changes that is kept.
const LONGEST_WORD: usize = 256;

/// A forward cursor, taken apart.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// How far the changes have been told.
    told: Option<&'a str>,
    at: &'a str,
}

impl<'a> Place<'a> {
    fn read(cursor: &'a SyncCursor) -> Self {
        match cursor.as_str().split_once(BETWEEN) {
            Some((told, at)) => Self {
                told: Some(told),
                at,
            },
            None => Self {
                told: None,
                at: cursor.as_str(),
            },
        }
    }

    fn cursor(self) -> SyncCursor {
        SyncCursor::new(match self.told {
            Some(told) => format!("{told}{BETWEEN}{}", self.at),
            None => self.at.to_owned(),
        })
    }
}

/// Most requests of one read.
const MOST_REQUESTS: usize = 20;

/// A part of the history.
struct Part {
    rows: Vec<Row>,
    changed: Vec<Row>,
    /// How far the changes are told with it.
    told: Option<String>,
    skipped: usize,
    older: bool,
    newer: bool,
}

/// What every part of one read is asked with.
#[derive(Clone, Copy)]
struct Asked<'a> {
    channel: &'a str,
    limit: usize,
    told: Option<&'a str>,
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
        if let Some(dispute) = self.dispute(id) {
            return self.dispute_page(id, &dispute).await;
        }
        let limit = limit.clamp(SMALLEST_PAGE, self.config.page.max(SMALLEST_PAGE));
        let Some(channel) = self.channel_id(id).await? else {
            return Ok(nothing());
        };
        let place = match range {
            HistoryRange::After(cursor) | HistoryRange::Tail(cursor) => Place::read(cursor),
            HistoryRange::Newest | HistoryRange::Before(_) => Place {
                told: None,
                at: START,
            },
        };
        let asked = Asked {
            channel: &channel,
            limit,
            told: place.told,
        };
        let part = match range {
            HistoryRange::Newest | HistoryRange::Tail(_) => {
                self.part(asked, Beside::Nothing).await?
            }
            HistoryRange::After(_) if place.at == START => self.all_since_start(asked).await?,
            HistoryRange::After(_) => self.part(asked, Beside::After(place.at)).await?,
            HistoryRange::Before(cursor) => {
                self.part(asked, Beside::Before(cursor.as_str())).await?
            }
        };
        for row in part.rows.iter().chain(&part.changed) {
            self.directory.see(id, row);
        }
        let kept = match range {
            HistoryRange::After(_) => place,
            _ => Place { at: START, ..place },
        };
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
    async fn all_since_start(&self, asked: Asked<'_>) -> Result<Part, ServiceError> {
        let mut whole = self.part(asked, Beside::Nothing).await?;
        for _ in 0..MOST_REQUESTS {
            let first = whole.rows.first().map(|row| row.message.id.clone());
            let Some(first) = first.filter(|_| whole.older) else {
                return Ok(whole);
            };
            let before = self.part(asked, Beside::Before(first.as_str())).await?;
            whole.older = before.older;
            whole.skipped += before.skipped;
            whole.rows.splice(0..0, before.rows);
        }
        Err(cursor_refused())
    }

    async fn part(&self, asked: Asked<'_>, beside: Beside<'_>) -> Result<Part, ServiceError> {
        let mut url = self.rest(&["channels", asked.channel, "messages"])?;
        url.query_pairs_mut()
            .append_pair("limit", &asked.limit.to_string());
        let named = match beside {
            Beside::Nothing => None,
            Beside::Before(id) => Some(("before", id)),
            Beside::After(id) => Some(("after", id)),
        };
        let told = asked.told.map(|told| ("changedSince", told));
        url.query_pairs_mut().extend_pairs(named).extend_pairs(told);
        let reply = match self.succeed(HttpRequest::get(url)).await {
            Err(error) if error.status == Some(410) => return Err(cursor_refused()),
            other => other?,
        };
        self.read_part(&reply, &beside, asked.limit)
            .ok_or_else(|| status::unreadable(&reply, Effect::Read))
    }

    fn read_part(&self, reply: &HttpReply, beside: &Beside<'_>, limit: usize) -> Option<Part> {
        let data = payload(reply)?;
        let (rows, skipped) = rows::rows(&data, &["messages"], self.directory.me().as_ref())?;
        let changed = rows::rows(&data, &["changed"], self.directory.me().as_ref());
        let told = data.text(&["asOf", "as_of"]);
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
            changed: changed.map_or_else(Vec::new, |(rows, _)| rows),
            told: told.filter(|told| told.len() <= LONGEST_WORD && !told.contains(BETWEEN)),
            rows,
            skipped,
        })
    }
}

impl Part {
    /// `kept` is the forward place where the page is too small to give a new one.
    fn into_page(self, kept: Place<'_>) -> HistoryPage {
        let anchor = self.rows.len().checked_sub(OVERLAP + 1);
        let anchor = anchor.and_then(|at| self.rows.get(at));
        let newer = Place {
            told: self.told.as_deref().or(kept.told),
            at: anchor.map_or(kept.at, |row| row.message.id.as_str()),
        };
        // A jump to the newest page asks for the changes that this one would have brought.
        let tail = Place {
            told: newer.told,
            at: NEWEST,
        };
        let first = self.rows.first().filter(|_| self.older);
        HistoryPage {
            older: first.map(|row| SyncCursor::new(row.message.id.as_str())),
            newer: newer.cursor(),
            more: self.newer,
            tail: self.newer.then(|| tail.cursor()),
            changed: self.changed.into_iter().map(|row| row.message).collect(),
            skipped: self.skipped,
            messages: self.rows.into_iter().map(|row| row.message).collect(),
        }
    }
}

/// The history of a channel that is not there yet.
pub(super) fn nothing() -> HistoryPage {
    HistoryPage {
        messages: Vec::new(),
        older: None,
        newer: SyncCursor::new(START),
        more: false,
        tail: None,
        changed: Vec::new(),
        skipped: 0,
    }
}

pub(super) fn cursor_refused() -> ServiceError {
    ServiceError::new(
        FailureKind::CursorRefused,
        RetryClass::Never,
        Outcome::NotApplied,
        "the channel has no such message any more",
    )
}
