//! `demo`: the reference backend in process, or a real gateway, and a chat on it.
//!
//! In a terminal it opens the full-screen chat. Without one, or with `--script`, it plays a
//! conversation through everything that goes wrong on a phone, and prints a line for each step
//! that it saw happen, with the evidence. Nothing is taken for granted: what the client says is
//! held against the backend's own record.

mod gateway;
mod offline;
mod outage;
mod relay;
mod server;
mod stage;
mod streaming;
mod survival;

use std::time::Duration;

use self::stage::Stage;
use crate::{
    args::{BackendKind, DemoArgs, Step},
    chat,
    context::Context,
    failure::{Exit, Failure},
    output::records::{Record, StepRecord},
};

/// Each step takes a second or three; a busy machine may need more.
const LIMIT: Duration = Duration::from_secs(30);

/// A withheld cause has no effect however long one waits.
const BROKEN_LIMIT: Duration = Duration::from_secs(8);

/// Opens the chat, or plays the script.
pub(crate) async fn run(context: &Context, args: DemoArgs) -> Result<(), Failure> {
    let known = [BackendKind::Consultations, BackendKind::Socketio];
    if !known.contains(&context.global.backend) {
        let text = "the demo plays on --backend consultations or socketio";
        return Err(Failure::new(Exit::Rejected, "unsupported", text).field("backend"));
    }
    if context.global.backend == BackendKind::Socketio && args.broken == Some(Step::Streamed) {
        let text = "nothing is streamed on this backend, so there is nothing to withhold";
        return Err(Failure::new(Exit::Rejected, "unsupported", text).field("break"));
    }
    let mut stage = Stage::build(context, &args).await?;
    if args.script || args.broken.is_some() || !chat::has_terminal() {
        let played = play(context, &mut stage, args.broken).await;
        stage.clear().await;
        return played;
    }
    let client = stage.start_client().await?;
    let conversation = stage.create_conversation(&client).await?;
    let ended = chat::with_client(context, &client, Some(conversation)).await;
    client.shutdown().await;
    stage.clear().await;
    ended
}

/// Plays all steps. After one that was not seen the rest cannot be, and is said to be so.
async fn play(context: &Context, stage: &mut Stage, broken: Option<Step>) -> Result<(), Failure> {
    let mut missing: Option<Step> = None;
    let begun = tokio::time::timeout(LIMIT, stage.begin()).await;
    begun.map_err(|_| {
        Failure::new(
            Exit::GaveUp,
            "demo.not_seen",
            "the connection was never live",
        )
    })??;
    let streams = stage.server.streams();
    for step in Step::ALL
        .into_iter()
        .filter(|step| streams || *step != Step::Streamed)
    {
        let seen = match missing {
            Some(before) => Err(format!("not reached: {} was not seen", before.as_str())),
            None => perform(stage, step, broken == Some(step)).await,
        };
        if seen.is_err() && missing.is_none() {
            missing = Some(step);
        }
        let ok = seen.is_ok();
        let (Ok(evidence) | Err(evidence)) = seen;
        let record = StepRecord {
            step: step.as_str().to_owned(),
            ok,
            evidence,
        };
        context.out.print_json(&Record::Step(record), None);
    }
    match missing {
        None => Ok(()),
        Some(step) => {
            let text = format!("the step {} was not seen", step.as_str());
            Err(Failure::new(Exit::GaveUp, "demo.not_seen", text))
        }
    }
}

/// One step: its cause, unless withheld, then the evidence of its effect, or why there is none.
async fn perform(stage: &mut Stage, step: Step, withheld: bool) -> Result<String, String> {
    let limit = match withheld {
        true => BROKEN_LIMIT,
        false => LIMIT,
    };
    let work = async {
        match step {
            Step::Streamed => streaming::streamed(stage, withheld).await,
            Step::Cut => outage::cut(stage, withheld).await,
            Step::Polling => outage::polling(stage, withheld).await,
            Step::Reconnected => outage::reconnected(stage, withheld).await,
            Step::QueuedOffline => offline::queued(stage, withheld).await,
            Step::Delivered => offline::delivered(stage, withheld).await,
            Step::Killed => survival::killed(stage, withheld).await,
            Step::Recovered => survival::recovered(stage, withheld).await,
        }
    };
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(evidence)) => Ok(evidence),
        Ok(Err(failure)) => Err(format!("{} ({})", failure.text, failure.code)),
        Err(_) => Err(format!("not seen within {} s", limit.as_secs())),
    }
}
