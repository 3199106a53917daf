//! Steps that wait for something, or look at something.

use std::sync::atomic::Ordering;

use serde_json::Value;
use tidings::{
    domain::{conversation::Conversation, ids::ConversationId},
    usecases::{search_messages::SearchMessages, wait_for_delivery::Delivery},
};

use super::{Played, done, said, tell};
use crate::{facts, script::Step, stage::Stage, watching};

/// Performs it.
pub(super) async fn perform(stage: &mut Stage, step: &Step) -> Played {
    match step.verb() {
        "delivered" => delivered(stage, step).await,
        "state" => state(stage, step).await,
        "answered" => answered(stage, step).await,
        "connection" => connection(stage, step).await,
        "event" => {
            stage.seen.await_next(step.text("is")?).await;
            Ok(said(step.text("is")?))
        }
        "outbox" => outbox(stage, step).await,
        "refreshes" => Ok(said(stage.refreshes.load(Ordering::SeqCst).to_string())),
        "refresh" => Ok(tell(stage.client.refresh_conversations().await, |read| {
            said(format!("{} listed", read.listed))
        })),
        "catch_up" | "synchronise" | "load_older" => synchronise(stage, step).await,
        "conversation" => conversation(stage, step).await,
        "history" => history(stage, step).await,
        "search" => search(stage, step).await,
        "server" => server(stage, step).await,
        other => Err(format!("there is no verb {other}")),
    }
}

async fn delivered(stage: &mut Stage, step: &Step) -> Played {
    let id = stage.message(step.text("of")?)?;
    Ok(tell(stage.client.wait_for_delivery(id).await, |fate| {
        said(match fate {
            Delivery::OnServer(_) => "on the server".to_owned(),
            Delivery::Failed(reason) => format!("failed {}", reason.code),
            Delivery::Unknown(reason) => format!("unknown {}", reason.code),
            Delivery::Cancelled => "cancelled".to_owned(),
        })
    }))
}

async fn state(stage: &mut Stage, step: &Step) -> Played {
    let (id, wanted) = (stage.message(step.text("of")?)?, step.text("is")?);
    let row = watching::message(&stage.client, id, |row| row.state.as_str() == wanted).await?;
    Ok(said(row.state.as_str()))
}

async fn answered(stage: &mut Stage, step: &Step) -> Played {
    if !stage.backend().answers() {
        return Ok(said("nobody answers here"));
    }
    let id = stage.conversation(step.text("in")?)?;
    let times = step.number("times", 1);
    watching::answers(&stage.client, &id, usize::try_from(times).unwrap_or(1)).await?;
    Ok(said(times.to_string()))
}

async fn connection(stage: &mut Stage, step: &Step) -> Played {
    let (name, wanted) = (step.text("in")?, step.text("is")?);
    let handle = stage
        .open
        .get(name)
        .ok_or_else(|| format!("{name} is not open"))?;
    let mut events = stage.client.events();
    loop {
        let status = handle
            .connection()
            .await
            .map_err(|error| error.to_string())?;
        let told = facts::connection(&status);
        if told.split(' ').next() == Some(wanted) {
            return Ok(said(told));
        }
        events.next().await.ok_or("the client ended")?;
    }
}

async fn outbox(stage: &mut Stage, step: &Step) -> Played {
    let count = usize::try_from(step.number("is", 0)).unwrap_or(0);
    let list = watching::outbox(&stage.client, count).await?;
    let lines = list.iter().map(|entry| {
        let text = entry.text();
        let text = (!text.is_empty()).then(|| format!(" {}", facts::quoted(text)));
        format!("{}{}", entry.kind().as_str(), text.unwrap_or_default())
    });
    Ok([count.to_string()].into_iter().chain(lines).collect())
}

async fn synchronise(stage: &mut Stage, step: &Step) -> Played {
    let (client, id) = (stage.client.clone(), stage.conversation(step.text("in")?)?);
    Ok(match step.verb() {
        "catch_up" => tell(client.catch_up(id).await, |_| done()),
        "synchronise" => tell(client.synchronise(id).await, |_| done()),
        _ => tell(client.load_older(id).await, |more| {
            said(if more { "more" } else { "all" })
        }),
    })
}

async fn conversation(stage: &mut Stage, step: &Step) -> Played {
    let name = step.text("in")?;
    let row = stage.client.conversation(&stage.conversation(name)?).await;
    if let Ok(Some(row)) = &row {
        // One that was begun on this device goes by the server's name once it has one.
        stage.give(name, row.id.as_str());
    }
    Ok(tell(row, |row| {
        said(row.map_or_else(|| "none".to_owned(), |row| facts_of(&row)))
    }))
}

fn facts_of(row: &Conversation) -> String {
    let mut words = vec![format!("unread {}", row.unread)];
    words.extend(row.is_archived().then(|| "archived".to_owned()));
    words.extend((!row.is_writable()).then(|| "closed".to_owned()));
    words.extend(
        row.draft
            .as_deref()
            .map(|text| format!("draft {}", facts::quoted(text))),
    );
    words.join(" ")
}

async fn history(stage: &mut Stage, step: &Step) -> Played {
    let id = stage.conversation(step.text("in")?)?;
    let rows = stage
        .client
        .history(id, None, 200, step.flag("deleted", false))
        .await;
    let with_text = step.flag("text", true);
    Ok(match rows {
        Ok(view) => {
            let mut lines = vec![view.messages.len().to_string()];
            for (_, row) in &view.messages {
                let name = stage.name(&row.id.to_string());
                lines.push(format!("{name} {}", facts::row(row, with_text)));
            }
            lines
        }
        Err(error) => tell::<()>(Err(error), |()| done()),
    })
}

async fn search(stage: &mut Stage, step: &Step) -> Played {
    let mut search = SearchMessages::new(step.text("query")?);
    search.conversation = step
        .maybe("in")
        .map(|name| stage.conversation(name))
        .transpose()?;
    search.limit = usize::try_from(step.number("limit", 50)).unwrap_or(50);
    Ok(tell(stage.client.search(search).await, |page| {
        let more = if page.next.is_some() { " and more" } else { "" };
        let mut lines = vec![format!("{}{more}", page.hits.len())];
        for hit in &page.hits {
            let marks = hit.snippet.marks.iter();
            let found = marks.filter_map(|mark| hit.snippet.text.get(mark.clone()));
            let found: Vec<String> = found.map(facts::quoted).collect();
            lines.push(format!(
                "{} {}",
                facts::quoted(&hit.snippet.text),
                found.join(" ")
            ));
        }
        lines
    }))
}

async fn server(stage: &mut Stage, step: &Step) -> Played {
    let id: ConversationId = stage.conversation(step.text("in")?)?;
    let told = stage
        .ask_admin(&format!("/admin/messages/{id}"), None)
        .await?;
    let told: Value = serde_json::from_str(&told).map_err(|error| error.to_string())?;
    let rows = told["messages"].as_array().into_iter().flatten();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let own: Vec<String> = rows
        .filter(|row| row["deleted"] != Value::Bool(true) && row["role"] == "user")
        .map(|row| facts::quoted(&text(row, "content")))
        .collect();
    Ok([own.len().to_string()].into_iter().chain(own).collect())
}
