//! `ImportConversation`: a document that `export` wrote, read into the store.

use crate::{
    domain::{ports::Durability, rules::restore, transcript::Imported},
    error::ChatError,
    usecases::{
        Ports,
        document::{self, refused},
    },
};

/// Reads a document into the store.
#[derive(Clone)]
pub struct ImportConversation {
    /// The document's text.
    pub document: String,
}

/// Prints no text.
impl std::fmt::Debug for ImportConversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportConversation").finish_non_exhaustive()
    }
}

impl ImportConversation {
    /// Stores what may be stored of it; see [`restore`]. Nothing is sent, now or later, unless the
    /// user asks for it; read again, it changes nothing.
    ///
    /// # Errors
    /// `import.too_large`, `import.version`, `import.malformed`; `import.deleted` where the
    /// conversation was deleted on this device; the store's. Nothing of it is stored then.
    ///
    /// # Cancel safety
    /// All or nothing.
    ///
    /// # Persistence
    /// One transaction, which survives a power cut. Other writes wait for it.
    pub async fn execute(self, ports: &Ports) -> Result<Imported, ChatError> {
        let transcript = document::read(&self.document)?;
        drop(self.document);
        let now = ports.platform.wall();
        let done = ports
            .repository
            .transact(Durability::Full, move |rows| {
                restore::restore(rows, transcript, now)
            })
            .await?;
        done.ok_or_else(|| {
            let text = "this conversation was deleted on this device; it is not brought back";
            refused("import.deleted", text.to_owned())
        })
    }
}
