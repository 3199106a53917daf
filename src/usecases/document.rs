//! A conversation as a JSON document: what `export` writes and `import` reads.
//!
//! Version 1 of the format is described in [the manual](crate::manual::transcripts). Fields that a reader does not know are passed
//! over, so a version may gain fields; a version above ours is refused, for it may have changed the
//! meaning of those we know. A document is outside input: it is bounded before it is read, read as a
//! whole before anything of it is stored, and what is wrong in it is told by its place, never by its
//! words.

mod reading;
mod wire;
mod writing;

use serde::Deserialize;

use crate::{domain::transcript::Transcript, error::ChatError};

/// The longest document that is read, in bytes, and the most messages in one.
pub const LONGEST: usize = 64_000_000;

/// The longest document that is written: half of what is read, so that it may be laid out for people.
pub const LONGEST_WRITTEN: usize = LONGEST / 2;

/// The most messages that a document may have.
pub const MOST_MESSAGES: usize = 250_000;

/// The version that is written.
pub const VERSION: u64 = 1;

/// What tells a document of ours from other JSON.
const FORMAT: &str = "tidings.conversation";

/// Writes a transcript as it is at rest. The same transcript gives the same bytes.
///
/// # Errors
/// `export.too_large`, for no backup is better than one that cannot be read.
pub fn write(transcript: Transcript) -> Result<String, ChatError> {
    if transcript.lines.len() > MOST_MESSAGES {
        return Err(too_large_to_write());
    }
    let document = writing::document(transcript.at_rest());
    let text = serde_json::to_string(&document).map_err(|_| ChatError::Internal {
        code: "a document could not be written".to_owned(),
    })?;
    match text.len() > LONGEST_WRITTEN {
        true => Err(too_large_to_write()),
        false => Ok(text),
    }
}

/// Reads a document.
///
/// # Errors
/// `import.too_large`, `import.version`, `import.malformed`.
pub fn read(text: &str) -> Result<Transcript, ChatError> {
    if text.len() > LONGEST {
        let limit = format!("a document has at most {} MB", LONGEST / 1_000_000);
        return Err(refused("import.too_large", limit));
    }
    let head: Head = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    if head.format != FORMAT {
        return Err(malformed("this is no conversation of ours"));
    }
    if head.version > VERSION {
        let newer = "a newer version wrote this document: update the app";
        return Err(refused("import.version", newer.to_owned()));
    }
    let document = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    reading::transcript(document).map_err(malformed)
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u64,
}

fn too_large_to_write() -> ChatError {
    ChatError::InvalidInput {
        field: "conversation",
        code: "export.too_large",
        text: format!(
            "the conversation is too large for one document: {} MB, {MOST_MESSAGES} messages",
            LONGEST_WRITTEN / 1_000_000
        ),
    }
}

/// Where, and never what: the words of a document are somebody's messages.
fn unreadable(error: &serde_json::Error) -> ChatError {
    let place = format!("line {}, column {}", error.line(), error.column());
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the document ends too early",
        serde_json::error::Category::Data => "the document has something else than it should",
        _ => "this is not JSON",
    };
    refused("import.malformed", format!("{what}: {place}"))
}

fn malformed(what: &str) -> ChatError {
    refused("import.malformed", what.to_owned())
}

pub(super) const fn refused(code: &'static str, text: String) -> ChatError {
    ChatError::InvalidInput {
        field: "document",
        code,
        text,
    }
}
