//! Connections between requests: kept, found dead, given up. Each test plays the server by hand.

use std::{sync::Arc, time::Duration};

use tidings::{
    adapters::{
        http::{HttpClient, HttpLimits, HttpReply, HttpRequest},
        net::{Connector, TrustRoots, tls},
    },
    domain::{
        retry::{FailureKind as K, Outcome, ServiceError},
        time::WallTime,
    },
    testing::VirtualPlatform,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    join,
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use url::Url;

use super::support::{
    server::{read, spawn},
    within,
};

const LIMITS: HttpLimits = HttpLimits {
    connect: Duration::from_secs(20),
    total: Duration::from_secs(20),
    body: 64,
};

struct Place {
    listener: TcpListener,
    client: Arc<HttpClient>,
    platform: Arc<VirtualPlatform>,
    url: Url,
}

impl Place {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let tls = tls::client_config(&TrustRoots::Webpki).expect("tls");
        let platform = Arc::new(VirtualPlatform::new(1, WallTime::from_millis(0)));
        Self {
            listener,
            client: Arc::new(HttpClient::new(
                Connector::new(tls),
                LIMITS,
                platform.clone(),
            )),
            platform,
            url: format!("http://{address}/v1/things?a=b%20c")
                .parse()
                .expect("address"),
        }
    }

    async fn caller(&self) -> TcpStream {
        within(self.listener.accept()).await.expect("accept").0
    }

    async fn get(&self) -> Result<HttpReply, ServiceError> {
        within(self.client.execute(HttpRequest::get(self.url.clone()))).await
    }

    async fn post(&self) -> Result<HttpReply, ServiceError> {
        let request = HttpRequest::post(self.url.clone(), Some("{}".to_owned()));
        within(self.client.execute(request)).await
    }
}

/// Hears one request and answers it.
async fn answer(stream: &mut TcpStream, text: &str) {
    within(read(stream)).await.expect("a request");
    stream.write_all(text.as_bytes()).await.expect("written");
}

async fn is_hung_up(stream: &mut TcpStream) -> bool {
    matches!(within(stream.read(&mut [0; 64])).await, Ok(0) | Err(_))
}

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn one_connection_carries_request_after_request() {
    let place = Place::new().await;
    let server = async {
        let mut stream = place.caller().await;
        for _ in 0..3 {
            answer(&mut stream, FINE).await;
        }
        stream
    };
    let client = async {
        for _ in 0..3 {
            assert_eq!(place.get().await.expect("a reply").body, "{}");
        }
    };
    join!(server, client);
}

#[tokio::test]
async fn request_names_its_host_and_only_the_rest_of_the_address() {
    let place = Place::new().await;
    let server = async {
        let mut stream = place.caller().await;
        let seen = within(read(&mut stream)).await.expect("a request");
        stream.write_all(FINE.as_bytes()).await.expect("written");
        seen
    };
    let (seen, reply) = join!(server, place.post());
    reply.expect("a reply");
    let address = place.listener.local_addr().expect("address").to_string();
    assert_eq!(seen.target, "/v1/things?a=b%20c");
    assert_eq!(seen.header("host"), Some(address.as_str()));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("content-length"), Some("2"));
    assert!(
        seen.header("user-agent")
            .is_some_and(|a| a.starts_with("tidings/"))
    );
}

#[tokio::test]
async fn connection_that_was_hung_up_while_idle_is_replaced_and_nothing_sent_twice() {
    let place = Place::new().await;
    let (replied, has_reply) = oneshot::channel();
    let (gone, is_gone) = oneshot::channel();
    let server = async {
        let mut first = place.caller().await;
        answer(&mut first, FINE).await;
        within(has_reply).await.expect("idle");
        drop(first);
        gone.send(()).expect("the client waits");
        let mut second = place.caller().await;
        answer(&mut second, FINE).await;
        // Nothing else is asked over it.
        second
    };
    let client = async {
        place.get().await.expect("a reply");
        replied.send(()).expect("the server waits");
        within(is_gone).await.expect("hung up");
        // What came in for the sockets is seen.
        tokio::task::yield_now().await;
        place.post().await.expect("another")
    };
    let (mut second, reply) = join!(server, client);
    assert_eq!(reply.status, 200);
    drop(place.client);
    assert!(is_hung_up(&mut second).await);
}

#[tokio::test]
async fn connection_that_lay_idle_through_a_sleep_is_left() {
    let place = Place::new().await;
    let server = async {
        let mut first = place.caller().await;
        answer(&mut first, FINE).await;
        let mut second = place.caller().await;
        answer(&mut second, FINE).await;
        // Another way back: the clock tells nothing.
        answer(&mut second, FINE).await;
        first
    };
    let client = async {
        place.get().await.expect("a reply");
        place.platform.jump_wall(Duration::from_secs(50), false);
        place.get().await.expect("over another connection");
        place.platform.jump_wall(Duration::from_secs(500), true);
        place.get().await.expect("over the same one");
    };
    let (mut first, ()) = join!(server, client);
    assert!(is_hung_up(&mut first).await);
}

#[tokio::test]
async fn server_that_hangs_up_on_a_request_leaves_it_unknown_and_is_not_asked_again() {
    let place = Place::new().await;
    let server = async {
        let mut stream = place.caller().await;
        answer(&mut stream, FINE).await;
        within(read(&mut stream)).await.expect("the second request");
    };
    let client = async {
        place.get().await.expect("a reply");
        place.post().await.expect_err("hung up on")
    };
    let ((), error) = join!(server, client);
    assert_eq!(
        (error.kind, error.outcome),
        (K::Interrupted, Outcome::Unknown)
    );
}

#[tokio::test]
async fn reply_that_ends_early_or_is_too_large_is_none_and_its_connection_is_left() {
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n{}";
    let declared = "HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n";
    let endless = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n41\r\n{}\r\n",
        "x".repeat(65)
    );
    for (text, kind, closes) in [
        (short, K::Interrupted, true),
        (declared, K::Protocol, false),
        (&endless, K::Protocol, false),
    ] {
        let place = Place::new().await;
        let (left, is_left) = oneshot::channel();
        let server = async {
            let mut first = place.caller().await;
            answer(&mut first, text).await;
            if closes {
                first.shutdown().await.expect("half closed");
            }
            assert!(is_hung_up(&mut first).await, "{text}");
            left.send(()).expect("the client waits");
            answer(&mut place.caller().await, FINE).await;
        };
        let client = async {
            let error = place.post().await.expect_err("no whole reply");
            assert_eq!(
                (error.kind, error.outcome),
                (kind, Outcome::Unknown),
                "{text}"
            );
            within(is_left).await.expect("hung up");
            place.get().await.expect("over another connection");
        };
        join!(server, client);
    }
}

#[tokio::test]
async fn reply_of_the_largest_size_and_one_that_ends_with_its_connection_are_read() {
    let largest = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\n{}",
        "x".repeat(64)
    );
    let until_the_end = "HTTP/1.1 201 Created\r\ndate: today\r\n\r\n{\"a\":1}";
    for (text, body) in [
        (largest.as_str(), "x".repeat(64)),
        (until_the_end, "{\"a\":1}".into()),
    ] {
        let place = Place::new().await;
        let server = async {
            let mut stream = place.caller().await;
            answer(&mut stream, text).await;
            stream.shutdown().await.expect("half closed");
            stream
        };
        let (_stream, reply) = join!(server, place.get());
        assert_eq!(reply.expect("a reply").body, body);
    }
}

#[tokio::test]
async fn request_that_is_given_up_hangs_up() {
    let place = Place::new().await;
    let client = Arc::clone(&place.client);
    let request = HttpRequest::get(place.url.clone());
    let asked = spawn(async move { client.execute(request).await.map(drop) });
    let mut stream = place.caller().await;
    within(read(&mut stream)).await.expect("a request");
    asked.abort();
    assert!(is_hung_up(&mut stream).await);
}

#[tokio::test]
async fn requests_at_the_same_time_have_a_connection_each() {
    let place = Place::new().await;
    let server = async {
        let mut first = place.caller().await;
        let mut second = place.caller().await;
        answer(&mut second, FINE).await;
        answer(&mut first, FINE).await;
        (first, second)
    };
    let (_streams, one, other) = join!(server, place.get(), place.get());
    assert!(one.is_ok() && other.is_ok());
}

#[tokio::test]
async fn interim_reply_is_read_past() {
    let place = Place::new().await;
    let text = format!("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n{FINE}");
    let server = async {
        let mut stream = place.caller().await;
        answer(&mut stream, &text).await;
        stream
    };
    let (_stream, reply) = join!(server, place.get());
    assert_eq!(reply.expect("a reply").status, 200);
}

#[tokio::test]
async fn answer_that_is_no_http_leaves_a_write_unknown() {
    let place = Place::new().await;
    let server = async {
        let mut stream = place.caller().await;
        answer(&mut stream, "SSH-2.0-OpenSSH_9.2\r\n").await;
        stream
    };
    let (_stream, reply) = join!(server, place.post());
    let error = reply.expect_err("no HTTP");
    assert_eq!(
        (error.kind, error.outcome),
        (K::Interrupted, Outcome::Unknown)
    );
}
