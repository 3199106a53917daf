//! `import`: a document that `export` printed, into the store. No server is asked, nothing is sent.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::value::RawValue;
use tidings::usecases::document;

use crate::{
    context::Context,
    failure::{Exit, Failure},
    output::records::{ImportRecord, Record},
    setup::Access,
};

/// Reads the file and stores what of it may be stored.
pub(crate) async fn run(context: &Context, file: &Path) -> Result<(), Failure> {
    let text = text_of(file.to_owned()).await?;
    let document = document_of(&text);
    let client = context.client(Access::Store).await?;
    let done = client.import_document(document).await?;
    context.out.print(&Record::Import(ImportRecord {
        conversation: done.conversation.to_string(),
        restored: done.restored,
        added: done.added,
        known: done.known,
        left: done.left,
    }));
    Ok(())
}

async fn text_of(file: PathBuf) -> Result<String, Failure> {
    let name = file.display().to_string();
    let read = tokio::task::spawn_blocking(move || read(&file)).await;
    let bytes = read.map_err(|_| Failure::internal())?.map_err(|error| {
        let text = format!("{name} cannot be read: {}", error.kind());
        Failure::usage(text).field("file")
    })?;
    // Where the reading stopped may be inside a letter, and then it is too much anyway.
    if bytes.len() > document::LONGEST {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(|_| {
        let text = format!("{name} is no UTF-8 text");
        Failure::new(Exit::Rejected, "import.malformed", text).field("document")
    })
}

/// No more than is too much: the SDK says so.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let source: Box<dyn Read> = match file.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => Box::new(File::open(file)?),
    };
    let mut bytes = Vec::new();
    let bound = document::LONGEST as u64 + 1;
    source.take(bound).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A line of `export --json` with its document.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    document: &'a RawValue,
}

/// The document itself, also where the whole line was kept.
fn document_of(text: &str) -> &str {
    serde_json::from_str::<Line<'_>>(text).map_or(text, |line| line.document.get())
}
