//! `doctor`: checks step by step what stands between this machine and the backend.
//!
//! It creates nothing: it reads the list, opens and closes one WebSocket, and reads one page.

mod network;
mod service;

use tidings::domain::{conversation::ServerConversation, ids::ConversationId};

use crate::{
    context::{Context, conversation_id},
    failure::{Exit, Failure},
    output::records::{CheckRecord, Record},
    setup::{self, Settings},
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
        self.print(CheckRecord {
            tried: tried.into(),
            ..line(name, true, text.into())
        });
    }

    /// It does not, and this is what to do.
    fn fail(
        &mut self,
        name: &'static str,
        tried: impl Into<String>,
        failure: Failure,
        advice: &str,
    ) {
        self.failed += 1;
        self.blocked = self.blocked.or(Some(name));
        self.print(CheckRecord {
            tried: tried.into(),
            advice: Some(advice.to_owned()),
            code: Some(failure.code),
            ..line(name, false, failure.text)
        });
    }

    /// There is nothing to look at.
    fn skip(&mut self, name: &'static str, why: &str) {
        self.print(CheckRecord {
            skipped: true,
            ..line(name, true, why.to_owned())
        });
    }

    /// It cannot be looked at before another one is put right.
    fn wait(&mut self, name: &'static str, by: &str) {
        self.print(CheckRecord {
            skipped: true,
            ..line(name, false, format!("waits for {by}"))
        });
    }

    /// Skips the rest where an earlier check failed.
    fn skip_if_blocked(&mut self, names: &[&'static str]) -> bool {
        let Some(by) = self.blocked else {
            return false;
        };
        for name in names {
            self.wait(name, by);
        }
        true
    }

    fn print(&self, record: CheckRecord) {
        self.context.out.print(&Record::Check(record));
    }
}

fn line(name: &'static str, ok: bool, text: String) -> CheckRecord {
    CheckRecord {
        name,
        ok,
        skipped: false,
        tried: "not tried".to_owned(),
        text,
        advice: None,
        code: None,
    }
}

async fn check_store(report: &mut Report<'_>) {
    let context = report.context;
    let tried = match setup::store_path(&context.global) {
        Ok(path) => format!("open {}", path.display()),
        Err(_) => "find the data directory".to_owned(),
    };
    match setup::look(&context.global, &context.platform).await {
        Ok(text) => report.pass("store", tried, text),
        Err(failure) => {
            let advice = "check the file and its directory, or name another with --store";
            report.fail("store", tried, failure, advice);
        }
    }
}

/// The newest conversation of a page, by the server's own times.
fn newest(rows: &[ServerConversation]) -> Option<&ConversationId> {
    let activity =
        |row: &ServerConversation| row.last_message_at.or(row.updated_at).or(row.created_at);
    rows.iter()
        .max_by_key(|row| activity(row))
        .map(|row| &row.id)
}
