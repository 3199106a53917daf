//! `queued_offline`, `delivered`: no network at all, then there is one.

use tidings::domain::{connection::ConnectionState, delivery::DeliveryState};
use tidings_backend::Network;

use super::stage::Stage;
use crate::failure::Failure;

const TEXT: &str = "I am in a tunnel, keep this for later.";

/// Cause: nothing gets through.
pub(super) async fn queued(stage: &mut Stage, withheld: bool) -> Result<String, Failure> {
    if !withheld {
        stage.network(Network::Refuse)?;
        stage
            .until(|look| (look.state() != ConnectionState::Live).then_some(()))
            .await?;
    }
    let id = stage.send(TEXT).await?;
    stage
        .until(|look| {
            let last = look.seen.delivery(id)?;
            let reason = last.reason.as_ref()?;
            let waits = last.state == DeliveryState::Queued && last.attempt > 0;
            (waits && look.copies(TEXT) == 0).then(|| {
                format!(
                    "{id} was accepted on this device; attempt {} said {}; it is queued, not \
                     failed; the server does not have it",
                    last.attempt, reason.code
                )
            })
        })
        .await
}

/// Cause: the network is back.
pub(super) async fn delivered(stage: &mut Stage, withheld: bool) -> Result<String, Failure> {
    if !withheld {
        stage.network(Network::Up)?;
    }
    stage
        .until(|look| {
            let sent = look.rows.iter().find(|row| row.own && row.text == TEXT)?;
            let arrived = look.seen.delivery(sent.id)?.state.is_on_server();
            look.answer_to(TEXT)?;
            (arrived && look.copies(TEXT) == 1 && look.agree()).then(|| {
                format!(
                    "{} was sent by itself, and answered; the server has it once; store and \
                     server agree on {} messages",
                    sent.id,
                    look.server.len()
                )
            })
        })
        .await
}
