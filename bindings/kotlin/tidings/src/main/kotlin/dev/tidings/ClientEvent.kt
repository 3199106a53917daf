package dev.tidings

import kotlin.time.Instant

/** What became of a streamed answer. */
public enum class StreamPhase {
    /** An answer begins. */
    STARTED,

    /** Text was added. */
    DELTA,

    /** The answer is whole. */
    COMPLETED,

    /** It ended early; history is read for the rest. */
    INCOMPLETE,

    /** The service ended it with an error. */
    FAILED,

    /** The user stopped it. */
    STOPPED,
}

/** Where a synchronisation stands. */
public enum class SyncPhase {
    /** Reading began. */
    STARTED,

    /** A hole is known and not filled yet. */
    GAP,

    /** The local range equals the server's. */
    SYNCED,

    /** The server lost continuity; a fresh snapshot was taken, nothing was wiped. */
    DISCONTINUITY,
}

/** A passing fact an app may show; whatever must not be missed is in the store instead. */
public sealed interface ClientEvent {
    /** A conversation's connection changed. */
    public data class Connection(val conversation: ConversationId, val status: ConnectionStatus) :
        ClientEvent

    /** A streamed answer moved on; [offset] counts UTF-8 bytes of the answer before [text]. */
    public data class Stream(
        val conversation: ConversationId,
        val id: ClientMessageId,
        val phase: StreamPhase,
        val offset: Long,
        val text: String,
    ) : ClientEvent {
        /** Prints no text. */
        override fun toString(): String = "Stream($conversation, $id, $phase, $offset)"
    }

    /** Someone types; without a user, the answering model does. */
    public data class Typing(
        val conversation: ConversationId,
        val user: UserId?,
        val active: Boolean,
    ) : ClientEvent

    /** Someone came or went. */
    public data class Presence(
        val conversation: ConversationId,
        val user: UserId,
        val online: Boolean,
        val lastSeen: Instant?,
    ) : ClientEvent

    /** A recipient got or read everything up to a message. */
    public data class Receipt(
        val conversation: ConversationId,
        val user: UserId,
        val upTo: MessageId,
        val read: Boolean,
    ) : ClientEvent

    /** Synchronisation moved on; [fetched] messages are new to this device. */
    public data class Sync(
        val conversation: ConversationId,
        val phase: SyncPhase,
        val fetched: Int,
    ) : ClientEvent

    /** The server asked for quiet. */
    public data class Cooldown(val until: Instant, val scope: String) : ClientEvent

    /**
     * A conversation begun on this device is on the server, and goes by that name from now on; the
     * [local] one still leads to it.
     */
    public data class ConversationBound(
        val local: ConversationId,
        val conversation: ConversationId,
    ) : ClientEvent

    /** The token was refused and could not be refreshed: the app must sign in again. */
    public data object SignInRequired : ClientEvent

    /** A direct send turned out never to have arrived; its text is the conversation's draft. */
    public data class DraftRestored(val conversation: ConversationId, val id: ClientMessageId) :
        ClientEvent

    /** The fifth failure in a row of a waiting message. */
    public data class SendTroubled(val conversation: ConversationId, val id: ClientMessageId) :
        ClientEvent

    /** This collector was slower than the events; [missed] are gone, the store has the truth. */
    public data class Discontinuity(val missed: Long) : ClientEvent

    /** The store cannot be written; nothing more is taken in until it can. */
    public data class StoreTroubled(val code: String) : ClientEvent

    /** Something this version has no word for. */
    public data class Unknown(val conversation: ConversationId?, val name: String) : ClientEvent
}
