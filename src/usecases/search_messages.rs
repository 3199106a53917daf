//! `SearchMessages`: offline, over what this device has.

use std::cmp::Reverse;

use crate::{
    domain::{
        ids::ConversationId,
        message::Message,
        ports::{Rows, chat_repository::RowResult},
        rules::conversations,
        search::{
            Found, Search, SearchKey,
            query::Query,
            rank::{COMPARED, score},
            snippet::Snippet,
        },
        sorting::sort_by_key,
    },
    error::ChatError,
    usecases::Ports,
};

/// Which hits come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchOrder {
    /// The newest.
    #[default]
    Newest,
    /// The best among the newest [`COMPARED`], then the older ones, newest first.
    Best,
}

/// Searches stored messages; start from [`SearchMessages::new`].
#[derive(Clone)]
pub struct SearchMessages {
    /// What for: all of its words must be there, words in double quotes one behind the other, and
    /// the last word may be unfinished. Case and diacritics do not matter, and no text is wrong.
    pub query: String,
    /// Only in this conversation.
    pub conversation: Option<ConversationId>,
    /// Which hits come first.
    pub order: SearchOrder,
    /// Where the page before ended; the first page where `None`.
    pub after: Option<SearchCursor>,
    /// At most this many.
    pub limit: usize,
}

/// Prints no query: what is looked for tells what was said.
impl std::fmt::Debug for SearchMessages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchMessages")
            .field("conversation", &self.conversation)
            .field("order", &self.order)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchHit {
    /// The whole message.
    pub message: Message,
    /// The part of its text that shows why.
    pub snippet: Snippet,
}

/// Hits in the order asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPage {
    /// The hits.
    pub hits: Vec<SearchHit>,
    /// What [`SearchMessages::after`] takes for the next page; `None` at the end.
    pub next: Option<SearchCursor>,
    /// Whether everything stored was looked at. It is not for a while after an update of the app
    /// that brought the index: older messages join bit by bit, newest first.
    pub complete: bool,
}

/// Where a page ended. Messages that come or go between two pages move no other hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchCursor(At);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// After the hit with this key.
    Newest(SearchKey),
    /// Of the hits from `from` down, after the one with this score and key.
    Best {
        from: SearchKey,
        score: u32,
        key: SearchKey,
    },
}

impl SearchCursor {
    /// The text to hand to whoever will ask for the next page.
    #[must_use]
    pub fn encode(&self) -> String {
        match self.0 {
            At::Newest(key) => key.as_i64().to_string(),
            At::Best { from, score, key } => {
                format!("{}.{score}.{}", key.as_i64(), from.as_i64())
            }
        }
    }

    /// Reads what [`Self::encode`] wrote.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let key = |text: &str| text.parse().ok().map(SearchKey::from_i64);
        let parts: Vec<&str> = text.splitn(4, '.').collect();
        let at = match parts[..] {
            [at] => At::Newest(key(at)?),
            [at, score, from] => At::Best {
                from: key(from)?,
                score: score.parse().ok()?,
                key: key(at)?,
            },
            _ => return None,
        };
        Some(Self(at))
    }
}

/// Hits of a page, where nothing else is asked for.
const PAGE: usize = 50;

impl SearchMessages {
    /// The newest hits of all conversations.
    #[must_use]
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            conversation: None,
            order: SearchOrder::Newest,
            after: None,
            limit: PAGE,
        }
    }

    /// Finds messages in what is stored; all that was accepted before is found.
    ///
    /// The cost grows with the hits looked at, not with the store; in a store that is being
    /// indexed for the first time, and right after a large page of history, some milliseconds more.
    ///
    /// # Errors
    /// `search.blank`; the store's.
    ///
    /// # Cancel safety
    /// Reads only; may be dropped at any time.
    pub async fn execute(self, ports: &Ports) -> Result<SearchPage, ChatError> {
        if self.query.trim().is_empty() {
            let text = "the query is blank: write what to search for".to_owned();
            return Err(ChatError::InvalidInput {
                field: "query",
                code: "search.blank",
                text,
            });
        }
        // Ranking and cutting take their time on the store's thread, not on the caller's.
        Ok(ports.repository.view(move |rows| self.page(rows)).await?)
    }

    fn page(self, rows: &mut dyn Rows) -> RowResult<SearchPage> {
        let query = Query::parse(&self.query);
        match (self.order, self.after.map(|cursor| cursor.0)) {
            (_, Some(At::Newest(key))) => self.newest(rows, &query, Some(key)),
            (SearchOrder::Newest, None) => self.newest(rows, &query, None),
            (_, Some(At::Best { from, score, key })) => {
                self.best(rows, &query, Some((from, score, key)))
            }
            (SearchOrder::Best, None) => self.best(rows, &query, None),
        }
    }

    fn newest(
        &self,
        rows: &mut dyn Rows,
        query: &Query,
        before: Option<SearchKey>,
    ) -> RowResult<SearchPage> {
        // One more tells whether there is a next page.
        let mut found = self.find(rows, query, before, self.limit.saturating_add(1))?;
        let more = found.messages.len() > self.limit;
        found.messages.truncate(self.limit);
        let last = found.messages.last().filter(|_| more);
        Ok(SearchPage {
            next: last.map(|(key, _)| SearchCursor(At::Newest(*key))),
            hits: found
                .messages
                .into_iter()
                .map(|(_, row)| hit(row, query))
                .collect(),
            complete: found.complete,
        })
    }

    fn best(
        &self,
        rows: &mut dyn Rows,
        query: &Query,
        after: Option<(SearchKey, u32, SearchKey)>,
    ) -> RowResult<SearchPage> {
        let before = after.and_then(|(from, ..)| from.next());
        let found = self.find(rows, query, before, COMPARED)?;
        let Some(from) = found.messages.first().map(|(key, _)| *key) else {
            return self.newest(rows, query, before);
        };
        let oldest = found
            .messages
            .last()
            .filter(|_| found.messages.len() == COMPARED);
        let beyond = oldest.map(|(key, _)| SearchCursor(At::Newest(*key)));
        let mut ranked: Vec<(u32, SearchKey, Message)> = found
            .messages
            .into_iter()
            .map(|(key, row)| (score(&row.text, query), key, row))
            .filter(|hit| after.is_none_or(|(_, score, key)| (hit.0, hit.1) < (score, key)))
            .collect();
        sort_by_key(&mut ranked, |(score, key, _)| Reverse((*score, *key)));
        let more = ranked.len() > self.limit;
        ranked.truncate(self.limit);
        let from = after.map_or(from, |(from, ..)| from);
        let last = ranked.last().filter(|_| more);
        let next = last.map(|(score, key, _)| At::Best {
            from,
            score: *score,
            key: *key,
        });
        Ok(SearchPage {
            next: if more { next.map(SearchCursor) } else { beyond },
            hits: ranked
                .into_iter()
                .map(|(.., row)| hit(row, query))
                .collect(),
            complete: found.complete,
        })
    }

    fn find(
        &self,
        rows: &mut dyn Rows,
        query: &Query,
        before: Option<SearchKey>,
        limit: usize,
    ) -> RowResult<Found> {
        let named = self.conversation.as_ref();
        let conversation = named
            .map(|id| conversations::resolve(rows, id))
            .transpose()?;
        rows.search(&Search {
            query: query.clone(),
            conversation,
            before,
            limit,
        })
    }
}

fn hit(message: Message, query: &Query) -> SearchHit {
    let snippet = Snippet::of(&message.text, query);
    SearchHit { message, snippet }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is_one() {
        let key = SearchKey::from_i64;
        let best = At::Best {
            from: key(9),
            score: 7,
            key: key(-1),
        };
        for at in [At::Newest(key(5)), best] {
            let cursor = SearchCursor(at);
            assert_eq!(SearchCursor::decode(&cursor.encode()), Some(cursor));
        }
        for text in ["", "x", "1.2", "1.2.3.4", "1.-2.3", "99999999999999999999"] {
            assert_eq!(SearchCursor::decode(text), None, "{text}");
        }
    }
}
