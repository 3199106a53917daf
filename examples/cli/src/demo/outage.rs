//! `cut`, `polling`, `reconnected`: the WebSocket goes and comes back, the conversation goes on.

use tidings::domain::connection::{ConnectionState, Transport};
use tidings_backend::Network;

use super::stage::Stage;
use crate::failure::Failure;

const TEXT: &str = "Are you still there?";

/// Cause: something on the way cuts WebSockets and lets no new one through.
pub(super) async fn cut(stage: &mut Stage, withheld: bool) -> Result<String, Failure> {
    if !withheld {
        stage.network(Network::NoWebsocket)?;
    }
    stage
        .until(|look| {
            let status = look.seen.connections.last()?;
            let gone = status.state != ConnectionState::Live && look.sockets == 0;
            gone.then(|| {
                let reason = status.reason.as_deref().unwrap_or("no reason given");
                format!(
                    "the connection went from live to {} ({reason}); the server has no socket open",
                    status.state.as_str()
                )
            })
        })
        .await
}

/// Cause: the server answers, and its history can be read. Withheld: it never answers.
pub(super) async fn polling(stage: &mut Stage, withheld: bool) -> Result<String, Failure> {
    if withheld {
        stage.server.falls_silent(false)?;
    }
    let before = stage.server.reads();
    stage.send(TEXT).await?;
    let evidence = stage
        .until(|look| {
            let answer = look.answer_to(TEXT)?;
            let by_polling = look.seen.connections.last()?.transport == Transport::Polling;
            let streamed = look.seen.pieces.contains_key(&answer.id);
            let once = look.copies(TEXT) == 1 && look.agree();
            (by_polling && !streamed && look.sockets == 0 && once).then(|| answer.id.to_string())
        })
        .await?;
    let reads = stage.server.reads() - before;
    if reads == 0 {
        return Err(Failure::internal());
    }
    Ok(format!(
        "the message went by REST; its answer {evidence} came by polling, the server's history \
         having been read {reads} times; no socket was open; each message is there once"
    ))
}

/// Cause: WebSockets come through again.
pub(super) async fn reconnected(stage: &mut Stage, withheld: bool) -> Result<String, Failure> {
    if !withheld {
        stage.network(Network::Up)?;
    }
    stage
        .until(|look| {
            let status = look.seen.connections.last()?;
            let live = status.state == ConnectionState::Live
                && status.transport == Transport::WebSocket
                && look.sockets == 1;
            (live && look.agree()).then(|| {
                format!(
                    "the connection is live again; the server has 1 socket open; store and server \
                     agree on {} messages",
                    look.server.len()
                )
            })
        })
        .await
}
