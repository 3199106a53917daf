package dev.tidings

import kotlin.time.Instant

/** One conversation's connection. */
public enum class ConnectionState {
    /** Not opened. */
    IDLE,

    /** The first dial is under way. */
    CONNECTING,

    /** The socket carries both ways. */
    LIVE,

    /** The socket is silent beyond belief; it is being probed or replaced. */
    STALE,

    /** No socket; history is polled and answers. */
    POLLING,

    /** Neither works; the next try has a time. */
    BACKOFF,

    /** There is no network. */
    OFFLINE,

    /** In the background, everything released. */
    SUSPENDED,

    /** The token was refused. */
    SIGN_IN_REQUIRED,

    /** Closed for good. */
    CLOSED,
}

/** What carries messages now. */
public enum class Transport {
    /** The realtime session. */
    WEB_SOCKET,

    /** Reads of the history. */
    POLLING,

    /** Nothing. */
    NONE,
}

/** The three colours an app shows. */
public enum class Light {
    /** Live. */
    GREEN,

    /** Messages arrive, later than live. */
    YELLOW,

    /** Nothing arrives. */
    RED,
}

/**
 * State, transport, and what happens next.
 *
 * @property retryAt when the socket is dialled next, where that is planned
 * @property reason why it is so: a stable code
 */
public data class ConnectionStatus(
    val state: ConnectionState,
    val transport: Transport = Transport.NONE,
    val light: Light = Light.RED,
    val retryAt: Instant? = null,
    val reason: String? = null,
)

/** What the platform says of the network. */
public enum class NetworkChange {
    /** There is one, perhaps after there was none. */
    UP,

    /** There is none. */
    DOWN,

    /** The path changed (another Wi-Fi, mobile data): open sockets are suspect. */
    CHANGED,
}
