//! Connections that wait between two requests, and one exchange over such a connection.
//!
//! A connection is driven by whoever asks over it and by nobody else: no task of its own runs for
//! it, and one that lies idle costs nothing but its socket.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{Request, Response};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    client::conn::{TrySendError, http1},
};
use hyper_util::rt::TokioIo;

use crate::{
    adapters::net::BoxedIo,
    domain::{
        ports::Platform,
        time::{Tick, WallTime},
    },
};

/// The request's body: whole and in memory, since a message is small.
pub(super) type Body = Full<Bytes>;

/// Idle connections are dropped before the 60 s after which proxies cut them silently.
const IDLE: Duration = Duration::from_secs(50);

/// Connections that may lie idle: one for the answer that is waited for, and a few beside it.
const MOST_IDLE: usize = 4;

/// A connection that speaks HTTP/1.1.
pub(super) struct Connection {
    sender: http1::SendRequest<Body>,
    /// `None` from its end on: what still waits for it is then told so.
    driver: Option<Driver>,
}

/// Behind a pointer: it is large, and futures hold it where it is moved.
type Driver = Box<http1::Connection<TokioIo<BoxedIo>, Body>>;

impl Connection {
    /// Begins HTTP over a stream; nothing is sent yet.
    pub(super) async fn begin(io: BoxedIo) -> hyper::Result<Self> {
        let (sender, driver) = http1::handshake(TokioIo::new(io)).await?;
        Ok(Self {
            sender,
            driver: Some(Box::new(driver)),
        })
    }

    /// Sends a request and has `read` take the whole response; the connection moves meanwhile.
    ///
    /// # Errors
    /// [`Unsent`] gives the request back where none of it left; else what `read` gives.
    pub(super) async fn exchange<T, R: Future<Output = T>>(
        &mut self,
        request: Request<Body>,
        read: impl FnOnce(hyper::Result<Response<Incoming>>) -> R,
    ) -> Result<T, Unsent> {
        let sent = self.sender.try_send_request(request);
        let whole = async {
            match sent.await {
                Ok(response) => Ok(read(Ok(response)).await),
                Err(failure) => match unsent(failure) {
                    Ok(back) => Err(back),
                    Err(error) => Ok(read(Err(error)).await),
                },
            }
        };
        drive(&mut self.driver, whole).await
    }
}

/// A request that did not leave, to be sent over another connection.
pub(super) struct Unsent(pub(super) Box<Request<Body>>);

fn unsent(mut failure: TrySendError<Request<Body>>) -> Result<Unsent, hyper::Error> {
    match failure.take_message() {
        Some(request) => Ok(Unsent(Box::new(request))),
        None => Err(failure.into_error()),
    }
}

/// Polls the work, and the connection that it waits for.
async fn drive<T>(driver: &mut Option<Driver>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        let moved = driver.as_mut().map(|driver| Pin::new(driver).poll(context));
        if moved.is_some_and(|moved| moved.is_ready()) {
            *driver = None;
        }
        work.as_mut().poll(context)
    })
    .await
}

struct Idle {
    /// Scheme, host and port.
    origin: String,
    connection: Connection,
    /// By both clocks: one of them may stand still while the device sleeps, the other may jump.
    since: (Tick, WallTime),
}

/// The idle connections; clones share them.
#[derive(Clone)]
pub(super) struct Connections {
    idle: Arc<Mutex<Vec<Idle>>>,
    platform: Arc<dyn Platform>,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("idle", &self.idle().len())
            .finish()
    }
}

impl Connections {
    pub(super) fn new(platform: Arc<dyn Platform>) -> Self {
        Self {
            idle: Arc::default(),
            platform,
        }
    }

    /// The connection to the origin that lay idle for the shortest time; the server may have hung
    /// up since.
    pub(super) fn take(&self, origin: &str) -> Option<Connection> {
        let (tick, wall) = self.now();
        let mut idle = self.idle();
        idle.retain(|one| {
            let (since_tick, since_wall) = one.since;
            tick.since(since_tick) < IDLE && since_wall.until(wall) < IDLE
        });
        let place = idle.iter().rposition(|one| one.origin == origin)?;
        Some(idle.remove(place).connection)
    }

    /// Keeps a connection for the next request.
    pub(super) fn keep(&self, origin: String, connection: Connection) {
        if connection.driver.is_none() {
            return;
        }
        let mut idle = self.idle();
        if idle.len() >= MOST_IDLE {
            idle.remove(0);
        }
        idle.push(Idle {
            origin,
            connection,
            since: self.now(),
        });
    }

    fn now(&self) -> (Tick, WallTime) {
        (self.platform.tick(), self.platform.wall())
    }

    /// A panic between two lines here leaves the list whole.
    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
