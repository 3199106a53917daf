//! `export`: all of a stored conversation, as JSON or as a readable page.

use std::fmt::Write;

use tidings::usecases::export_conversation::Export;

use crate::{
    args::ExportFormat,
    context::{Context, conversation_id},
    failure::Failure,
    output::records::{DocumentRecord, ExportRecord, MessageRecord, Record},
    setup::Access,
};

/// Exports what is stored; no network is needed.
pub(crate) async fn run(context: &Context, id: &str, format: ExportFormat) -> Result<(), Failure> {
    let client = context.client(Access::Store).await?;
    let export = client.export(conversation_id(id)?).await?;
    let (name, text, document) = match format {
        ExportFormat::Markdown => ("markdown", Some(markdown(&export)), None),
        ExportFormat::Json => ("json", None, Some(document(&export))),
    };
    context.out.print(&Record::Export(ExportRecord {
        conversation: export.conversation.id.to_string(),
        at: export.conversation.activity_at.map(|at| at.to_string()),
        format: name,
        text,
        document,
    }));
    Ok(())
}

fn document(export: &Export) -> DocumentRecord {
    let rows = export.messages.iter();
    DocumentRecord {
        conversation: (&export.conversation).into(),
        messages: rows
            .map(|(position, row)| MessageRecord::new(Some(*position), row))
            .collect(),
    }
}

fn markdown(export: &Export) -> String {
    let mut page = format!("# {}\n", export.conversation.display_title());
    for (_, row) in &export.messages {
        let at = row
            .created_at
            .map_or_else(String::new, |at| format!(" · {at}"));
        // Writing to a string cannot fail.
        let _ = write!(page, "\n**{}**{at}\n\n{}\n", row.role.as_str(), row.text);
    }
    page
}
