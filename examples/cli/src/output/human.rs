//! The records as text for people.

use super::records::{
    AuditRecord, CheckRecord, ConnectionRecord, ConversationRecord, DeliveryRecord, ErrorRecord,
    ExportRecord, MessageRecord, Record, SettingRecord, StreamRecord, TimelineRecord,
};

/// The record in words; `None` where people need not be told. Control characters, which could
/// steer the terminal, are shown as spaces.
pub(super) fn text(record: &Record) -> Option<String> {
    let harmless = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() => ' ',
        c => c,
    };
    words(record).map(|text| text.chars().map(harmless).collect())
}

fn words(record: &Record) -> Option<String> {
    Some(match record {
        Record::Conversation(row) => conversation(row),
        Record::Message(row) => message(row),
        Record::Audit(row) => audit(row),
        Record::Accepted(row) => format!("accepted   {}", row.id),
        Record::Delivery(row) => delivery(row),
        Record::Timeline(row) => return timeline(row),
        Record::Stream(row) => return stream(row),
        Record::Connection(row) => connection(row),
        Record::Typing(row) => {
            let who = row.user.as_deref().unwrap_or("the assistant");
            let does = if row.active {
                "types"
            } else {
                "stopped typing"
            };
            format!("{who} {does}")
        }
        Record::Presence(row) => {
            let is = if row.online { "online" } else { "offline" };
            format!("{} is {is}", row.user)
        }
        Record::Receipt(row) => format!("{} {} everything up to {}", row.user, row.kind, row.up_to),
        Record::Sync(row) => format!("sync       {} ({} new)", row.phase, row.fetched),
        Record::Cooldown(row) => format!("cooldown   until {} ({})", row.until, row.scope),
        Record::Salvaged(row) => format!(
            "salvaged   the store was damaged: {} unsent and {} drafts were saved, {} could not be; \
             the rest is read again{}",
            row.unsent,
            row.drafts,
            row.lost,
            row.kept
                .as_ref()
                .map_or_else(String::new, |kept| format!("; the file is kept as {kept}"))
        ),
        Record::Storage(row) => format!(
            "storage    {} bytes, {} free; {} conversations, {} messages, {} unsent, {} drafts, \
             {} journal entries, {} gaps",
            row.bytes,
            row.free_bytes,
            row.conversations,
            row.messages,
            row.unsent,
            row.drafts,
            row.journal,
            row.gaps
        ),
        Record::UnknownEvent(row) => format!("unknown    {}", row.name),
        Record::Draft(row) => format!("draft      {} was not sent, its text is kept", row.id),
        Record::Troubled(row) => format!("troubled   {} still waits to go out", row.id),
        Record::Lagged(row) => format!("lagged     {} events were missed", row.missed),
        Record::Check(row) => check(row),
        Record::Step(row) => {
            let mark = if row.ok { "ok  " } else { "FAIL" };
            format!("{mark} {:<15} {}", row.step, row.evidence)
        }
        Record::Setting(row) => setting(row),
        Record::Explanation(row) => format!("{}  {:<10} {}", row.at, row.name, row.text),
        Record::Export(row) => export(row)?,
        Record::Import(row) => format!(
            "imported   {}: {} messages added, {} were here, {} are left to the server",
            row.conversation, row.added, row.known, row.left
        ),
        Record::Result(row) => return (!row.ok).then(|| format!("{} failed", row.cmd)),
        Record::Error(row) => error(row),
    })
}

fn conversation(row: &ConversationRecord) -> String {
    let unread = match row.unread {
        0 => String::new(),
        count => format!("  ({count} unread)"),
    };
    let status = row.status.as_deref().unwrap_or("-");
    let archived = if row.archived { "  archived" } else { "" };
    let last = row.last_message.as_ref().map_or_else(String::new, |last| {
        format!("\n    {}: {}", last.role, first_line(&last.text))
    });
    format!(
        "{}  {}  [{status}]{archived}{unread}{last}",
        row.id, row.title
    )
}

fn message(row: &MessageRecord) -> String {
    let at = row.at.as_deref().unwrap_or("-");
    let state = match row.state {
        "sent" | "delivered" | "read" => String::new(),
        other => format!("  [{other}]"),
    };
    let marked = row.snippet.as_ref().map(|part| marked(part, &row.marks));
    let text = match &marked {
        Some(part) => part,
        None if row.deleted => "(deleted)",
        None => &row.text,
    };
    let rest = if row.incomplete { " …" } else { "" };
    format!("{at}  {}: {text}{rest}{state}", row.role)
}

/// The found words in brackets.
fn audit(row: &AuditRecord) -> String {
    let sender = row.sender.as_deref().unwrap_or(&row.role);
    let gone = row
        .deleted_at
        .as_ref()
        .map(|at| format!("  (deleted {at})"));
    format!("{sender}: {}{}", row.text, gone.unwrap_or_default())
}

fn marked(snippet: &str, marks: &[(usize, usize)]) -> String {
    let mut text = String::new();
    for (at, c) in snippet.chars().enumerate() {
        if marks.iter().any(|(start, _)| *start == at) {
            text.push('[');
        }
        text.push(c);
        if marks.iter().any(|(_, end)| *end == at + 1) {
            text.push(']');
        }
    }
    text
}

fn delivery(row: &DeliveryRecord) -> String {
    let mut line = format!("{:<10} {}", row.state, row.id);
    if row.action != "send" {
        line.push_str(&format!("  {}", row.action));
    }
    if let Some(reason) = &row.reason {
        line.push_str(&format!("  {} ({})", reason.text, reason.code));
    }
    if let Some(next) = &row.next_attempt_at {
        line.push_str(&format!("  next attempt {next}"));
    }
    line
}

fn timeline(row: &TimelineRecord) -> Option<String> {
    let shown = row.message.as_ref()?;
    Some(format!("{:<10} {}", row.change, message(shown)))
}

fn stream(row: &StreamRecord) -> Option<String> {
    match row.phase {
        "delta" => None,
        "failed" => Some(format!("answer     failed: {}", row.text)),
        phase => Some(format!("answer     {phase}")),
    }
}

fn connection(row: &ConnectionRecord) -> String {
    let mut line = format!("connection {} ({})", row.state, row.transport);
    if let Some(reason) = &row.reason {
        line.push_str(&format!(", {reason}"));
    }
    if let Some(at) = &row.retry_at {
        line.push_str(&format!(", next dial {at}"));
    }
    line
}

fn check(row: &CheckRecord) -> String {
    let mark = match (row.ok, row.skipped) {
        (_, true) => "skip",
        (true, _) => "ok  ",
        (false, _) => "FAIL",
    };
    let mut line = format!("{mark} {:<12} {}: {}", row.name, row.tried, row.text);
    if let Some(advice) = &row.advice {
        line.push_str(&format!("\n     {advice}"));
    }
    line
}

fn setting(row: &SettingRecord) -> String {
    let bounds = row.bounds.as_ref().map_or_else(String::new, |bounds| {
        format!("  ({} to {})", bounds.low, bounds.high)
    });
    format!(
        "{:<24} {:<10}{bounds}\n    {}",
        row.name, row.value, row.reason
    )
}

fn export(row: &ExportRecord) -> Option<String> {
    match (&row.text, &row.document) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(document)) => serde_json::to_string_pretty(document).ok(),
        (None, None) => None,
    }
}

fn error(row: &ErrorRecord) -> String {
    let mut line = format!("error: {} ({})", row.text, row.code);
    if let Some(wait) = row.retry_after_ms {
        line.push_str(&format!("\n  wait {} s", wait.div_ceil(1000)));
    }
    if let Some(draft) = &row.draft {
        line.push_str(&format!("\n  not sent: {draft}"));
    }
    line
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
