//! Sign-in, REST, the WebSocket, and the poll that stands in for it.

use std::sync::Arc;

use tidings::{
    ChatError,
    domain::{
        cursor::HistoryRange,
        event::SessionEvent,
        ids::ConversationId,
        ports::{ChatService, ListScope, RealtimeSession},
        retry::{FailureKind, ServiceError},
    },
};
use tokio::time::timeout;

use super::{Report, newest};
use crate::{
    failure::{Exit, Failure},
    setup::{self, Access, Settings},
};

const ALL: [&str; 6] = [
    "auth",
    "rest",
    "websocket",
    "first_frame",
    "keepalive",
    "polling",
];

/// Checks `auth`, `rest`, `websocket`, `first_frame`, `keepalive` and `polling`.
pub(super) async fn check(
    report: &mut Report<'_>,
    settings: &Settings,
    wanted: Option<ConversationId>,
) {
    if report.skip_if_blocked(&ALL) {
        return;
    }
    let context = report.context;
    let built = setup::service(
        &context.global,
        settings,
        &context.platform,
        Access::Network,
    );
    let service = match built {
        Ok(service) => service,
        Err(failure) => {
            report.fail(
                "auth",
                "prepare the service",
                failure,
                "correct the options",
            );
            report.skip_if_blocked(&ALL[1..]);
            return;
        }
    };
    let Some(found) = list(report, &service).await else {
        report.skip_if_blocked(&ALL[2..]);
        return;
    };
    let Some(id) = wanted.or(found) else {
        for name in &ALL[2..] {
            report.skip(name, "there is no conversation to try it on: create one");
        }
        return;
    };
    if settings.core.websocket {
        socket(report, settings, &service, &id).await;
    } else {
        for name in &ALL[2..5] {
            report.skip(name, "switched off by --no-websocket");
        }
    }
    poll(report, &service, &id).await;
}

/// Lists one page: that proves the sign-in and REST. The newest conversation, where there is one.
async fn list(
    report: &mut Report<'_>,
    service: &Arc<dyn ChatService>,
) -> Option<Option<ConversationId>> {
    let global = &report.context.global;
    let given = match (&global.token, &global.token_command) {
        (_, Some(_)) => "the printed token",
        (Some(_), None) => "the token",
        (None, None) => "no token",
    };
    let (auth, rest) = (format!("call with {given}"), "list conversations");
    match service.list_conversations(&ListScope::Active, None).await {
        Ok(page) => {
            report.pass("auth", auth, "let in");
            let text = format!(
                "{} conversations on the first page",
                page.conversations.len()
            );
            report.pass("rest", rest, text);
            Some(newest(&page.conversations).cloned())
        }
        Err(error) if is_refusal(&error) => {
            let advice = "sign in and give a fresh --token; check --api-key";
            report.fail("auth", auth, failure(error), advice);
            report.skip_if_blocked(&["rest"]);
            None
        }
        Err(error) => {
            report.wait("auth", "rest");
            let advice = "see that --url names the service itself, and that it is up";
            report.fail("rest", rest, failure(error), advice);
            None
        }
    }
}

async fn socket(
    report: &mut Report<'_>,
    settings: &Settings,
    service: &Arc<dyn ChatService>,
    id: &ConversationId,
) {
    let limit = settings.core.dial_timeout;
    let tried = format!("open the WebSocket of {id}");
    let opened = match timeout(limit, service.connect(id)).await {
        Ok(opened) => opened.map_err(failure),
        Err(_) => Err(late("network.timeout")),
    };
    let session = match opened {
        Ok(session) => session,
        Err(failure) => {
            let advice = "a proxy may drop the upgrade: messages are polled meanwhile; \
                          try --ws-url, --ws-auth query";
            report.fail("websocket", tried, failure, advice);
            for name in ["first_frame", "keepalive"] {
                report.wait(name, "websocket");
            }
            return;
        }
    };
    report.pass("websocket", tried, "upgraded");
    first_frame(report, settings, service, &session).await;
    keepalive(report, settings, &session).await;
    session.close().await;
}

async fn first_frame(
    report: &mut Report<'_>,
    settings: &Settings,
    service: &Arc<dyn ChatService>,
    session: &Arc<dyn RealtimeSession>,
) {
    if !service.capabilities().ready_frame {
        return report.skip("first_frame", "this server sends none");
    }
    let tried = "wait for the server's greeting";
    match timeout(settings.core.ready_timeout, session.next_event()).await {
        Ok(SessionEvent::Closed(_)) => {
            let text = "the server closed the WebSocket at once";
            let failure = Failure::new(Exit::GaveUp, "network.unreachable", text);
            report.fail("first_frame", tried, failure, "look at the server's log");
        }
        Ok(SessionEvent::Ready) => report.pass("first_frame", tried, "it came"),
        Ok(_) => report.pass("first_frame", tried, "another frame came first"),
        Err(_) => {
            let advice = "a proxy may hold frames back; with --config dialect=s34 none is expected";
            report.fail("first_frame", tried, late("network.timeout"), advice);
        }
    }
}

async fn keepalive(
    report: &mut Report<'_>,
    settings: &Settings,
    session: &Arc<dyn RealtimeSession>,
) {
    let tried = "ping, and wait for any byte";
    let answered = async {
        session.probe().await.map_err(failure)?;
        match session.next_event().await {
            SessionEvent::Closed(_) => {
                let text = "the WebSocket was closed";
                Err(Failure::new(Exit::GaveUp, "network.unreachable", text))
            }
            _ => Ok(()),
        }
    };
    let limit = settings.core.probe_timeout;
    match timeout(limit, answered)
        .await
        .unwrap_or_else(|_| Err(late("network.timeout")))
    {
        Ok(()) => report.pass("keepalive", tried, "answered"),
        Err(failure) => {
            let advice = "a proxy may cut idle WebSockets: replies are polled then";
            report.fail("keepalive", tried, failure, advice);
        }
    }
}

async fn poll(report: &mut Report<'_>, service: &Arc<dyn ChatService>, id: &ConversationId) {
    let tried = format!("read the newest page of {id}");
    match service.history(id, &HistoryRange::Newest, 1).await {
        Ok(page) => {
            let text = format!(
                "{} messages, {} unreadable",
                page.messages.len(),
                page.skipped
            );
            report.pass("polling", tried, text);
        }
        Err(error) => {
            let advice = "see whether the conversation is there and is yours";
            report.fail("polling", tried, failure(error), advice);
        }
    }
}

fn is_refusal(error: &ServiceError) -> bool {
    matches!(
        error.kind,
        FailureKind::SignInRequired | FailureKind::NotAllowed
    )
}

fn failure(error: ServiceError) -> Failure {
    let status = error
        .status
        .map_or_else(String::new, |status| format!(" (HTTP {status})"));
    let mut failure = Failure::from(ChatError::from(error));
    failure.text.push_str(&status);
    failure
}

fn late(code: &str) -> Failure {
    Failure::new(Exit::GaveUp, code, "no answer came in time")
}
