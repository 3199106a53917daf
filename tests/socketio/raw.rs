//! A client of bare frames, over our codecs and nothing else.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tidings::adapters::socketio::{
    WireLimits,
    engineio::{Carrier, Endpoint, Frame, Handshake, Packet as Engine},
    packet::{self, AckId, Arguments, Body, Namespace, Packet, PacketReader},
};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use url::Url;

/// Far beyond what any answer takes.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn endpoint(origin: &str) -> Endpoint {
    let origin = Url::parse(origin).expect("origin");
    Endpoint::new(&origin, "/socket.io/", Vec::new())
}

pub(crate) fn lab() -> Namespace {
    Namespace::parse("/lab").expect("namespace")
}

pub(crate) fn event(name: &str, ack: Option<u64>, arguments: Arguments) -> Packet {
    let body = Body::Event {
        ack: ack.map(AckId),
        name: name.to_owned(),
        arguments,
    };
    Packet::new(lab(), body)
}

pub(crate) fn connect(auth: Option<Value>) -> Packet {
    let raw = auth.map(|auth| serde_json::value::to_raw_value(&auth).expect("json"));
    Packet::new(lab(), Body::Connect(raw))
}

/// Name and arguments of an event, number and arguments of an answer, or what else it is.
pub(crate) fn shown(packet: &Packet) -> Value {
    let of = |arguments: &Arguments| -> Value {
        let read = |at| serde_json::from_str::<Value>(arguments.json(at)?).ok();
        (0..arguments.len()).filter_map(read).collect()
    };
    match &packet.body {
        Body::Connect(_) => json!("connected"),
        Body::Disconnect => json!("disconnected"),
        Body::Event {
            name, arguments, ..
        } => json!([name, of(arguments)]),
        Body::Ack { ack, arguments } => json!([ack.0, of(arguments)]),
        Body::ConnectError(refusal) => json!({ "refused": refusal.message, "data": refusal.data }),
    }
}

/// A socket without anything on it.
pub(crate) async fn dial(url: &Url) -> WebSocketStream<TcpStream> {
    let port = url.port().expect("a port");
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("a connection");
    let (socket, _) = client_async(url.as_str(), stream).await.expect("a socket");
    socket
}

/// One WebSocket, and what it says.
pub(crate) struct Raw {
    socket: WebSocketStream<TcpStream>,
    reader: PacketReader,
    pub(crate) handshake: Handshake,
}

impl Raw {
    pub(crate) async fn dial(origin: &str) -> Self {
        let url = endpoint(origin).address(Carrier::WebSocket, None, 0);
        let mut socket = dial(&url).await;
        let first = socket.next().await.expect("a frame").expect("a frame");
        let first = Engine::parse(first.to_text().expect("text")).expect("a packet");
        let Engine::Open(data) = first else {
            panic!("the first packet opens: {first:?}");
        };
        Self {
            socket,
            reader: PacketReader::new(WireLimits::default()),
            handshake: Handshake::parse(&data).expect("a handshake"),
        }
    }

    /// Dials and enters the laboratory.
    pub(crate) async fn enter(origin: &str) -> Self {
        let mut raw = Self::dial(origin).await;
        raw.say(&connect(None)).await;
        let welcome = raw.hear().await;
        assert!(
            matches!(welcome.body, Body::Connect(Some(_))),
            "{welcome:?}"
        );
        raw
    }

    pub(crate) async fn say(&mut self, packet: &Packet) {
        for frame in packet::write(packet).expect("written") {
            self.put(Engine::Message(frame).into_frame()).await;
        }
    }

    /// Says what our writer would not.
    pub(crate) async fn put_text(&mut self, text: &str) {
        self.put(Frame::Text(text.to_owned())).await;
    }

    async fn put(&mut self, frame: Frame) {
        let message = match frame {
            Frame::Text(text) => Message::text(text),
            Frame::Binary(bytes) => Message::binary(bytes),
        };
        self.socket.send(message).await.expect("sent");
    }

    /// The next packet; the server's questions for a sign of life are answered.
    pub(crate) async fn hear(&mut self) -> Packet {
        loop {
            let packet = match self.next().await {
                Ok(Engine::Ping(_)) => {
                    self.put_text("3").await;
                    continue;
                }
                Ok(Engine::Message(frame)) => self.reader.read(frame).expect("good"),
                other => panic!("a message was due: {other:?}"),
            };
            if let Some(packet) = packet {
                return packet;
            }
        }
    }

    /// The next packet of the transport, or the code with which the server hung up; 1005 for none.
    pub(crate) async fn next(&mut self) -> Result<Engine, u16> {
        let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
        let frame = match next.expect("in time") {
            Some(Ok(Message::Text(text))) => Frame::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(bytes))) => Frame::Binary(bytes.to_vec()),
            Some(Ok(Message::Close(frame))) => {
                return Err(frame.map_or(1005, |frame| frame.code.into()));
            }
            Some(Ok(_)) | Some(Err(_)) | None => return Err(1006),
        };
        Ok(Engine::from_frame(frame).expect("a packet"))
    }

    /// Waits for the server to hang up.
    pub(crate) async fn hung_up(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }
}
