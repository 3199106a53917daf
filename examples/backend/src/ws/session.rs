//! One socket, from `connected` to its end.

use std::{sync::Arc, time::Duration};

use axum::extract::ws::{Message as Frame, WebSocket};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::{UpgradePlan, frames, inbound::Inbound, outbound::Outbound};
use crate::{app::Shared, config::Dialect, journal::FrameDirection, network::Wire, store::Message};

/// After our close frame the client has this long to answer it.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// Who came in.
pub(super) struct Guest {
    pub(super) app: Shared,
    pub(super) wire: Arc<Wire>,
    pub(super) conversation: String,
    pub(super) user: String,
    pub(super) resume: Option<u64>,
    pub(super) plan: UpgradePlan,
}

/// Runs a session to its end.
pub(super) async fn run(guest: Guest, socket: WebSocket) {
    let Guest {
        app,
        wire,
        conversation,
        user,
        resume,
        plan,
    } = guest;
    // Joined before anything is read from the store: what happens meanwhile waits in the queue,
    // so there is no gap between replay and live.
    let (id, queue) = app.hub.join(&conversation, &user, &wire);
    let (sink, stream) = socket.split();
    let mut out = Outbound::new(
        Arc::clone(&app),
        sink,
        Arc::clone(&wire),
        conversation.clone(),
        id,
    );

    let greeting = async {
        if let Some((code, reason)) = plan.close {
            return out.close(code, reason).await;
        }
        if !plan.no_connected {
            out.deliver(vec![frames::connected(&conversation)]).await?;
        }
        replay(&app, &mut out, &conversation, resume).await
    };
    let greeted = greeting.await;

    let inbound = Inbound::new(
        Arc::clone(&app),
        Arc::clone(&wire),
        conversation.clone(),
        user,
        id,
    );
    let mut reading = Box::pin(read(inbound, stream));
    let writing = async {
        if greeted.is_ok() {
            out.run(queue).await;
        }
    };
    tokio::select! {
        () = &mut reading => {}
        () = writing => {
            // We closed: let the client's answer come, so that it sees an orderly end.
            let _ = timeout(CLOSE_GRACE, reading).await;
        }
    }
    app.hub.leave(&conversation, id);
    wire.finish();
}

async fn replay(
    app: &Shared,
    out: &mut Outbound,
    conversation: &str,
    resume: Option<u64>,
) -> Result<(), super::outbound::Ended> {
    let Some(after) = resume else { return Ok(()) };
    let wanted = conversation.to_owned();
    let rows = app
        .store
        .run(move |db| Message::after(db, &wanted, after, None))
        .await;
    for row in rows.unwrap_or_default() {
        out.deliver(vec![frames::message(&app.config, &row)])
            .await?;
    }
    Ok(())
}

/// Reads until the client leaves or says nothing for too long.
async fn read(mut inbound: Inbound, mut stream: futures_util::stream::SplitStream<WebSocket>) {
    let idle = inbound.app.config.read_idle;
    while let Ok(Some(Ok(frame))) = timeout(idle, stream.next()).await {
        let kind = match &frame {
            Frame::Text(text) => {
                inbound.text(text.as_str()).await;
                continue;
            }
            Frame::Binary(bytes) => {
                // The clients that send binary frames mean text by it.
                inbound.text(&String::from_utf8_lossy(bytes)).await;
                continue;
            }
            Frame::Ping(_) => "ping_frame",
            Frame::Pong(_) => "pong_frame",
            Frame::Close(_) => "close_frame",
        };
        inbound.note(kind, 0);
    }
}

/// Whether messages may be sent over the socket.
pub(super) fn takes_messages(dialect: Dialect) -> bool {
    dialect == Dialect::Production
}

/// A frame's direction in the records.
pub(super) const IN: FrameDirection = FrameDirection::In;
