//! Every line that the command prints: the JSON contract in one place.
//!
//! Fields may be added, never renamed. Each line has `type`, and `conversation` and `at` where
//! they apply; `at` is the server's time where it is known.

use serde::Serialize;
use serde_json::Value;

/// One line.
#[derive(Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Record {
    /// A conversation as stored.
    Conversation(ConversationRecord),
    /// A message as stored.
    Message(MessageRecord),
    /// A message as an auditor sees it.
    Audit(AuditRecord),
    /// A message is on disk.
    Accepted(AcceptedRecord),
    /// What happened to a sent message.
    Delivery(DeliveryRecord),
    /// A change of a conversation's list of messages.
    Timeline(TimelineRecord),
    /// A streamed answer moved on.
    Stream(StreamRecord),
    /// A conversation's connection changed.
    Connection(ConnectionRecord),
    /// Someone types, or stopped.
    Typing(TypingRecord),
    /// Someone came or went.
    Presence(PresenceRecord),
    /// A recipient got or read messages.
    Receipt(ReceiptRecord),
    /// Synchronisation moved on.
    Sync(SyncRecord),
    /// The server asked for quiet.
    Cooldown(CooldownRecord),
    /// The server sent something that this version does not know.
    UnknownEvent(UnknownEventRecord),
    /// The text of a direct send came back as the conversation's draft.
    Draft(NoticeRecord),
    /// A message failed to go out for the fifth time in a row; it goes on waiting.
    Troubled(NoticeRecord),
    /// This process read events too slowly: some are gone, the store has the truth.
    Lagged(LaggedRecord),
    /// The store was damaged and begins anew with what was saved.
    Salvaged(SalvagedRecord),
    /// How large the store is and what is in it.
    Storage(StorageRecord),
    /// A line of `doctor`.
    Check(CheckRecord),
    /// A line of `demo --script`.
    Step(StepRecord),
    /// A line of `config`.
    Setting(SettingRecord),
    /// A line of `explain`.
    Explanation(ExplanationRecord),
    /// The document of `export`.
    Export(ExportRecord),
    /// What `import` did.
    Import(ImportRecord),
    /// The end of a command of `session`, or of a command that has nothing to show.
    Result(ResultRecord),
    /// What went wrong.
    Error(ErrorRecord),
}

/// `conversation`.
#[derive(Clone, Serialize)]
pub(crate) struct ConversationRecord {
    pub(crate) id: String,
    pub(crate) conversation: String,
    pub(crate) at: Option<String>,
    pub(crate) title: String,
    pub(crate) persona: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) context: Option<ContextRecord>,
    pub(crate) unread: u32,
    pub(crate) last_message: Option<LastMessageRecord>,
    pub(crate) archived: bool,
    pub(crate) participants: Vec<String>,
    /// Unsent input, where there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) draft: Option<String>,
    /// `create` only: whether it was there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) existed: Option<bool>,
}

/// What a conversation is bound to.
#[derive(Clone, Serialize)]
pub(crate) struct ContextRecord {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) id: Option<String>,
}

/// A conversation's newest message.
#[derive(Clone, Serialize)]
pub(crate) struct LastMessageRecord {
    pub(crate) id: String,
    pub(crate) role: String,
    pub(crate) text: String,
    pub(crate) at: Option<String>,
}

/// `message`.
#[derive(Clone, Serialize)]
pub(crate) struct MessageRecord {
    pub(crate) id: String,
    pub(crate) server_id: Option<String>,
    pub(crate) conversation: String,
    pub(crate) at: Option<String>,
    pub(crate) role: String,
    pub(crate) sender: Option<String>,
    pub(crate) text: String,
    pub(crate) state: &'static str,
    pub(crate) position: Option<u64>,
    pub(crate) created_at: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) incomplete: bool,
    /// A change of the user's that the server has not confirmed: `edit` or `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<&'static str>,
    /// What the server has right behind it is not stored yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gap_after: bool,
    /// `search` only: the part of the text that shows the match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) snippet: Option<String>,
    /// `search` only: the found words, as first and end character of the snippet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) marks: Vec<(usize, usize)>,
    /// `history`, on the first line: what `--before` takes for the page before. `search`, on the
    /// last line: what `--after` takes for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

/// `audit`: from the server, and not stored. On the first line `cursor` is what `--before` takes for
/// the page before.
#[derive(Clone, Serialize)]
pub(crate) struct AuditRecord {
    pub(crate) server_id: String,
    pub(crate) conversation: String,
    pub(crate) at: Option<String>,
    pub(crate) role: String,
    pub(crate) sender: Option<String>,
    pub(crate) text: String,
    pub(crate) deleted: bool,
    pub(crate) deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

/// `accepted`.
#[derive(Clone, Serialize)]
pub(crate) struct AcceptedRecord {
    pub(crate) id: String,
    pub(crate) conversation: String,
    pub(crate) at: Option<String>,
}

/// `delivery`.
#[derive(Clone, Serialize)]
pub(crate) struct DeliveryRecord {
    pub(crate) id: String,
    /// What it is about: `send`, or another action of the user's.
    pub(crate) action: &'static str,
    pub(crate) conversation: String,
    pub(crate) at: String,
    pub(crate) state: &'static str,
    pub(crate) server_id: Option<String>,
    pub(crate) attempt: u32,
    pub(crate) next_attempt_at: Option<String>,
    pub(crate) reason: Option<ReasonRecord>,
}

/// Why a message waits or failed.
#[derive(Clone, Serialize)]
pub(crate) struct ReasonRecord {
    pub(crate) code: String,
    pub(crate) retryable: bool,
    pub(crate) retry_after_ms: Option<u64>,
    pub(crate) text: String,
}

/// `timeline`. A `reset` has no message: forget the list; its `insert` lines follow.
#[derive(Clone, Serialize)]
pub(crate) struct TimelineRecord {
    pub(crate) conversation: String,
    pub(crate) at: Option<String>,
    pub(crate) change: &'static str,
    pub(crate) position: usize,
    pub(crate) message: Option<MessageRecord>,
}

/// `stream`.
#[derive(Clone, Serialize)]
pub(crate) struct StreamRecord {
    pub(crate) id: String,
    pub(crate) conversation: String,
    pub(crate) at: String,
    pub(crate) phase: &'static str,
    pub(crate) offset: usize,
    pub(crate) text: String,
}

/// `connection`.
#[derive(Clone, Serialize)]
pub(crate) struct ConnectionRecord {
    pub(crate) conversation: String,
    pub(crate) at: String,
    pub(crate) state: &'static str,
    pub(crate) transport: &'static str,
    pub(crate) retry_at: Option<String>,
    pub(crate) reason: Option<String>,
}

/// `typing`; without a user the answering model types.
#[derive(Clone, Serialize)]
pub(crate) struct TypingRecord {
    pub(crate) conversation: String,
    pub(crate) at: String,
    pub(crate) user: Option<String>,
    pub(crate) active: bool,
}

/// `presence`.
#[derive(Clone, Serialize)]
pub(crate) struct PresenceRecord {
    pub(crate) conversation: String,
    pub(crate) at: String,
    pub(crate) user: String,
    pub(crate) online: bool,
    pub(crate) last_seen: Option<String>,
}

/// `receipt`.
#[derive(Clone, Serialize)]
pub(crate) struct ReceiptRecord {
    pub(crate) conversation: String,
    pub(crate) at: String,
    pub(crate) user: String,
    pub(crate) up_to: String,
    pub(crate) kind: &'static str,
}

/// `sync`.
#[derive(Clone, Serialize)]
pub(crate) struct SyncRecord {
    pub(crate) conversation: String,
    pub(crate) at: String,
    pub(crate) phase: &'static str,
    pub(crate) fetched: usize,
}

/// `cooldown`.
#[derive(Clone, Serialize)]
pub(crate) struct CooldownRecord {
    pub(crate) at: String,
    pub(crate) until: String,
    pub(crate) scope: &'static str,
}

/// `unknown_event`.
#[derive(Clone, Serialize)]
pub(crate) struct UnknownEventRecord {
    pub(crate) conversation: String,
    pub(crate) at: String,
    pub(crate) name: String,
}

/// `draft`, `troubled`.
#[derive(Clone, Serialize)]
pub(crate) struct NoticeRecord {
    pub(crate) conversation: String,
    pub(crate) at: String,
    pub(crate) id: String,
}

/// `storage`.
#[derive(Clone, Serialize)]
pub(crate) struct StorageRecord {
    pub(crate) bytes: u64,
    pub(crate) free_bytes: u64,
    pub(crate) conversations: u64,
    pub(crate) messages: u64,
    pub(crate) unsent: u64,
    pub(crate) drafts: u64,
    /// Entries of the delivery journal.
    pub(crate) journal: u64,
    /// Known holes in the stored history.
    pub(crate) gaps: u64,
}

/// `salvaged`.
#[derive(Clone, Serialize)]
pub(crate) struct SalvagedRecord {
    pub(crate) at: String,
    /// The damaged file, kept beside the store.
    pub(crate) kept: Option<String>,
    pub(crate) unsent: u64,
    pub(crate) drafts: u64,
    /// Unsent actions that could not be saved.
    pub(crate) lost: u64,
}

/// `lagged`.
#[derive(Clone, Serialize)]
pub(crate) struct LaggedRecord {
    pub(crate) at: String,
    pub(crate) missed: u64,
}

/// `check`. A skipped one is not `ok` where it waits for a failed one, and `ok` otherwise.
#[derive(Clone, Serialize)]
pub(crate) struct CheckRecord {
    pub(crate) name: &'static str,
    pub(crate) ok: bool,
    pub(crate) skipped: bool,
    /// What was tried.
    pub(crate) tried: String,
    /// What came back.
    pub(crate) text: String,
    /// What to do.
    pub(crate) advice: Option<String>,
    /// The stable code of what failed.
    pub(crate) code: Option<String>,
}

/// `step`.
#[derive(Clone, Serialize)]
pub(crate) struct StepRecord {
    pub(crate) step: String,
    pub(crate) ok: bool,
    pub(crate) evidence: String,
}

/// `setting`.
#[derive(Clone, Serialize)]
pub(crate) struct SettingRecord {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) default: String,
    pub(crate) unit: String,
    pub(crate) bounds: Option<BoundsRecord>,
    pub(crate) reason: String,
}

/// The least and the most of a setting.
#[derive(Clone, Serialize)]
pub(crate) struct BoundsRecord {
    pub(crate) low: String,
    pub(crate) high: String,
}

/// `explanation`.
#[derive(Clone, Serialize)]
pub(crate) struct ExplanationRecord {
    /// The message.
    pub(crate) id: String,
    pub(crate) conversation: String,
    pub(crate) at: String,
    /// `created`, `attempt`, `outcome`, `sent`, `delivered`, `read`, `failed`, `cancelled`, `now`.
    pub(crate) name: &'static str,
    pub(crate) state: &'static str,
    pub(crate) attempt: u32,
    pub(crate) next_attempt_at: Option<String>,
    pub(crate) server_id: Option<String>,
    pub(crate) reason: Option<ReasonRecord>,
    pub(crate) text: String,
}

/// `export`.
#[derive(Clone, Serialize)]
pub(crate) struct ExportRecord {
    pub(crate) conversation: String,
    pub(crate) at: Option<String>,
    pub(crate) format: &'static str,
    /// Markdown only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// JSON only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<Value>,
}

/// `import`.
#[derive(Clone, Serialize)]
pub(crate) struct ImportRecord {
    pub(crate) conversation: String,
    /// Nothing of it had been read here: it is as it was when it was exported.
    pub(crate) restored: bool,
    /// Messages added.
    pub(crate) added: usize,
    /// Messages that were here, deleted ones too.
    pub(crate) known: usize,
    /// Messages left to the server's history.
    pub(crate) left: usize,
}

/// `result`.
#[derive(Clone, Serialize)]
pub(crate) struct ResultRecord {
    pub(crate) cmd: String,
    pub(crate) ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversation: Option<String>,
    /// The message meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// The error's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
}

/// `error`.
#[derive(Clone, Serialize)]
pub(crate) struct ErrorRecord {
    pub(crate) code: String,
    pub(crate) text: String,
    pub(crate) field: Option<&'static str>,
    pub(crate) retryable: bool,
    pub(crate) retry_after_ms: Option<u64>,
    /// The text that was not sent; direct mode only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) draft: Option<String>,
}

/// A line with the `ref` of the session command it answers.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    #[serde(flatten)]
    pub(super) record: &'a Record,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<&'a Value>,
}
