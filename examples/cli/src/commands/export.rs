//! `export`: all of a stored conversation, as JSON or as a readable page.

use std::{collections::BTreeMap, fmt::Write};

use serde::Serialize;
use serde_json::Value;
use tidings::{ChatClient, domain::ids::ConversationId, usecases::export_conversation::Export};

use crate::{
    args::ExportFormat,
    context::{Context, conversation_id},
    failure::Failure,
    output::records::{ConversationRecord, ExportRecord, MessageRecord, Record},
    setup::Access,
};

/// Exports what is stored; no network is needed.
pub(crate) async fn run(context: &Context, id: &str, format: ExportFormat) -> Result<(), Failure> {
    let client = context.client(Access::Store).await?;
    let id = conversation_id(id)?;
    let export = client.export(id.clone()).await?;
    let (name, text, document) = match format {
        ExportFormat::Markdown => ("markdown", Some(markdown(&export)), None),
        ExportFormat::Json => ("json", None, Some(document(client, id, &export).await?)),
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

/// The document that `import` reads, and beside its fields those that every line has.
async fn document(
    client: &ChatClient,
    id: ConversationId,
    export: &Export,
) -> Result<Value, Failure> {
    let text = client.export_document(id).await?;
    let mut document: Value = serde_json::from_str(&text).map_err(|_| Failure::internal())?;
    let listed: BTreeMap<String, MessageRecord> = export
        .messages
        .iter()
        .map(|(at, row)| (row.id.to_string(), MessageRecord::new(Some(*at), row)))
        .collect();
    extend(
        &mut document["conversation"],
        &ConversationRecord::from(&export.conversation),
    );
    for message in document["messages"].as_array_mut().into_iter().flatten() {
        if let Some(record) = message["id"].as_str().and_then(|id| listed.get(id)) {
            extend(message, record);
        }
    }
    Ok(document)
}

/// Adds the fields that are not there.
fn extend(target: &mut Value, more: &impl Serialize) {
    if let (Value::Object(fields), Ok(Value::Object(more))) = (target, serde_json::to_value(more)) {
        for (name, value) in more {
            fields.entry(name).or_insert(value);
        }
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
