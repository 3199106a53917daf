//! A client small enough to trust: it shows exactly what came over the wire.

use std::{collections::VecDeque, future::Future, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tidings_backend::{Backend, BackendConfig};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http},
};

/// Generous: a failing test should fail, a slow machine should not.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bounds a wait.
pub(crate) async fn within<F: Future>(wait: F) -> F::Output {
    tokio::time::timeout(PATIENCE, wait)
        .await
        .expect("it happened in time")
}

/// Whether nothing comes for a moment. Only for proofs of silence, which need time to pass.
pub(crate) async fn silent<F: Future>(wait: F) -> bool {
    tokio::time::timeout(Duration::from_millis(250), wait)
        .await
        .is_err()
}

/// A fast backend.
pub(crate) fn start() -> Backend {
    start_with(|_| {})
}

/// A fast backend, set up differently.
pub(crate) fn start_with(change: impl FnOnce(&mut BackendConfig)) -> Backend {
    let mut config = BackendConfig {
        word_delay: Duration::from_millis(1),
        ..BackendConfig::default()
    };
    change(&mut config);
    Backend::start(config).expect("the backend starts")
}

/// Adds a rule from its parts.
pub(crate) fn rule(backend: &Backend, when: Value, action: Value) -> String {
    let json = json!({ "match": when, "action": action });
    backend
        .faults()
        .add_json(&json.to_string())
        .expect("a rule")
        .remove(0)
}

/// A status and a body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("a JSON body")
    }

    pub(crate) fn data(&self) -> Value {
        self.json()["data"].clone()
    }
}

/// An HTTP client for one backend; a new connection for each request.
pub(crate) struct Http {
    client: reqwest::Client,
    origin: String,
    token: Option<String>,
}

impl Http {
    pub(crate) fn new(backend: &Backend) -> Self {
        Self::at(backend.url())
    }

    pub(crate) fn at(origin: String) -> Self {
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self {
            client,
            origin,
            token: None,
        }
    }

    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        let request = self
            .client
            .request(method, format!("{}{path}", self.origin));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn send(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = within(request.send()).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = within(response.text()).await?;
        Ok(Answer {
            status,
            headers,
            text,
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Self::send(self.request("GET", path))
            .await
            .expect("an answer")
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Self::send(self.request("DELETE", path))
            .await
            .expect("an answer")
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.try_post(path, body).await.expect("an answer")
    }

    pub(crate) async fn try_post(&self, path: &str, body: Value) -> Result<Answer, reqwest::Error> {
        Self::send(self.request("POST", path).body(body.to_string())).await
    }

    /// A new consultation's id.
    pub(crate) async fn create(&self) -> String {
        let answer = self
            .post(CONSULTATIONS, json!({ "persona": "nutritionist" }))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        id_of(&answer.data()["consultation"])
    }

    pub(crate) async fn say(&self, id: &str, content: &str) -> Answer {
        self.post(&messages(id), json!({ "content": content }))
            .await
    }

    /// Role and content of all messages.
    pub(crate) async fn history(&self, id: &str) -> Vec<(String, String)> {
        let page = self.get(&messages(id)).await.data();
        let rows = page["messages"].as_array().expect("messages").clone();
        rows.iter()
            .map(|row| (text(&row["role"]), text(&row["content"])))
            .collect()
    }
}

pub(crate) const CONSULTATIONS: &str = "/api/v1/consultations";

pub(crate) fn messages(id: &str) -> String {
    format!("{CONSULTATIONS}/{id}/messages")
}

pub(crate) fn id_of(value: &Value) -> String {
    text(&value["id"])
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// A WebSocket that keeps frames and documents apart.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    documents: VecDeque<Value>,
}

impl Socket {
    /// Dials and waits for `connected`.
    pub(crate) async fn open(backend: &Backend, id: &str) -> Self {
        let mut socket = Self::dial(backend, id, "").await.expect("an upgrade");
        assert_eq!(socket.next().await["type"], "connected");
        socket
    }

    /// Only dials.
    pub(crate) async fn dial(backend: &Backend, id: &str, query: &str) -> Result<Self, Error> {
        Self::dial_with(backend, id, query, |_| {}).await
    }

    pub(crate) async fn dial_with(
        backend: &Backend,
        id: &str,
        query: &str,
        change: impl FnOnce(&mut http::HeaderMap),
    ) -> Result<Self, Error> {
        let url = format!("ws://{}{CONSULTATIONS}/{id}/ws{query}", backend.addr());
        let mut request = url.into_client_request()?;
        change(request.headers_mut());
        let tcp = TcpStream::connect(backend.addr()).await?;
        let (stream, _) = within(client_async(request, tcp)).await?;
        Ok(Self {
            stream,
            documents: VecDeque::new(),
        })
    }

    pub(crate) async fn send(&mut self, document: Value) {
        self.stream
            .send(Message::text(document.to_string()))
            .await
            .expect("sent");
    }

    pub(crate) async fn say(&mut self, content: &str) {
        self.send(json!({ "type": "message", "content": content }))
            .await;
    }

    /// The next frame, as it came.
    pub(crate) async fn frame(&mut self) -> Option<Result<Message, Error>> {
        within(self.stream.next()).await
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        self.stream.send(message).await.expect("sent");
    }

    /// The next text frame, as it came.
    pub(crate) async fn text_frame(&mut self) -> String {
        match self.frame().await {
            Some(Ok(Message::Text(text))) => text.as_str().to_owned(),
            other => panic!("a text frame, not {other:?}"),
        }
    }

    /// The next document.
    pub(crate) async fn next(&mut self) -> Value {
        while self.documents.is_empty() {
            let frame = self.text_frame().await;
            let documents = frame
                .lines()
                .map(|line| serde_json::from_str(line).expect("JSON"));
            self.documents.extend(documents);
        }
        self.documents.pop_front().expect("not empty")
    }

    /// Documents up to and with the next one of a type.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut documents = Vec::new();
        loop {
            let document = self.next().await;
            let found = document["type"] == kind;
            documents.push(document);
            if found {
                return documents;
            }
        }
    }

    /// How the socket ends: the close code, or `None` when it just breaks.
    pub(crate) async fn end(&mut self) -> Option<u16> {
        loop {
            match self.frame().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Bytes under the frames; only when no frame is half read.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        within(self.stream.get_mut().read_exact(&mut bytes))
            .await
            .expect("bytes");
        bytes
    }

    /// Nothing comes for a moment.
    pub(crate) async fn is_silent(&mut self) -> bool {
        self.documents.is_empty() && silent(self.stream.next()).await
    }
}

/// The text a list of documents streams.
pub(crate) fn streamed(documents: &[Value]) -> String {
    let chunks = documents
        .iter()
        .filter(|document| document["type"] == "stream_chunk");
    chunks.map(|chunk| text(&chunk["content"])).collect()
}

/// The types of a list of documents, repeats of chunks left out.
pub(crate) fn kinds(documents: &[Value]) -> Vec<String> {
    let mut kinds: Vec<_> = documents
        .iter()
        .map(|document| text(&document["type"]))
        .collect();
    kinds.dedup();
    kinds
}
