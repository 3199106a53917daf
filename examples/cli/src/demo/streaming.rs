//! `streamed`: an answer arrives word by word over the WebSocket.

use tidings::domain::connection::ConnectionState;
use tidings_backend::{Action, On, Rule};

use super::stage::Stage;
use crate::failure::{Exit, Failure};

const TEXT: &str = "Hello! I slept badly last night.";

/// Cause: the server streams its answer. Withheld: it only stores it.
pub(super) async fn streamed(stage: &mut Stage, withheld: bool) -> Result<String, Failure> {
    if withheld {
        for on in [On::Http, On::WsIn] {
            add_rule(
                stage,
                Rule::new(on, Action::NoAnswer { stored: true }).times(0),
            )?;
        }
    }
    let client = stage.start_client().await?;
    stage.create_conversation(&client).await?;
    stage.enter(client).await?;
    stage
        .until(|look| (look.state() == ConnectionState::Live).then_some(()))
        .await?;
    stage.send(TEXT).await?;
    stage
        .until(|look| {
            let answer = look.answer_to(TEXT)?;
            let pieces = look.seen.pieces.get(&answer.id).copied().unwrap_or(0);
            let whole = look.seen.completed.contains(&answer.id);
            (pieces > 1 && whole && look.agree()).then(|| {
                format!(
                    "the WebSocket was live; the answer came in {pieces} pieces, then was complete; \
                     it is stored as {}; store and server agree on {} messages",
                    answer.id,
                    look.server.len()
                )
            })
        })
        .await
}

/// Adds a fault rule.
pub(super) fn add_rule(stage: &Stage, rule: Rule) -> Result<String, Failure> {
    stage.backend()?.faults().add(rule).map_err(|error| {
        let text = format!("a fault rule was refused: {error}");
        Failure::new(Exit::GaveUp, "demo.backend", text)
    })
}
