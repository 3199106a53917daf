//! What can go wrong when the backend starts.

/// Why the backend could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// An address could not be bound.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The address asked for.
        addr: std::net::SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The admin endpoint obeys whoever reaches it, so it stays on loopback.
    #[error("the admin endpoint must listen on a loopback address, not {0}")]
    AdminNotLoopback(std::net::SocketAddr),
    /// The SQLite file could not be opened or prepared.
    #[error("cannot open the store")]
    Store(#[from] rusqlite::Error),
    /// The server's thread or runtime could not be made.
    #[error("cannot start the server thread")]
    Runtime(#[source] std::io::Error),
    /// The HTTP client for the AI endpoint could not be made.
    #[error("cannot prepare the AI endpoint: {0}")]
    Coach(String),
}
