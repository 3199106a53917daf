//! Search as it crosses.

use tidings::{
    domain::search::snippet,
    usecases::search_messages::{self as core, SearchCursor, SearchMessages},
};

use super::{conversation_id, count, index, message::Message};
use crate::error::ChatError;

/// Which hits come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SearchOrder {
    /// The newest.
    Newest,
    /// The best among the newest few thousand, then the older ones, newest first.
    Best,
}

/// What to search for.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct SearchRequest {
    /// All of its words must be there, words in double quotes one behind the other, and the last
    /// word may be unfinished. Case and diacritics do not matter, and no text is wrong.
    pub query: String,
    /// Only in this conversation.
    #[uniffi(default = None)]
    pub conversation: Option<String>,
    /// Which hits come first; the newest by default.
    #[uniffi(default = None)]
    pub order: Option<SearchOrder>,
    /// The `next` of the page before; none for the first.
    #[uniffi(default = None)]
    pub after: Option<String>,
    /// At most that many.
    #[uniffi(default = 50)]
    pub limit: i32,
}

/// Prints no query: what is looked for tells what was said.
impl std::fmt::Debug for SearchRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchRequest")
            .field("conversation", &self.conversation)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl TryFrom<SearchRequest> for SearchMessages {
    type Error = ChatError;

    fn try_from(request: SearchRequest) -> Result<Self, ChatError> {
        let named = request.conversation.as_deref();
        let after = request.after.as_deref().map(|text| {
            SearchCursor::decode(text)
                .ok_or_else(|| ChatError::invalid("after", "this is no place in a search"))
        });
        Ok(Self {
            query: request.query,
            conversation: named.map(conversation_id).transpose()?,
            order: match request.order {
                None | Some(SearchOrder::Newest) => core::SearchOrder::Newest,
                Some(SearchOrder::Best) => core::SearchOrder::Best,
            },
            after: after.transpose()?,
            limit: count(request.limit),
        })
    }
}

/// A found word: the bytes of the snippet, as UTF-8, from `start` to before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SnippetMark {
    /// Its first byte.
    pub start: i32,
    /// The byte behind its last.
    pub end: i32,
}

/// A part of a message's text that shows why it was found.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Snippet {
    /// The part.
    pub text: String,
    /// The found words in it, in order and apart.
    pub marks: Vec<SnippetMark>,
    /// Whether text before it was left out.
    pub cut_before: bool,
    /// Whether text behind it was left out.
    pub cut_after: bool,
}

/// Prints no text.
impl std::fmt::Debug for Snippet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snippet")
            .field("marks", &self.marks)
            .finish_non_exhaustive()
    }
}

impl From<snippet::Snippet> for Snippet {
    fn from(part: snippet::Snippet) -> Self {
        let mark = |range: std::ops::Range<usize>| SnippetMark {
            start: index(range.start),
            end: index(range.end),
        };
        Self {
            text: part.text,
            marks: part.marks.into_iter().map(mark).collect(),
            cut_before: part.cut_before,
            cut_after: part.cut_after,
        }
    }
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SearchHit {
    /// The whole message.
    pub message: Message,
    /// Why it was found.
    pub snippet: Snippet,
}

/// Hits in the order asked for.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SearchPage {
    /// The hits.
    pub hits: Vec<SearchHit>,
    /// What [`SearchRequest::after`] takes for the next page; none at the end.
    pub next: Option<String>,
    /// Whether everything stored was looked at; not for a while after an update that brought the
    /// index: older messages join bit by bit.
    pub complete: bool,
}

impl From<core::SearchPage> for SearchPage {
    fn from(page: core::SearchPage) -> Self {
        let hit = |hit: core::SearchHit| SearchHit {
            message: hit.message.into(),
            snippet: hit.snippet.into(),
        };
        Self {
            hits: page.hits.into_iter().map(hit).collect(),
            next: page.next.map(|place| place.encode()),
            complete: page.complete,
        }
    }
}
