//! What the real server says to our frames, and what it hangs up for.

use serde_json::{Value, json};
use tidings::adapters::socketio::{
    engineio::{Batch, Carrier, Frame, Handshake, Packet as Engine, packets},
    packet::{self, Arguments, Body, PacketReader},
};

use crate::{
    node::Node,
    raw::{Raw, connect, dial, endpoint, event, lab, shown},
};

#[tokio::test]
async fn the_handshake_over_a_websocket_offers_no_upgrade() {
    let node = Node::start(&["--ping-interval=30000", "--max-payload=5000"]);
    let raw = Raw::dial(&node.origin()).await;
    assert!(!raw.handshake.upgrades);
    assert_eq!(raw.handshake.max_payload, 5000);
    assert_eq!(raw.handshake.patience().as_secs(), 50);
}

#[tokio::test]
async fn acknowledgements_carry_their_number_and_attachments_their_place() {
    let node = Node::start(&[]);
    let mut raw = Raw::enter(&node.origin()).await;
    raw.say(&event(
        "echo",
        Some(0),
        Arguments::of([json!("a"), json!({ "b": 1 })]),
    ))
    .await;
    assert_eq!(shown(&raw.hear().await), json!([0, ["a", { "b": 1 }]]));

    let values = [
        json!({ "deep": [Arguments::placeholder(1)] }),
        Arguments::placeholder(0),
    ];
    let blobs = vec![vec![0, 30, 255], vec![]];
    let sent = Arguments::of(values)
        .with_attachments(blobs)
        .expect("placed");
    raw.say(&event("echo", Some(7), sent)).await;
    let heard = raw.hear().await;
    let arguments = heard.arguments().expect("an answer");
    assert_eq!(arguments.attachments().len(), 2);
    // The server numbers attachments anew, in the order in which it meets them.
    assert_eq!(arguments.attachments(), [vec![], vec![0, 30, 255]]);
    assert_eq!(shown(&heard)[0], 7);
}

#[tokio::test]
async fn the_server_asks_for_an_answer_of_ours() {
    let node = Node::start(&[]);
    let mut raw = Raw::enter(&node.origin()).await;
    raw.say(&event("ask", None, Arguments::default())).await;
    let question = raw.hear().await;
    let Body::Event { ack: Some(ack), .. } = question.body else {
        panic!("a question: {question:?}");
    };
    let body = Body::Ack {
        ack,
        arguments: Arguments::of([json!("yes"), json!(2)]),
    };
    raw.say(&packet::Packet::new(lab(), body)).await;
    assert_eq!(shown(&raw.hear().await), json!(["answered", ["yes", 2]]));
}

#[tokio::test]
async fn a_gateways_manners_are_what_the_client_is_built_for() {
    let node = Node::start(&[]);
    let mut raw = Raw::enter(&node.origin()).await;
    let said = |name: &str| event(name, Some(1), Arguments::of([json!({ "x": 1 })]));
    raw.say(&said("nest:value")).await;
    assert_eq!(
        shown(&raw.hear().await),
        json!([1, [{ "got": { "x": 1 } }]])
    );
    // An event in place of the answer.
    raw.say(&said("nest:event")).await;
    assert_eq!(shown(&raw.hear().await), json!(["told", [{ "x": 1 }]]));
    // Silence, then a refusal that names what it refuses.
    raw.say(&said("nest:nothing")).await;
    raw.say(&said("no such event")).await;
    raw.say(&said("nest:refusal")).await;
    let cause = json!({ "pattern": "nest:refusal", "data": { "x": 1 } });
    let refusal = json!({ "status": "error", "message": "refused", "cause": cause });
    assert_eq!(shown(&raw.hear().await), json!(["exception", [refusal]]));
    raw.say(&said("nest:object")).await;
    let object = json!({ "status": "error", "message": "as it is", "code": "X" });
    assert_eq!(shown(&raw.hear().await), json!(["exception", [object]]));
    raw.say(&said("nest:crash")).await;
    let crash = shown(&raw.hear().await);
    assert_eq!(crash[1][0]["message"], "Internal server error");
}

#[tokio::test]
async fn a_refused_namespace_leaves_the_connection_open() {
    let node = Node::start(&[]);
    let mut raw = Raw::dial(&node.origin()).await;
    raw.put_text("40/none,").await;
    let refused = json!({ "refused": "Invalid namespace", "data": null });
    assert_eq!(shown(&raw.hear().await), refused);
    raw.say(&connect(Some(json!({ "refuse": "with data" }))))
        .await;
    let refused = json!({ "refused": "refused", "data": { "code": "AUTH_INVALID" } });
    assert_eq!(shown(&raw.hear().await), refused);
    raw.say(&connect(Some(json!({ "refuse": "bare" })))).await;
    assert_eq!(
        shown(&raw.hear().await),
        json!({ "refused": "refused", "data": null })
    );
    raw.say(&connect(None)).await;
    assert_eq!(shown(&raw.hear().await), json!("connected"));
}

#[tokio::test]
async fn who_is_let_in_and_thrown_out_hears_both() {
    let node = Node::start(&[]);
    let mut raw = Raw::dial(&node.origin()).await;
    raw.say(&connect(Some(json!({ "evict": true })))).await;
    assert_eq!(shown(&raw.hear().await), json!("connected"));
    assert_eq!(shown(&raw.hear().await), json!("disconnected"));
    assert_eq!(raw.hung_up().await, 1005);
}

#[tokio::test]
async fn the_server_hangs_up_without_a_code_for_every_broken_packet() {
    let node = Node::start(&[]);
    let eleven = format!("511-/lab,[\"x\"{}]", ",1".repeat(11));
    let fatal = [
        "42[\"not joined\"]",
        "40/lab,",
        "44/lab,{\"message\":\"no\"}",
        "42/lab,[]",
        "42/lab,[\"connect\"]",
        "42/lab,[\"disconnecting\"]",
        "42/lab,{bad",
        "450-/lab,[\"count of zero\"]",
        &format!("4{eleven}"),
        "2",
        "9",
    ];
    for text in fatal {
        let mut raw = Raw::enter(&node.origin()).await;
        raw.put_text(text).await;
        assert_eq!(raw.hung_up().await, 1005, "{text}");
    }
    // After a namespace was left, it counts as one never joined.
    let mut raw = Raw::enter(&node.origin()).await;
    raw.put_text("41/lab,").await;
    raw.put_text("42/lab,[\"echo\"]").await;
    assert_eq!(raw.hung_up().await, 1005);
    // Text in the middle of attachments.
    let mut raw = Raw::enter(&node.origin()).await;
    raw.put_text("451-/lab,[\"x\",{\"_placeholder\":true,\"num\":0}]")
        .await;
    raw.put_text("42/lab,[\"x\"]").await;
    assert_eq!(raw.hung_up().await, 1005);
}

#[tokio::test]
async fn a_frame_above_the_servers_most_is_closed_with_1009() {
    let node = Node::start(&["--max-payload=5000"]);
    let mut raw = Raw::enter(&node.origin()).await;
    let fits = event("echo", Some(1), Arguments::of([json!("a".repeat(4000))]));
    raw.say(&fits).await;
    raw.hear().await;
    let beyond = event("echo", Some(2), Arguments::of([json!("a".repeat(5001))]));
    raw.say(&beyond).await;
    assert_eq!(raw.hung_up().await, 1009);
}

#[tokio::test]
async fn a_silent_client_is_dropped_after_interval_and_timeout() {
    let node = Node::start(&["--ping-interval=200", "--ping-timeout=200"]);
    let mut raw = Raw::enter(&node.origin()).await;
    assert_eq!(raw.next().await, Ok(Engine::Ping(String::new())));
    raw.put_text("3").await;
    assert_eq!(
        raw.next().await,
        Ok(Engine::Ping(String::new())),
        "the timer began anew"
    );
    assert_eq!(raw.hung_up().await, 1005);
}

#[tokio::test]
async fn with_recovery_an_event_without_a_number_ends_with_its_place() {
    let node = Node::start(&["--recovery"]);
    let mut raw = Raw::enter(&node.origin()).await;
    raw.say(&event("bounce", None, Arguments::of([json!({ "a": 1 })])))
        .await;
    let bounced = raw.hear().await;
    let arguments = bounced.arguments().expect("an event");
    assert_eq!(
        (arguments.len(), arguments.text(1).is_some()),
        (2, true),
        "{bounced:?}"
    );
    raw.say(&event("blob", None, Arguments::of([json!(3)])))
        .await;
    let blob = raw.hear().await;
    let arguments = blob.arguments().expect("an event");
    assert_eq!(arguments.attachments(), [vec![7, 7, 7]]);
    assert_eq!((arguments.len(), arguments.text(2).is_some()), (3, true));
    raw.say(&event("ask", None, Arguments::default())).await;
    assert_eq!(
        shown(&raw.hear().await),
        json!(["question", [1]]),
        "it wants an answer"
    );
}

/// One session of bare polls.
struct Polls {
    http: reqwest::Client,
    origin: String,
    sid: Option<String>,
}

impl Polls {
    fn new(node: &Node) -> Self {
        Self {
            http: reqwest::Client::builder()
                .tls_backend_preconfigured(no_tls())
                .no_proxy()
                .build()
                .expect("a client"),
            origin: node.origin(),
            sid: None,
        }
    }

    fn url(&self) -> String {
        let address = endpoint(&self.origin).address(Carrier::Polling, self.sid.as_deref(), 1);
        address.to_string()
    }

    async fn get(&self) -> (u16, String) {
        let reply = self.http.get(self.url()).send().await.expect("a reply");
        (reply.status().as_u16(), reply.text().await.expect("a body"))
    }

    async fn post(&self, body: String) -> (u16, String) {
        let post = self
            .http
            .post(self.url())
            .header("content-type", "text/plain;charset=UTF-8");
        let reply = post.body(body).send().await.expect("a reply");
        (reply.status().as_u16(), reply.text().await.expect("a body"))
    }

    async fn open(&mut self) -> Handshake {
        let (_, body) = self.get().await;
        let Some(Ok(Engine::Open(data))) = packets(&body).next() else {
            panic!("a handshake: {body}");
        };
        let handshake = Handshake::parse(&data).expect("a handshake");
        self.sid = Some(handshake.sid.clone());
        handshake
    }

    async fn say(&self, packet: &packet::Packet) -> (u16, String) {
        let mut batch = Batch::new(1_000_000);
        for frame in packet::write(packet).expect("written") {
            assert_eq!(batch.push(&Engine::Message(frame)), Ok(true));
        }
        self.post(batch.into_body()).await
    }
}

pub(crate) fn no_tls() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider);
    let config = config
        .with_safe_default_protocol_versions()
        .expect("versions");
    config
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

fn code(body: &str) -> Value {
    serde_json::from_str::<Value>(body).expect("json")["code"].clone()
}

#[tokio::test]
async fn polls_carry_packets_and_attachments_both_ways() {
    let node = Node::start(&["--transports=polling,websocket"]);
    let mut polls = Polls::new(&node);
    assert!(polls.open().await.upgrades);
    let ok = (200, "ok".to_owned());
    assert_eq!(polls.say(&connect(None)).await, ok);
    let mut reader = PacketReader::new(Default::default());
    let (_, body) = polls.get().await;
    assert!(
        matches!(packets(&body).next(), Some(Ok(Engine::Message(_)))),
        "{body}"
    );
    let blob = Arguments::of([Arguments::placeholder(0)]).with_attachments(vec![vec![0, 30]]);
    assert_eq!(
        polls
            .say(&event("echo", Some(3), blob.expect("placed")))
            .await,
        ok
    );
    let (_, body) = polls.get().await;
    assert!(body.contains("\u{1e}b"), "{body}");
    let mut heard = Vec::new();
    for packet in packets(&body) {
        let Ok(Engine::Message(frame)) = packet else {
            panic!("a message: {body}");
        };
        heard.extend(reader.read(frame).expect("good"));
    }
    assert_eq!(
        heard[0].arguments().expect("an answer").attachments(),
        [vec![0, 30]]
    );
}

#[tokio::test]
async fn a_body_too_large_is_refused_whole_and_the_session_lives_on() {
    let node = Node::start(&["--max-payload=5000"]);
    let mut polls = Polls::new(&node);
    let most = polls.open().await.max_payload;
    assert_eq!(polls.say(&connect(None)).await.0, 200);
    polls.get().await;
    let body = format!("4{}", "a".repeat(most));
    assert_eq!(polls.post(body).await, (413, String::new()));
    assert_eq!(
        polls
            .say(&event("echo", Some(1), Arguments::default()))
            .await
            .0,
        200
    );
    let mut batch = Batch::new(most);
    let long = Engine::text("a".repeat(most));
    assert!(
        batch.push(&long).is_err(),
        "our batch would never have grown so"
    );
}

#[tokio::test]
async fn errors_of_polls_have_their_codes() {
    let node = Node::start(&[]);
    let mut polls = Polls::new(&node);
    polls.sid = Some("no-such-session".to_owned());
    let (status, body) = polls.get().await;
    assert_eq!((status, code(&body)), (400, json!(1)));
    let bare = format!("{}/socket.io/?EIO=3&transport=polling", polls.origin);
    let reply = polls.http.get(bare).send().await.expect("a reply");
    assert_eq!(code(&reply.text().await.expect("a body")), json!(5));
    let strange = format!("{}/socket.io/?EIO=4&transport=pigeon", polls.origin);
    let reply = polls.http.get(strange).send().await.expect("a reply");
    assert_eq!(code(&reply.text().await.expect("a body")), json!(0));
    let websocket = format!("{}/socket.io/?EIO=4&transport=websocket", polls.origin);
    let reply = polls.http.get(websocket).send().await.expect("a reply");
    assert_eq!(code(&reply.text().await.expect("a body")), json!(3));
}

#[tokio::test]
async fn a_second_poll_beside_the_first_ends_the_session() {
    let node = Node::start(&[]);
    let mut polls = Polls::new(&node);
    polls.open().await;
    polls.say(&connect(None)).await;
    polls.get().await;
    let (one, other) = tokio::join!(polls.get(), polls.get());
    let mut statuses = [one.0, other.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    let closed = if one.0 == 200 { one.1 } else { other.1 };
    assert_eq!(packets(&closed).last(), Some(Ok(Engine::Close)));
    assert_eq!(code(&polls.get().await.1), json!(1));
}

#[tokio::test]
async fn the_upgrade_frees_the_waiting_poll_and_takes_the_session_with_it() {
    use futures_util::{SinkExt, StreamExt};
    use tidings::adapters::socketio::engineio::{Upgrade, UpgradeInput, UpgradeStep};
    use tokio_tungstenite::tungstenite::Message;

    let node = Node::start(&[]);
    let mut polls = Polls::new(&node);
    let handshake = polls.open().await;
    polls.say(&connect(None)).await;
    polls.get().await;
    let url = endpoint(&polls.origin).address(Carrier::WebSocket, Some(&handshake.sid), 0);
    let mut socket = dial(&url).await;
    let mut upgrade = Upgrade::default();
    let UpgradeStep::Probe(probe) = upgrade.handle(&UpgradeInput::Opened) else {
        panic!("a probe");
    };
    let text = |packet: Engine| match packet.into_frame() {
        Frame::Text(text) => Message::text(text),
        Frame::Binary(_) => panic!("text"),
    };
    let waiting = polls.get();
    socket.send(text(probe)).await.expect("sent");
    let answer = async {
        let frame = socket.next().await.expect("a frame").expect("a frame");
        Engine::parse(frame.to_text().expect("text")).expect("packet")
    };
    let (answer, (status, body)) = tokio::join!(answer, waiting);
    assert_eq!((status, body.as_str()), (200, "6"));
    assert_eq!(
        upgrade.handle(&UpgradeInput::Heard(answer)),
        UpgradeStep::Pause
    );
    let UpgradeStep::Move(packet) = upgrade.handle(&UpgradeInput::Quiet) else {
        panic!("the move");
    };
    socket.send(text(packet)).await.expect("sent");
    let asked = packet::write(&event("echo", Some(9), Arguments::default())).expect("written");
    for frame in asked {
        socket
            .send(text(Engine::Message(frame)))
            .await
            .expect("sent");
    }
    let answer = socket.next().await.expect("a frame").expect("a frame");
    assert_eq!(answer.to_text().expect("text"), "43/lab,9[]");
    assert_eq!(code(&polls.get().await.1), json!(3));
}
