//! What is asked of the server while people talk.

use std::time::Duration;

use serde_json::json;
use tidings::domain::message::Message;

use crate::{
    Finding,
    node::Node,
    people::{self, Person},
};

const TURNS: u64 = 20;

/// Half a minute a turn, asking every two seconds.
const POLLS: u64 = TURNS * 30 / 2;

pub(crate) async fn run(idle: Duration) -> Finding {
    let node = Node::start(&[]);
    let channel = people::channels(&node, 1).remove(0);
    let ann = Person::at(&node, node.port(), "ann", 1).await;
    let before = asked(&node);
    for turn in 0..TURNS {
        ann.open[0]
            .send(format!("question {turn}"))
            .await
            .expect("accepted");
        shown(&ann, usize::try_from(2 * turn + 1).expect("a number")).await;
        let answer = json!({ "channelId": channel, "user": "bob", "content": "answer" });
        node.admin("say", &answer);
        shown(&ann, usize::try_from(2 * turn + 2).expect("a number")).await;
    }
    let talking = asked(&node) - before;
    tokio::time::sleep(idle).await;
    let quiet = asked(&node) - before - talking;
    let share = Duration::from_secs(30).as_secs_f64() / idle.as_secs_f64().max(1.0);
    #[expect(clippy::cast_precision_loss, reason = "a few hundred at most")]
    let all = talking as f64 + quiet as f64 * share * TURNS as f64;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred at most")]
    let part = all / POLLS as f64;
    let told = format!(
        "{TURNS} turns: {talking} calls and packets, {quiet} in {} s of silence; {:.1} % of the {} that \
         asking every 2 s takes; bound 10 %",
        idle.as_secs(),
        part * 100.0,
        POLLS
    );
    ann.client.shutdown().await;
    Finding {
        name: "calls",
        told,
        holds: part <= 0.1,
    }
}

/// Calls of REST and packets of sockets so far.
fn asked(node: &Node) -> u64 {
    let told = node.admin("traffic", &json!({}));
    told["calls"].as_u64().expect("a count") + told["packets"].as_u64().expect("a count")
}

/// Waits until so many messages are shown, each on the server.
async fn shown(person: &Person, count: usize) {
    let mut timeline = person.client.observe_timeline(person.names[0].clone(), 200);
    let mut shown: Vec<Message> = Vec::new();
    while shown.len() < count || shown.iter().any(|row| row.server_id.is_none()) {
        for change in timeline.next().await.expect("changes") {
            change.apply(&mut shown).expect("a change");
        }
    }
}
