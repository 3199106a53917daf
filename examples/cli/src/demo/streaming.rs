//! `streamed`: an answer arrives word by word over the WebSocket.

use super::stage::Stage;
use crate::failure::Failure;

const TEXT: &str = "Hello! I slept badly last night.";

/// Cause: the server streams its answer. Withheld: it only stores it.
pub(super) async fn streamed(stage: &mut Stage, withheld: bool) -> Result<String, Failure> {
    if withheld {
        stage.server.falls_silent(true)?;
    }
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
