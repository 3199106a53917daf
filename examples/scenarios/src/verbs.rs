//! What a step does.

mod talking;
mod telling;

use tidings::{ChatError, NetworkChange, SendMessageError};

use crate::{facts::quoted, script::Step, stage::Stage};

/// What a step leaves in the trace, or why the player is at its wits' end.
pub(crate) type Played = Result<Vec<String>, String>;

/// Performs one step. A failed call of the SDK is a fact like others and goes into the trace.
pub(crate) async fn perform(stage: &mut Stage, step: &Step) -> Played {
    match step.verb() {
        "admin" => {
            let body = step.json("body");
            stage.ask_admin(step.text("path")?, body.as_deref()).await?;
            Ok(done())
        }
        "other_device" => other_device(stage, step).await,
        "kill" => {
            println!("{}: gone", step.label(stage.next - 1));
            stage.kill().await?;
            Ok(done())
        }
        "reopen" => stage.reopen().await.map(|()| done()),
        "shutdown" => {
            stage.leave().await;
            Ok(done())
        }
        "background" => {
            let deadline = std::time::Duration::from_millis(step.number("ms", 0));
            Ok(tell(stage.client.background(deadline).await, |()| done()))
        }
        "foreground" => {
            stage.client.foreground();
            Ok(done())
        }
        "network_changed" => {
            stage.client.network_changed(match step.text("is")? {
                "up" => NetworkChange::Up,
                "down" => NetworkChange::Down,
                _ => NetworkChange::Changed,
            });
            Ok(done())
        }
        _ => match talking::perform(stage, step).await {
            Some(played) => played,
            None => telling::perform(stage, step).await,
        },
    }
}

async fn other_device(stage: &Stage, step: &Step) -> Played {
    let body = step.json("body").unwrap_or_default();
    for _ in 0..step.number("times", 1) {
        stage.ask_as_other(step.text("path")?, &body).await?;
    }
    Ok(done())
}

fn done() -> Vec<String> {
    vec!["done".to_owned()]
}

fn said(word: impl Into<String>) -> Vec<String> {
    vec![word.into()]
}

/// The lines of a result.
fn tell<T>(result: Result<T, ChatError>, lines: impl FnOnce(T) -> Vec<String>) -> Vec<String> {
    match result {
        Ok(value) => lines(value),
        Err(error) => said(format!("error {}", error.code())),
    }
}

fn tell_send(failed: &SendMessageError) -> Vec<String> {
    let draft = failed.draft.as_deref().map(quoted);
    let draft = draft
        .map(|text| format!(" draft {text}"))
        .unwrap_or_default();
    said(format!("error {}{draft}", failed.error.code()))
}
