//! From one client's send to the other's observer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tidings::{ChatClient, domain::ids::ConversationId};
use tokio::time::{Instant, interval, timeout};

use crate::{
    Finding, line,
    node::Node,
    people::{self, Person},
};

/// Messages a second.
const RATE: u64 = 100;

/// Half of the round trip.
const ONE_WAY: Duration = Duration::from_millis(50);

/// How many conversations share them: five messages a second each, where ten would fill the line.
const CONVERSATIONS: usize = 20;

const BOUND: Duration = Duration::from_millis(500);

type Sent = Arc<Mutex<BTreeMap<String, Instant>>>;
type Took = Arc<Mutex<Vec<Duration>>>;

pub(crate) async fn run(seconds: u64) -> Finding {
    let node = Node::start(&[]);
    people::channels(&node, CONVERSATIONS);
    let port = line::before(node.port(), ONE_WAY).await;
    let ann = Person::at(&node, port, "ann", CONVERSATIONS).await;
    let bob = Person::at(&node, port, "bob", CONVERSATIONS).await;
    let (sent, took) = (Sent::default(), Took::default());
    for name in &bob.names {
        watch(&bob.client, name, Arc::clone(&sent), Arc::clone(&took));
    }
    let count = RATE * seconds;
    let mut beat = interval(Duration::from_micros(1_000_000 / RATE));
    for number in 0..count {
        beat.tick().await;
        let text = format!("message {number}");
        sent.lock()
            .expect("sent")
            .insert(text.clone(), Instant::now());
        let at = usize::try_from(number).expect("a number") % CONVERSATIONS;
        ann.open[at].send(text).await.expect("accepted");
    }
    let all = usize::try_from(count).expect("a number");
    let arrived = async {
        while took.lock().expect("took").len() < all {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let whole = timeout(Duration::from_secs(60), arrived).await.is_ok();
    let mut took = took.lock().expect("took").clone();
    took.sort_unstable();
    let at = |share: usize| took[(took.len() * share / 1000).min(took.len() - 1)];
    let told = format!(
        "{} of {count} messages at {RATE}/s, 100 ms round trip: p50 {} ms, p99 {} ms, longest {} ms; \
         bound p99 < {} ms",
        took.len(),
        at(500).as_millis(),
        at(990).as_millis(),
        at(1000).as_millis(),
        BOUND.as_millis()
    );
    let holds = whole && at(990) < BOUND;
    ann.client.shutdown().await;
    bob.client.shutdown().await;
    Finding {
        name: "observed",
        told,
        holds,
    }
}

/// Notes when each message is first seen.
fn watch(client: &ChatClient, name: &ConversationId, sent: Sent, took: Took) {
    let mut timeline = client.observe_timeline(name.clone(), 50);
    tokio::spawn(async move {
        let mut shown = Vec::new();
        while let Ok(changes) = timeline.next().await {
            let now = Instant::now();
            for change in changes {
                change.apply(&mut shown).expect("a change");
            }
            for row in &shown {
                if let Some(then) = sent.lock().expect("sent").remove(&row.text) {
                    took.lock().expect("took").push(now - then);
                }
            }
        }
    });
}
