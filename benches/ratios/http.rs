//! HTTP with as little as there can be: one connection, the fewest headers.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

/// One connection that is kept.
#[derive(Debug)]
pub(crate) struct Http {
    stream: TcpStream,
}

impl Http {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// Reads a resource.
    pub(crate) fn get(&mut self, path: &str) -> Vec<u8> {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
        self.answer()
    }

    /// Posts a message, and leaves the answer to be read.
    pub(crate) fn post(&mut self, conversation: &str, text: &str) {
        let body = serde_json::json!({ "content": text }).to_string();
        self.send(&format!(
            "POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            messages(conversation),
            body.len()
        ));
    }

    fn send(&mut self, request: &str) {
        self.stream.write_all(request.as_bytes()).unwrap();
    }

    /// The body of the answer; anything but a success ends the benchmark.
    pub(crate) fn answer(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = end_of_head(&bytes) {
                break String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            }
            self.read_some(&mut bytes);
        };
        assert!(head.starts_with("http/1.1 20"), "{head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.unwrap().trim().parse().unwrap();
        while bytes.len() < head.len() + length {
            self.read_some(&mut bytes);
        }
        bytes.split_off(head.len())
    }

    fn read_some(&mut self, bytes: &mut Vec<u8>) {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the server hung up");
        bytes.extend_from_slice(&buffer[..count]);
    }
}

/// Where a conversation's messages are.
pub(crate) fn messages(conversation: &str) -> String {
    format!("/api/v1/consultations/{conversation}/messages")
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(at + 4)
}
