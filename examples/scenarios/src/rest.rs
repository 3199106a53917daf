//! The least HTTP that a loopback server understands: for its admin endpoint, and for what another
//! device does.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Asks `base` for `path`; with a body it posts. Answers the body of the answer.
pub(crate) async fn ask(
    base: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&str>,
) -> Result<String, String> {
    let host = base.trim_start_matches("http://").trim_end_matches('/');
    let request = request(host, path, token, body);
    let answer = exchange(host, &request)
        .await
        .map_err(|error| format!("{path}: {error}"))?;
    let (head, content) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status.starts_with('2') {
        Ok(content.to_owned())
    } else {
        Err(format!("{path}: {status}"))
    }
}

fn request(host: &str, path: &str, token: Option<&str>, body: Option<&str>) -> String {
    let method = if body.is_some() { "POST" } else { "GET" };
    let content = body.unwrap_or_default();
    let token = token
        .map(|token| format!("authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    // Of the old version, so that the answer comes whole and in no parts.
    format!(
        "{method} {path} HTTP/1.0\r\nhost: {host}\r\n{token}content-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{content}",
        content.len()
    )
}

async fn exchange(host: &str, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
