//! An OpenAI-compatible endpoint as the coach, played by a small server.

use serde_json::{Value, json};
use tidings_backend::{Backend, CoachConfig, OpenAiCoach, Secret};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

use crate::support::{Http, Socket, start_with, streamed};

/// Answers one request with `answer`, and hands out what it was asked.
async fn fake(answer: &'static str) -> (String, JoinHandle<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1/", listener.local_addr().expect("an address"));
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = Vec::new();
        let (head, body) = loop {
            let mut piece = [0; 4096];
            let n = stream.read(&mut piece).await.expect("bytes");
            request.extend_from_slice(&piece[..n]);
            if let Some(found) = split(&request) {
                break found;
            }
        };
        // Cut inside a line and inside a character, as networks do.
        for piece in answer.as_bytes().chunks(7) {
            stream.write_all(piece).await.expect("sent");
            stream.flush().await.expect("sent");
            tokio::task::yield_now().await;
        }
        (head, body)
    });
    (url, asked)
}

fn split(request: &[u8]) -> Option<(String, Value)> {
    let text = String::from_utf8_lossy(request).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    serde_json::from_str(body)
        .ok()
        .map(|body| (head.to_owned(), body))
}

fn with_endpoint(url: String) -> Backend {
    start_with(|config| {
        let key = Some(Secret::new("sesame"));
        config.coach = CoachConfig::OpenAi(OpenAiCoach {
            url,
            model: "m-1".to_owned(),
            key,
        });
    })
}

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n\
    data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n\
    : keep-alive\n\n\
    data: {\"choices\":[{\"delta\":{\"content\":\"Grüezi \"}}]}\n\n\
    data: {\"choices\":[{\"delta\":{\"content\":\"there.\"}}]}\n\n\
    data: [DONE]\n\n";

#[tokio::test]
async fn its_deltas_are_streamed_and_stored() {
    let (url, asked) = fake(STREAM).await;
    let backend = with_endpoint(url);
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    socket.say("hello").await;
    let turn = socket.until("stream_complete").await;
    assert_eq!(streamed(&turn), "Grüezi there.");
    assert_eq!(backend.messages(&id)[1].content, "Grüezi there.");
    let (head, body) = asked.await.expect("a request");
    assert!(head.starts_with("POST /v1/chat/completions"));
    assert!(head.to_lowercase().contains("authorization: bearer sesame"));
    assert_eq!(
        (&body["model"], &body["stream"]),
        (&json!("m-1"), &json!(true))
    );
    let last = body["messages"]
        .as_array()
        .expect("messages")
        .last()
        .cloned();
    assert_eq!(last, Some(json!({ "role": "user", "content": "hello" })));
}

#[tokio::test]
async fn its_failure_is_an_error_frame() {
    let failures = [
        "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\ndata: {\"choices\":[]}\n\n",
    ];
    for failure in failures {
        let (url, _asked) = fake(failure).await;
        let backend = with_endpoint(url);
        let id = Http::new(&backend).create().await;
        let mut socket = Socket::open(&backend, &id).await;
        socket.say("hello").await;
        let error = socket.until("error").await.pop().expect("an error");
        assert_eq!(error["code"], "AI_SERVICE_UNAVAILABLE");
        assert_eq!(backend.messages(&id).len(), 1);
    }
}
