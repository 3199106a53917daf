//! `doctor`: checks step by step what stands between this machine and the backend.
//!
//! It creates nothing: it reads the list, opens and closes one WebSocket, and reads one page.

mod network;
mod service;

use tidings::domain::{ids::ConversationId, ports::chat_repository::ConversationFilter};

use crate::{
    context::{Context, conversation_id},
    failure::{Exit, Failure},
    output::records::{CheckRecord, Record},
    setup::{self, Access, Settings},
};

/// Runs all checks; those behind a failed one are skipped.
pub(crate) async fn run(context: &Context, conversation: Option<String>) -> Result<(), Failure> {
    let conversation = conversation.as_deref().map(conversation_id).transpose()?;
    let settings = Settings::read(&context.global)?;
    let Some(url) = context.global.url.clone() else {
        let text = "doctor checks a server: give its --url, e.g. http://127.0.0.1:8080";
        return Err(Failure::usage(text).field("url"));
    };
    let mut report = Report {
        context,
        failed: 0,
        blocked: None,
    };
    network::check(&mut report, &settings, &url).await;
    service::check(&mut report, &settings, conversation).await;
    check_store(&mut report).await;
    match report.failed {
        0 => Ok(()),
        count => {
            let text = format!("{count} of the checks failed; each says what to do");
            Err(Failure::new(Exit::GaveUp, "doctor.failed", text))
        }
    }
}

/// The lines so far.
struct Report<'a> {
    context: &'a Context,
    failed: usize,
    /// The failed check behind which nothing on the network can work.
    blocked: Option<&'static str>,
}

impl Report<'_> {
    /// It works.
    fn pass(&mut self, name: &'static str, tried: impl Into<String>, text: impl Into<String>) {
        self.print(name, Some(true), tried.into(), text.into(), None, None);
    }

    /// It does not, and this is what to do.
    fn fail(&mut self, name: &'static str, tried: impl Into<String>, failure: Failure, advice: &str) {
        self.failed += 1;
        self.blocked = self.blocked.or(Some(name));
        let advice = Some(advice.to_owned());
        let code = Some(failure.code);
        self.print(name, Some(false), tried.into(), failure.text, advice, code);
    }

    /// It was not looked at.
    fn skip(&mut self, name: &'static str, why: impl Into<String>) {
        self.print(name, None, "not tried".to_owned(), why.into(), None, None);
    }

    /// Skips the rest where an earlier check failed.
    fn skip_if_blocked(&mut self, names: &[&'static str]) -> bool {
        let Some(by) = self.blocked else {
            return false;
        };
        for name in names {
            self.skip(name, format!("waits for {by}"));
        }
        true
    }

    fn print(
        &self,
        name: &'static str,
        ok: Option<bool>,
        tried: String,
        text: String,
        advice: Option<String>,
        code: Option<String>,
    ) {
        self.context.out.print(&Record::Check(CheckRecord {
            name,
            ok,
            tried,
            text,
            advice,
            code,
        }));
    }
}

async fn check_store(report: &mut Report<'_>) {
    let context = report.context;
    let tried = match setup::store_path(&context.global) {
        Ok(path) => format!("open {}", path.display()),
        Err(_) => "find the data directory".to_owned(),
    };
    match look_into_store(context).await {
        Ok(text) => report.pass("store", tried, text),
        Err(failure) => {
            let advice = "check the file and its directory, or name another with --store";
            report.fail("store", tried, failure, advice);
        }
    }
}

async fn look_into_store(context: &Context) -> Result<String, Failure> {
    let client = context.client(Access::Store).await?;
    let all = ConversationFilter {
        include_archived: true,
        limit: 0,
    };
    let (known, unsent) = (client.conversations(all).await?, client.outbox().await?);
    Ok(format!(
        "{} conversations, {} unsent messages",
        known.len(),
        unsent.len()
    ))
}

/// The newest conversation of a page, by the server's own times.
fn newest(
    rows: &[tidings::domain::conversation::ServerConversation],
) -> Option<&ConversationId> {
    let activity = |row: &tidings::domain::conversation::ServerConversation| {
        row.last_message_at.or(row.updated_at).or(row.created_at)
    };
    rows.iter().max_by_key(|row| activity(row)).map(|row| &row.id)
}
