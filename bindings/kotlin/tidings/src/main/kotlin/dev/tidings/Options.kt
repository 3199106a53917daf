package dev.tidings

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Whom to talk to. */
public sealed interface Backend {
    /**
     * The service that speaks `consultations`; what is left out keeps its default.
     *
     * @property origin scheme, host, port
     * @property socketOrigin the socket's origin where it is another one
     * @property apiKey sent as `X-API-Key`
     * @property socketAuth where the socket's token travels
     * @property dialect which version is spoken
     * @property trust whose certificates; the system's by default, the built-in ones on Android
     * @property personas those that may be asked for; empty for any, the server's own by default
     * @property extensions whether the server has the reference backend's extensions
     */
    public data class Consultations(
        val origin: String,
        val socketOrigin: String? = null,
        val apiKey: String? = null,
        val socketAuth: SocketAuth = SocketAuth.HEADER,
        val dialect: Dialect = Dialect.AUTO,
        val trust: TrustRoots? = null,
        val personas: List<String>? = null,
        val extensions: Boolean = false,
    ) : Backend {
        /** Prints no key. */
        override fun toString(): String = "Consultations"
    }

    /**
     * Channels over Socket.IO, in a library with the feature `socketio`; what is left out keeps its
     * default.
     *
     * @property origin scheme, host, port
     * @property socketOrigin the socket's origin where it is another one
     * @property apiKey sent as `X-API-Key` with every REST call
     * @property account this account, where the token does not tell
     * @property trust whose certificates; the system's by default, the built-in ones on Android
     * @property settings names and limits by their key, such as `socketio.namespace`
     */
    public data class SocketIo(
        val origin: String,
        val socketOrigin: String? = null,
        val apiKey: String? = null,
        val account: String? = null,
        val trust: TrustRoots? = null,
        val settings: Map<String, String> = emptyMap(),
    ) : Backend {
        /** Prints no key. */
        override fun toString(): String = "SocketIo"
    }

    /** A backend of the app's own. */
    public class Custom(
        public val service: ChatService,
        public val capabilities: Capabilities = Capabilities(),
    ) : Backend
}

/** Where the socket's token travels. */
public enum class SocketAuth {
    /** In the `Authorization` header. */
    HEADER,

    /** In the query, for servers and proxies that drop the header. */
    QUERY,

    /** In both. */
    BOTH,
}

/** Which version of `consultations` is spoken. */
public enum class Dialect {
    /** Found out from the first answer. */
    AUTO,

    /** The deployed one. */
    PRODUCTION,

    /** The 0.34 specification. */
    S34,
}

/** Whose certificates are trusted. */
public sealed interface TrustRoots {
    /** The operating system's; on Android only where the app initialised the verifier. */
    public data object Platform : TrustRoots

    /** Mozilla's list, compiled in. */
    public data object BuiltIn : TrustRoots

    /** Only these authorities: one or more PEM certificates. */
    public data class Custom(val pem: String) : TrustRoots
}

/** Where tokens come from. */
public sealed interface Tokens {
    /** The server wants none. */
    public data object None : Tokens

    /** One that is never renewed; once refused, the user must sign in. */
    public class Fixed(public val token: String) : Tokens

    /** The app answers whenever one is needed. */
    public class Source(public val source: TokenSource) : Tokens
}

/** The app's source of tokens. */
public fun interface TokenSource {
    /**
     * The token to use now, or, with [refresh], one newer than what the server refused; null where
     * the server wants none.
     *
     * Runs on a background dispatcher and has 15 s. Throw [SessionEndedException] where the user
     * must sign in; anything else thrown means "not right now".
     */
    public suspend fun token(refresh: Boolean): String?
}

/** The session has ended: only the user can begin another one. */
public class SessionEndedException : Exception("the session has ended")

/** Where messages are kept. */
public sealed interface Store {
    /**
     * A file; it survives the process.
     *
     * @property path the file; its directory must be there
     * @property shared whether other processes open the file too
     * @property passive never become the one that sends
     * @property busyTimeout how long a write waits for another process's
     * @property barrier on Apple systems: wait at each sync until the flash itself has it
     * @property keys where the key of an encrypted store comes from; null for a plain one. A plain
     * store that is opened with a key is encrypted first; a library without the cipher refuses a key
     * with the code `store.no_cipher`, and stores nothing
     */
    public data class File(
        val path: String,
        val shared: Boolean = false,
        val passive: Boolean = false,
        val busyTimeout: Duration = 5.seconds,
        val barrier: Boolean = false,
        val keys: StoreKeySource? = null,
    ) : Store

    /** Memory, gone with the client: for tests and previews. */
    public data object Memory : Store
}

/**
 * Everything a client is made of.
 *
 * @property settings timings and limits by their key, such as `"poll.active" to "2s"`; [settings]
 * lists them all, the rest keep their defaults
 */
public data class ClientOptions(
    val backend: Backend,
    val store: Store,
    val tokens: Tokens = Tokens.None,
    val settings: Map<String, String> = emptyMap(),
)

/** One setting, for a listing; [why] says why the default is what it is. */
public data class SettingInfo(
    val name: String,
    val defaultValue: String,
    val unit: String,
    val least: String?,
    val greatest: String?,
    val why: String,
)

/** What a backend can do. The defaults are those of the plainest backend there is. */
public data class Capabilities(
    val serverOrder: ServerOrder = ServerOrder.HISTORY_POSITION,
    val scope: SessionScope = SessionScope.CONVERSATION,
    val idempotentSend: Boolean = false,
    val idempotentCreate: Boolean = false,
    val autoResend: Boolean = true,
    val sendOverSocket: Boolean = false,
    val readyFrame: Boolean = false,
    val resume: Boolean = false,
    val streaming: Boolean = false,
    val stop: Boolean = false,
    val oneTurnAtATime: Boolean = false,
    val receipts: Boolean = false,
    val readMarker: Boolean = false,
    val typing: Boolean = false,
    val presence: Boolean = false,
    val contexts: Boolean = false,
    val edit: Boolean = false,
    val delete: Boolean = false,
    val audit: Boolean = false,
    val archive: Boolean = false,
    val complete: Boolean = false,
    val deleteConversation: Boolean = false,
    val historyPaging: Boolean = true,
    val maxText: Int = 5000,
    val pollFloor: Duration = 1.seconds,
    val probeFloor: Duration = 0.milliseconds,
)

/** Where the order of messages comes from. */
public enum class ServerOrder {
    /** A sequence number on each message. */
    SEQUENCE,

    /** The place in the server's history. */
    HISTORY_POSITION,
}

/** How far one realtime session reaches. */
public enum class SessionScope {
    /** One session for each conversation. */
    CONVERSATION,

    /** One session for the whole account. */
    ACCOUNT,
}
