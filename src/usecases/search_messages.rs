//! `SearchMessages`: offline, over what this device has.

use crate::{domain::message::Message, error::ChatError, usecases::Ports};

/// Searches stored messages.
#[derive(Clone)]
pub struct SearchMessages {
    /// What for.
    pub query: String,
    /// At most this many.
    pub limit: usize,
}

impl std::fmt::Debug for SearchMessages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchMessages")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl SearchMessages {
    /// Messages that contain the query, newest first.
    ///
    /// # Errors
    /// `search.blank`; the store's.
    pub async fn execute(self, ports: &Ports) -> Result<Vec<Message>, ChatError> {
        if self.query.trim().is_empty() {
            let text = "the query is blank: write what to search for".to_owned();
            return Err(ChatError::InvalidInput {
                field: "query",
                code: "search.blank",
                text,
            });
        }
        Ok(ports
            .repository
            .view(move |rows| rows.search(&self.query, self.limit))
            .await?)
    }
}
