//! A session by requests: one that waits for news, at most one that brings ours, and a WebSocket
//! that takes over where the server offers one.

use std::{collections::VecDeque, sync::Arc};

use futures_util::future::{BoxFuture, Either, FutureExt, select};
use http::header::HeaderMap;
use serde::Deserialize;

use super::{
    Came, Opened, Reader, Writer,
    jar::Jar,
    never,
    socket::{self, SocketReader, SocketWriter},
    strange, too_large,
};
use crate::{
    adapters::{
        http::{HttpReply, HttpRequest},
        socketio::{
            WireError,
            config::Reach,
            engineio::{
                Batch, Carrier, Handshake, Packet, Upgrade, UpgradeInput, UpgradeStep, packets,
            },
        },
    },
    domain::{
        event::CloseReason,
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

/// What bodies are, as this protocol's clients call them.
const TEXT: &str = "text/plain;charset=UTF-8";

type Poll = BoxFuture<'static, Result<HttpReply, ServiceError>>;
type Halves = (SocketReader, SocketWriter);

/// Where requests of one session go.
#[derive(Clone)]
struct Session {
    reach: Reach,
    headers: HeaderMap,
    jar: Arc<Jar>,
    handshake: Handshake,
}

/// The reading half.
pub(crate) struct PollReader {
    session: Session,
    waiting: VecDeque<Packet>,
    poll: Option<Poll>,
    moving: Moving,
    nonce: u64,
}

/// How far the move to a WebSocket is.
enum Moving {
    Never,
    Probing(BoxFuture<'static, Option<Halves>>),
    Ready(Box<Halves>),
}

/// The writing half.
pub(crate) struct PollWriter {
    session: Session,
    nonce: u64,
    suspect: bool,
}

pub(super) async fn open(reach: &Reach, headers: &HeaderMap) -> Result<Opened, ServiceError> {
    let url = reach.endpoint.address(Carrier::Polling, None, 0);
    let mut request = HttpRequest::get(url).within(reach.open_within);
    request.headers = headers.clone();
    let reply = reach.polls.execute(request).await?;
    if reply.status != 200 {
        return Err(refused(&reply));
    }
    let mut came: VecDeque<Packet> = parse(&reply).map_err(|_| strange())?;
    let Some(Packet::Open(data)) = came.pop_front() else {
        return Err(strange());
    };
    let handshake = Handshake::parse(&data).map_err(|_| strange())?;
    let jar = Arc::new(Jar::default());
    jar.take(&reply);
    let session = Session {
        reach: reach.clone(),
        headers: headers.clone(),
        jar,
        handshake: handshake.clone(),
    };
    let moving = match handshake.upgrades && reach.carriers.websocket {
        true => Moving::Probing(probe(session.clone()).boxed()),
        false => Moving::Never,
    };
    Ok(Opened {
        reader: Reader::Polls(PollReader {
            session: session.clone(),
            waiting: came,
            poll: None,
            moving,
            nonce: 1,
        }),
        writer: Writer::Polls(PollWriter {
            session,
            nonce: 1,
            suspect: false,
        }),
        handshake,
    })
}

impl Session {
    fn request(&self, body: Option<String>, nonce: u64) -> HttpRequest {
        let sid = Some(self.handshake.sid.as_str());
        let url = self.reach.endpoint.address(Carrier::Polling, sid, nonce);
        let mut request = match body {
            Some(body) => HttpRequest::post(url, Some(body)).content_type(TEXT),
            None => HttpRequest::get(url),
        };
        request.headers = self.headers();
        request
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        self.jar.put(&mut headers);
        headers
    }

    /// The request that waits: the server answers it within its interval, or is gone.
    fn poll(&self, nonce: u64) -> Poll {
        let request = self.request(None, nonce).within(self.handshake.patience());
        let http = self.reach.polls.clone();
        async move { http.execute(request).await }.boxed()
    }
}

impl PollReader {
    pub(crate) async fn next(&mut self) -> Result<Came, CloseReason> {
        loop {
            if let Some(packet) = self.waiting.pop_front() {
                return Ok(Came::Packet(packet));
            }
            if self.poll.is_none()
                && let Moving::Ready(halves) = std::mem::replace(&mut self.moving, Moving::Never)
            {
                return Ok(Came::Moves(halves));
            }
            self.advance().await?;
        }
    }

    /// Waits for the poll, and for the new socket beside it.
    async fn advance(&mut self) -> Result<(), CloseReason> {
        let poll = match &mut self.poll {
            Some(poll) => poll,
            None => {
                self.nonce += 1;
                self.poll.insert(self.session.poll(self.nonce))
            }
        };
        let reply = match &mut self.moving {
            Moving::Probing(probe) => match select(poll, probe).await {
                Either::Left((reply, _)) => reply,
                Either::Right((halves, _)) => {
                    self.moving = halves.map_or(Moving::Never, |h| Moving::Ready(Box::new(h)));
                    return Ok(());
                }
            },
            Moving::Never | Moving::Ready(_) => poll.await,
        };
        self.poll = None;
        let reply = reply.map_err(|_| CloseReason::Broken)?;
        self.session.jar.take(&reply);
        if reply.status != 200 {
            return Err(CloseReason::Broken);
        }
        self.waiting = parse(&reply).map_err(|_| CloseReason::Violation)?;
        Ok(())
    }
}

/// Asks the server over a new socket; `None` where the session stays on polling.
async fn probe(session: Session) -> Option<Halves> {
    let within = session.reach.open_within;
    tokio::time::timeout(within, probed(session)).await.ok()?
}

async fn probed(session: Session) -> Option<Halves> {
    let sid = Some(session.handshake.sid.as_str());
    let url = session.reach.endpoint.address(Carrier::WebSocket, sid, 0);
    let stream = session
        .reach
        .dialer
        .dial(&url, session.headers())
        .await
        .ok()?;
    let (mut reader, mut writer) = socket::halves(stream, session.handshake.max_payload);
    let mut upgrade = Upgrade::default();
    let UpgradeStep::Probe(probe) = upgrade.handle(&UpgradeInput::Opened) else {
        return None;
    };
    writer.write(vec![probe]).await.ok()?;
    let Ok(Came::Packet(answer)) = reader.next().await else {
        return None;
    };
    match upgrade.handle(&UpgradeInput::Heard(answer)) {
        UpgradeStep::Pause => Some((reader, writer)),
        _ => None,
    }
}

impl PollWriter {
    pub(crate) const fn is_suspect(&self) -> bool {
        self.suspect
    }

    pub(crate) async fn write(&mut self, packets: Vec<Packet>) -> Result<(), ServiceError> {
        if self.suspect {
            return Err(never("the session is broken"));
        }
        let most = self.session.handshake.max_payload;
        let bodies = bodies(&packets, most).map_err(|_| too_large())?;
        for body in bodies {
            self.nonce += 1;
            let request = self.session.request(Some(body), self.nonce);
            // A post whose end is not seen leaves the whole session in doubt.
            self.suspect = true;
            let reply = self.session.reach.polls.execute(request).await?;
            self.session.jar.take(&reply);
            self.suspect = reply.status != 200 && reply.status != 413;
            taken(&reply)?;
        }
        Ok(())
    }
}

/// The server says `ok`, as a page of HTML: its type is no sign of a captive portal.
fn taken(reply: &HttpReply) -> Result<(), ServiceError> {
    match reply.status {
        200 if reply.body == "ok" => Ok(()),
        200 => Err(ServiceError {
            outcome: Outcome::Unknown,
            ..strange()
        }),
        413 => Err(too_large()),
        _ => Err(refused(reply)),
    }
}

fn bodies(queue: &[Packet], most: usize) -> Result<Vec<String>, WireError> {
    let mut bodies = Vec::new();
    let mut batch = Batch::new(most);
    for packet in queue {
        if !batch.push(packet)? {
            bodies.push(std::mem::replace(&mut batch, Batch::new(most)).into_body());
            batch.push(packet)?;
        }
    }
    if !batch.is_empty() {
        bodies.push(batch.into_body());
    }
    Ok(bodies)
}

fn parse(reply: &HttpReply) -> Result<VecDeque<Packet>, WireError> {
    packets(&reply.body).collect()
}

#[derive(Deserialize)]
struct Complaint {
    code: u8,
}

/// What an error of the transport means.
fn refused(reply: &HttpReply) -> ServiceError {
    let complaint = serde_json::from_str::<Complaint>(&reply.body);
    let (kind, retry, detail) = match complaint.map(|said| said.code) {
        Ok(0) => (
            FailureKind::Unsupported,
            RetryClass::Never,
            "the server does not poll",
        ),
        Ok(1) => (
            FailureKind::Interrupted,
            RetryClass::Backoff,
            "the session is not known",
        ),
        Ok(4) => (
            FailureKind::NotAllowed,
            RetryClass::Never,
            "the server lets nobody in here",
        ),
        Ok(5) => (
            FailureKind::Unsupported,
            RetryClass::Never,
            "the server speaks another version of this protocol",
        ),
        Ok(_) => (
            FailureKind::Protocol,
            RetryClass::Backoff,
            "the server refuses the request",
        ),
        Err(_) if reply.status >= 500 => (
            FailureKind::Unavailable,
            RetryClass::Backoff,
            "the service is in trouble",
        ),
        Err(_) => (
            FailureKind::Protocol,
            RetryClass::Backoff,
            "the answer is not the server's",
        ),
    };
    let mut error = ServiceError::new(kind, retry, Outcome::NotApplied, detail);
    error.status = Some(reply.status);
    error
}

#[cfg(test)]
mod tests;
