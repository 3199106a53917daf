//! `explain`: a message's whole history, from the store's journal.

use tidings::{
    domain::{delivery::DeliveryState, journal::JournalEntry},
    usecases::explain_message::Explanation,
};

use crate::{
    context::{Context, message_id},
    failure::Failure,
    output::records::{ExplanationRecord, Record},
    setup::Access,
};

/// Prints a line for each thing that happened, then how it stands.
pub(crate) async fn run(context: &Context, id: &str) -> Result<(), Failure> {
    let client = context.client(Access::Store).await?;
    let story = client.explain(message_id(id)?).await?;
    let mut first = true;
    for entry in &story.journal {
        context.out.print(&Record::Explanation(line(entry, first)));
        first = false;
    }
    if let Some(record) = standing(&story, context.now().to_string()) {
        context.out.print(&Record::Explanation(record));
    }
    Ok(())
}

fn line(entry: &JournalEntry, first: bool) -> ExplanationRecord {
    let (name, mut text) = told(entry, first);
    if let Some(reason) = &entry.reason {
        text = format!("{text}: {} ({})", reason.text, reason.code);
    }
    if let Some(next) = entry.next_attempt_at {
        text = format!("{text}; next attempt at {next}");
    }
    ExplanationRecord {
        id: entry.message.to_string(),
        conversation: entry.conversation.to_string(),
        at: entry.at.to_string(),
        name,
        state: entry.state.as_str(),
        attempt: entry.attempt,
        next_attempt_at: entry.next_attempt_at.map(|at| at.to_string()),
        server_id: entry.server_id.as_ref().map(ToString::to_string),
        reason: entry.reason.as_ref().map(Into::into),
        text,
    }
}

fn told(entry: &JournalEntry, first: bool) -> (&'static str, String) {
    let attempt = entry.attempt;
    let on_server = entry.server_id.as_ref().map_or_else(
        || "the server has it".to_owned(),
        |id| format!("the server has it as {id}"),
    );
    match entry.state {
        DeliveryState::Queued if first => ("created", "accepted on this device".to_owned()),
        DeliveryState::Queued if attempt == 0 => ("outcome", "waits".to_owned()),
        DeliveryState::Queued => (
            "outcome",
            format!("attempt {attempt} did not arrive; waits"),
        ),
        DeliveryState::Sending => ("attempt", format!("attempt {attempt} goes out")),
        DeliveryState::Uncertain => (
            "outcome",
            format!("attempt {attempt} may have arrived; the history will tell"),
        ),
        DeliveryState::Sent => ("sent", on_server),
        DeliveryState::Delivered => ("delivered", "it reached a recipient".to_owned()),
        DeliveryState::Read => ("read", "a recipient read it".to_owned()),
        DeliveryState::Failed => ("failed", "it was not sent, the text is kept".to_owned()),
        DeliveryState::Cancelled => ("cancelled", "taken back".to_owned()),
    }
}

/// How a message stands that the journal does not tell of (another device's, a model's answer).
fn standing(story: &Explanation, now: String) -> Option<ExplanationRecord> {
    let row = story.message.as_ref()?;
    if !story.journal.is_empty() {
        return None;
    }
    Some(ExplanationRecord {
        id: row.id.to_string(),
        conversation: row.conversation.to_string(),
        at: row.created_at.map_or(now, |at| at.to_string()),
        name: "now",
        state: row.state.as_str(),
        attempt: row.attempts,
        next_attempt_at: None,
        server_id: row.server_id.as_ref().map(ToString::to_string),
        reason: None,
        text: "it came from the server".to_owned(),
    })
}
