//! An OpenAI-compatible endpoint as the coach: streamed chat completions.

use std::{sync::Arc, time::Duration};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{CoachError, Pieces, Prompt};
use crate::{
    config::{OpenAiCoach, Secret},
    error::BackendError,
};

/// Deltas in flight; a slow socket should slow the stream, not fill memory.
const IN_FLIGHT: usize = 64;
/// A model may think for a while before and between deltas.
const SILENCE: Duration = Duration::from_secs(90);
/// A line longer than this is not a delta.
const MAX_LINE: usize = 1 << 20;

const SYSTEM: &str = "You are a friendly wellness coach. Answer in a few short sentences.";

/// The endpoint and how to reach it.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    client: Client,
    url: String,
    model: String,
    key: Option<Secret>,
}

impl Endpoint {
    pub(super) fn new(config: &OpenAiCoach) -> Result<Self, BackendError> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(SILENCE)
            .build()
            .map_err(|error| BackendError::Coach(error.to_string()))?;
        Ok(Self {
            client,
            url: format!("{}/chat/completions", config.url.trim_end_matches('/')),
            model: config.model.clone(),
            key: config.key.clone(),
        })
    }

    pub(super) fn answer(&self, prompt: Prompt) -> Pieces {
        let (sender, receiver) = mpsc::channel(IN_FLIGHT);
        let endpoint = self.clone();
        tokio::spawn(async move {
            if let Err(error) = endpoint.stream(&prompt, &sender).await {
                let _ = sender.send(Err(error)).await;
            }
        });
        receiver
    }

    async fn stream(
        &self,
        prompt: &Prompt,
        sender: &mpsc::Sender<Result<String, CoachError>>,
    ) -> Result<(), CoachError> {
        let body = json!({ "model": self.model, "stream": true, "messages": messages(prompt) });
        let mut request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .body(body.to_string());
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.reveal());
        }
        let mut response = request.send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(CoachError(format!("status {}", response.status().as_u16())));
        }
        let mut lines = Lines::default();
        while let Some(bytes) = response.chunk().await.map_err(failed)? {
            for line in lines.feed(&bytes)? {
                match parse(&line) {
                    Line::Delta(text) => {
                        if sender.send(Ok(text)).await.is_err() {
                            return Ok(()); // nobody wants the rest
                        }
                    }
                    Line::Done => return Ok(()),
                    Line::Other => {}
                }
            }
        }
        Err(CoachError("the stream ended before it was done".to_owned()))
    }
}

fn messages(prompt: &Prompt) -> Vec<Value> {
    let mut messages = vec![json!({ "role": "system", "content": SYSTEM })];
    messages.extend(
        prompt
            .history
            .iter()
            .map(|(role, content)| json!({ "role": role, "content": content })),
    );
    messages.push(json!({ "role": "user", "content": prompt.text }));
    messages
}

/// Errors without the URL: it may carry a key.
fn failed(error: reqwest::Error) -> CoachError {
    CoachError(error.without_url().to_string())
}

enum Line {
    Delta(String),
    Done,
    Other,
}

fn parse(line: &str) -> Line {
    let Some(data) = line.strip_prefix("data:") else {
        return Line::Other;
    };
    if data.trim() == "[DONE]" {
        return Line::Done;
    }
    let Ok(event) = serde_json::from_str::<Value>(data) else {
        return Line::Other;
    };
    match event
        .pointer("/choices/0/delta/content")
        .and_then(Value::as_str)
    {
        Some(text) if !text.is_empty() => Line::Delta(text.to_owned()),
        _ => Line::Other,
    }
}

/// Puts lines together from pieces cut anywhere.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, CoachError> {
        self.rest.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        if self.rest.len() > MAX_LINE {
            return Err(CoachError("a line without end".to_owned()));
        }
        Ok(lines)
    }
}

fn tls() -> Result<rustls::ClientConfig, BackendError> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| BackendError::Coach(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
