//! Reading history by offset, on servers that page, that page without saying so, and that do not.
//!
//! A cursor is an offset: how many messages lie before the place. It is only computed where the
//! server proved where its page lies, or gave the whole list.

use std::collections::BTreeSet;

use crate::{
    adapters::{
        consultations::{envelope::Envelope, service::ConsultationsService, wire},
        http::{Effect, HttpReply, HttpRequest, status},
    },
    domain::{
        cursor::{HistoryRange, SyncCursor},
        ids::ConversationId,
        message::ServerMessage,
        ports::HistoryPage,
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

/// How many known messages a forward read asks for again: proof that the offset still fits.
const OVERLAP: usize = 2;

/// Most requests of one read; a server that needs more is going in circles.
const MOST_REQUESTS: usize = 20;

/// What one request brought.
struct Chunk {
    messages: Vec<ServerMessage>,
    /// Where the first of them lies.
    offset: usize,
    /// How many came, unreadable ones included.
    returned: usize,
    skipped: usize,
    /// How many the server says there are.
    total: Option<usize>,
    /// Whether this is all of it, the server having ignored what was asked.
    whole: bool,
}

impl Chunk {
    const fn end(&self) -> usize {
        self.offset + self.returned
    }

    /// Whether more lies ahead. What a server counts is not believed against what it gave.
    fn promises_more(&self, asked: usize) -> bool {
        if self.whole || self.returned == 0 {
            return false;
        }
        match self.total {
            // It may have counted this page only.
            Some(total) if total == self.returned && self.returned >= asked => true,
            Some(total) if total >= self.end() => total > self.end(),
            _ => self.returned >= asked,
        }
    }

    /// Where the history ends, as far as the server's count can be believed: it counts more than
    /// this page.
    fn foretold_end(&self) -> Option<usize> {
        self.total.filter(|total| *total > self.end())
    }

    fn into_page(self, asked: usize) -> HistoryPage {
        let more = self.promises_more(asked);
        let start = if self.whole { 0 } else { self.offset };
        HistoryPage {
            older: (start > 0).then(|| cursor(start)),
            newer: cursor(self.end()),
            tail: self.foretold_end().filter(|_| more).map(cursor),
            more,
            changed: Vec::new(),
            skipped: self.skipped,
            messages: self.messages,
        }
    }
}

impl ConsultationsService {
    pub(super) async fn history_page(
        &self,
        id: &ConversationId,
        range: &HistoryRange,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        let limit = limit.clamp(1, self.config.page);
        match range {
            HistoryRange::Newest => self.newest(id, limit).await,
            HistoryRange::After(cursor) => self.after(id, place(cursor)?, limit).await,
            HistoryRange::Before(cursor) | HistoryRange::Tail(cursor) => {
                self.before(id, place(cursor)?, limit).await
            }
        }
    }

    /// The first page tells the length; where it is not the last, the tail is read.
    async fn newest(&self, id: &ConversationId, limit: usize) -> Result<HistoryPage, ServiceError> {
        let first = self.chunk(id, 0, limit).await?;
        if !first.promises_more(limit) {
            return Ok(first.into_page(limit));
        }
        // The server may give less at once than was asked for.
        let page = first.returned.min(limit);
        if let Some(total) = first.total.filter(|total| *total > first.end()) {
            let tail = self.chunk(id, total - page, page).await?;
            if tail.returned > 0 {
                return Ok(tail.into_page(page));
            }
        }
        self.walk(id, first, page).await
    }

    /// Goes on page by page to where the history really ends, for a server that counts wrongly.
    async fn walk(
        &self,
        id: &ConversationId,
        first: Chunk,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        let mut last = first;
        for _ in 0..MOST_REQUESTS {
            let next = self.chunk(id, last.end(), limit).await?;
            if next.returned == 0 || next.whole {
                let mut page = last.into_page(limit);
                page.more = false;
                return Ok(page);
            }
            last = next;
        }
        Ok(last.into_page(limit))
    }

    async fn after(
        &self,
        id: &ConversationId,
        known: usize,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        let start = known.saturating_sub(OVERLAP);
        let asked = (limit + known - start).min(self.config.page);
        let chunk = self.chunk(id, start, asked).await?;
        // The overlap has to be there still: where it is not, messages have gone.
        if chunk.end() < known {
            return Err(cursor_refused());
        }
        Ok(chunk.into_page(asked))
    }

    async fn before(
        &self,
        id: &ConversationId,
        known: usize,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        let start = known.saturating_sub(limit);
        if known == start {
            return Ok(nothing_before(known));
        }
        let chunk = self.chunk(id, start, known - start).await?;
        if chunk.returned == 0 {
            return Err(cursor_refused());
        }
        if chunk.end() < known && chunk.promises_more(known - start) {
            // Less came than was asked for: the page must still end where the known part begins.
            let page = chunk.returned;
            let joined = self.chunk(id, known - page, page).await?;
            return Ok(joined.into_page(page));
        }
        Ok(chunk.into_page(known - start))
    }

    /// One request. Where its answer leaves open which part of the list it is, a look at the
    /// beginning tells: the same again means that the server does not page.
    async fn chunk(
        &self,
        id: &ConversationId,
        offset: usize,
        limit: usize,
    ) -> Result<Chunk, ServiceError> {
        let read = self.request(id, offset, limit).await?;
        if read.is_whole(offset, limit) {
            return Ok(read.into_whole());
        }
        if let Some(place) = read.place(offset, limit) {
            return Ok(read.at(place));
        }
        let start = self.request(id, 0, limit).await?;
        let first = |listed: &Listed| listed.messages.first().map(|m| m.id.clone());
        if first(&start) == first(&read) {
            return Ok(start.into_whole());
        }
        Ok(read.at(offset))
    }

    async fn request(
        &self,
        id: &ConversationId,
        offset: usize,
        limit: usize,
    ) -> Result<Listed, ServiceError> {
        let mut url = self.rest(id, &["messages"])?;
        url.query_pairs_mut()
            .append_pair("limit", &limit.to_string())
            .append_pair("offset", &offset.to_string());
        let reply = self.succeed(HttpRequest::get(url)).await?;
        listed(&reply).ok_or_else(|| status::unreadable(&reply, Effect::Read))
    }
}

/// A list of messages as the server gave it.
struct Listed {
    messages: Vec<ServerMessage>,
    returned: usize,
    skipped: usize,
    total: Option<usize>,
    offset: Option<usize>,
    limit: Option<usize>,
}

impl Listed {
    /// Whether this is all there is, whatever part was asked for.
    fn is_whole(&self, asked: usize, limit: usize) -> bool {
        // A full page may be a page even where the count says less, or counts only the page.
        let full = self.returned == limit;
        let all = match self.total {
            // Nor is it all where there was more than that before it.
            Some(total) => self.returned >= total && !full && self.returned > asked,
            // Without a count the last page of many looks like a short whole list.
            None => self.offset.is_none() && self.limit.is_none() && !full && asked == 0,
        };
        let begins = self.offset.unwrap_or(0) == 0;
        self.returned > 0 && begins && (all || self.returned > limit)
    }

    /// Where this page lies; `None` where that cannot be told. One that says nothing is taken for
    /// the one asked for only if it has exactly the length which that one must have.
    fn place(&self, asked: usize, limit: usize) -> Option<usize> {
        let due = |total: usize| total.saturating_sub(asked).min(limit);
        let fits = self.total.is_some_and(|total| self.returned == due(total));
        let sure = asked == 0 || self.limit.is_some() || fits;
        self.offset.or_else(|| sure.then_some(asked))
    }

    fn at(self, offset: usize) -> Chunk {
        Chunk {
            messages: self.messages,
            offset,
            returned: self.returned,
            skipped: self.skipped,
            total: self.total,
            whole: false,
        }
    }

    fn into_whole(self) -> Chunk {
        Chunk {
            whole: true,
            ..self.at(0)
        }
    }
}

/// Reads a list of messages, each for itself, and each id once.
fn listed(reply: &HttpReply) -> Option<Listed> {
    let envelope = Envelope::open(&reply.body)?;
    let data = &envelope.data;
    if !data.has("messages") {
        return None;
    }
    let (mut messages, skipped) = wire::messages(data, &["messages"]);
    let returned = messages.len() + skipped;
    let mut seen = BTreeSet::new();
    messages.retain(|message| seen.insert(message.id.clone()));
    let nested = data.object(&["pagination"]).unwrap_or_default();
    let count = |names: &[&str]| data.count(names).or_else(|| nested.count(names));
    Some(Listed {
        messages,
        returned,
        skipped,
        total: count(&["total_count", "total", "totalCount"]),
        offset: count(&["offset"]),
        limit: count(&["limit"]),
    })
}

fn cursor(offset: usize) -> SyncCursor {
    SyncCursor::new(offset.to_string())
}

fn place(cursor: &SyncCursor) -> Result<usize, ServiceError> {
    cursor.as_str().parse().map_err(|_| cursor_refused())
}

fn nothing_before(known: usize) -> HistoryPage {
    HistoryPage {
        messages: Vec::new(),
        older: None,
        newer: cursor(known),
        more: false,
        tail: None,
        changed: Vec::new(),
        skipped: 0,
    }
}

fn cursor_refused() -> ServiceError {
    ServiceError::new(
        FailureKind::CursorRefused,
        RetryClass::Never,
        Outcome::NotApplied,
        "the server's history is shorter than what was read before",
    )
}
