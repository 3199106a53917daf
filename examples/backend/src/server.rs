//! The server's own thread: it makes everything, serves, and cleans up.

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
    time::Duration,
};

use axum::middleware;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Handle},
    sync::oneshot,
    time::timeout,
};

use crate::{
    admin, api,
    app::{App, Shared},
    coach::Coach,
    config::BackendConfig,
    error::BackendError,
    faults::Faults,
    hub::Hub,
    journal::Journal,
    network::{Door, Port, WireInfo},
    pipeline,
    store::Store,
    ws::Outgoing,
};

/// How long open sockets get to answer the closing handshake when the backend stops.
const GOODBYE: Duration = Duration::from_millis(300);
/// How long running database work gets to finish when the backend stops.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// The two addresses of a backend.
#[derive(Clone, Debug)]
pub(crate) struct Ports {
    pub(crate) public: Arc<Port>,
    pub(crate) admin: Arc<Port>,
}

impl Ports {
    pub(crate) fn claim(config: &BackendConfig) -> Result<Self, BackendError> {
        let claim = |addr| Port::claim(addr).map_err(|source| BackendError::Bind { addr, source });
        let (public, admin) = (claim(config.listen)?, claim(config.admin_listen)?);
        Ok(Self {
            public: Arc::new(public),
            admin: Arc::new(admin),
        })
    }
}

/// What the thread tells its maker once clients can connect.
pub(crate) struct Started {
    pub(crate) app: Shared,
    pub(crate) runtime: Handle,
    pub(crate) quit: oneshot::Sender<()>,
}

/// The server thread: makes everything, says so, and serves until told to quit. When this returns
/// nothing of it is left, its claim on the ports included.
pub(crate) fn live(
    config: BackendConfig,
    ports: Ports,
    ready: mpsc::Sender<Result<Started, BackendError>>,
) {
    let built = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build();
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(BackendError::Runtime(error)));
            return;
        }
    };
    let entered = runtime.enter();
    let (app, admin) = match prepare(config, &ports) {
        Ok(prepared) => prepared,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    drop(entered);
    let (quit, quitting) = oneshot::channel();
    let handle = runtime.handle().clone();
    let started = Started {
        app: Arc::clone(&app),
        runtime: handle,
        quit,
    };
    let _ = ready.send(Ok(started));
    runtime.block_on(serve(app, admin, quitting));
    runtime.shutdown_timeout(LAST_WRITES);
}

/// Opens all there is to open. Needs a runtime around it.
fn prepare(config: BackendConfig, ports: &Ports) -> Result<(Shared, TcpListener), BackendError> {
    let bind_error = |addr| move |source| BackendError::Bind { addr, source };
    let (public, admin) = (&ports.public, &ports.admin);
    let faults = Faults::default();
    let door = Door::open(Arc::clone(public), faults.clone()).map_err(bind_error(public.addr()))?;
    let listener = admin.listen().map_err(bind_error(admin.addr()))?;
    let journal = Arc::new(Journal::new());
    let app = Arc::new(App {
        store: Store::open(config.store.as_deref())?,
        hub: Hub::new(Arc::clone(&journal)),
        coach: Coach::new(&config.coach, config.word_delay)?,
        faults,
        journal,
        door,
        config,
    });
    Ok((app, listener))
}

async fn serve(app: Shared, admin: TcpListener, quitting: oneshot::Receiver<()>) {
    let public = api::routes()
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            pipeline::run,
        ))
        .with_state(Arc::clone(&app))
        .into_make_service_with_connect_info::<WireInfo>();
    let private =
        admin::routes(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(app.door.clone(), public).into_future());
    tokio::spawn(axum::serve(admin, private).into_future());
    let _ = quitting.await;
    say_goodbye(&app).await;
    app.door.slam();
}

async fn say_goodbye(app: &Shared) {
    let mut changes = app.journal.changes();
    let close = Outgoing::Close {
        code: 1001,
        reason: "going away".to_owned(),
    };
    for conversation in app.hub.conversations() {
        app.hub.send_all(&conversation, &close);
    }
    let everyone_left =
        async { while !app.hub.sockets().is_empty() && changes.changed().await.is_ok() {} };
    let _ = timeout(GOODBYE, everyone_left).await;
}
