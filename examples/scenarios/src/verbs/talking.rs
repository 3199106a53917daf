//! Steps that change something.

use tidings::{
    domain::{
        conversation::Context, ids::ClientMessageId, outbox::SendMode, ports::NewConversation,
    },
    usecases::Accepted,
};

use super::{Played, done, said, tell, tell_send};
use crate::{script::Step, stage::Stage};

/// Performs it; `None` where it is no such step.
pub(super) async fn perform(stage: &mut Stage, step: &Step) -> Option<Played> {
    Some(match step.verb() {
        "create" => create(stage, step).await,
        "begin" => begin(stage, step).await,
        "open" => open(stage, step),
        "leave" => {
            stage.open.remove(step.maybe("in").unwrap_or_default());
            Ok(done())
        }
        "send" => send(stage, step).await,
        "retry" | "cancel" | "edit" | "delete" | "cancel_action" => change(stage, step).await,
        "stop" | "read" | "draft" | "archive" | "complete" | "delete_conversation" => {
            whole(stage, step).await
        }
        _ => return None,
    })
}

fn new(stage: &Stage, step: &Step) -> NewConversation {
    let own = stage.backend().context_of(step.maybe("as"));
    let context = step.maybe("context").or(own.as_deref());
    let context = context.and_then(|both| both.split_once('/'));
    NewConversation {
        persona: Some(step.maybe("persona").unwrap_or("nutritionist").to_owned()),
        context: context.map(|(kind, id)| Context {
            kind: kind.to_owned(),
            id: (!id.is_empty()).then(|| id.to_owned()),
        }),
        ..NewConversation::default()
    }
}

async fn create(stage: &mut Stage, step: &Step) -> Played {
    let made = stage.client.create_conversation(new(stage, step)).await;
    if let Ok(made) = &made {
        stage.give(step.text("as")?, made.conversation.id.as_str());
    }
    Ok(tell(made, |made| {
        said(if made.existed { "existed" } else { "created" })
    }))
}

async fn begin(stage: &mut Stage, step: &Step) -> Played {
    let begun = stage.client.begin_conversation(new(stage, step)).await;
    if let Ok(begun) = &begun {
        stage.give(step.text("as")?, begun.id.as_str());
    }
    Ok(tell(begun, |_| said("begun")))
}

fn open(stage: &mut Stage, step: &Step) -> Played {
    let name = step.text("in")?;
    let handle = stage.client.open(stage.conversation(name)?);
    stage.open.insert(name.to_owned(), handle);
    Ok(done())
}

async fn send(stage: &mut Stage, step: &Step) -> Played {
    let (name, conversation) = (step.text("as")?, stage.conversation(step.text("in")?)?);
    let known = ClientMessageId::parse(&stage.id(name));
    let id = known.unwrap_or_else(|| stage.client.mint_message_id());
    stage.give(name, &id.to_string());
    let mode = match step.maybe("mode") {
        Some("direct") => SendMode::Direct,
        _ => SendMode::Durable,
    };
    let times = usize::try_from(step.number("times", 1)).unwrap_or(1);
    let text = step.text("text")?.repeat(times);
    let sent = stage
        .client
        .send_with_id(id, conversation, text, mode)
        .await;
    Ok(match sent {
        Ok(_) => said("accepted"),
        Err(failed) => tell_send(&failed),
    })
}

/// Gives the action its name; says what waits.
fn waiting<T>(stage: &mut Stage, step: &Step, accepted: &Accepted<T>) -> Vec<String> {
    match (&accepted.action, step.maybe("as")) {
        (Some(action), Some(name)) => {
            stage.give(name, &action.to_string());
            said("accepted")
        }
        (Some(_), None) => said("accepted"),
        (None, _) => done(),
    }
}

async fn change(stage: &mut Stage, step: &Step) -> Played {
    let id = stage.message(step.text("of")?)?;
    let client = stage.client.clone();
    let accepted = match step.verb() {
        "retry" => return Ok(tell(client.retry(id).await, |_| said("queued"))),
        "cancel" => return Ok(tell(client.cancel(id).await, |_| said("cancelled"))),
        "cancel_action" => return Ok(tell(client.cancel_action(id).await, |_| said("cancelled"))),
        "edit" => client.edit_message(id, step.text("text")?).await,
        _ => client.delete_message(id).await,
    };
    Ok(match accepted {
        Ok(accepted) => waiting(stage, step, &accepted),
        Err(error) => tell::<()>(Err(error), |()| done()),
    })
}

async fn whole(stage: &mut Stage, step: &Step) -> Played {
    let id = stage.conversation(step.text("in")?)?;
    let client = stage.client.clone();
    Ok(match step.verb() {
        "stop" => tell(client.stop_answer(id).await, |_| done()),
        "read" => tell(client.mark_read(id).await, |_| done()),
        "draft" => {
            let text = step.maybe("text").map(str::to_owned);
            tell(client.save_draft(id, text).await, |_| done())
        }
        "archive" => tell(client.archive(id, step.flag("is", true)).await, |_| done()),
        "complete" => tell(client.complete(id).await, |_| said("accepted")),
        _ => tell(client.delete_conversation(id).await, |()| done()),
    })
}
