package dev.tidings

import kotlin.time.Duration
import kotlin.time.Instant

/**
 * A backend of the app's own.
 *
 * Calls come from several coroutines at once, on a background dispatcher. Throw [ServiceException]
 * for what went wrong; anything else thrown leaves the outcome unknown, and so does a call that
 * takes longer than the setting `send.attempt_timeout`. What has a default is optional.
 */
public interface ChatService {
    /**
     * Creates a conversation, or returns the one that the server says is in its place; send [key]
     * along where the backend takes one.
     */
    public suspend fun createConversation(
        new: NewConversation,
        key: ClientMessageId?,
    ): ServiceCreated

    /** One page of the listing; [cursor] is the `next` of the page before. */
    public suspend fun listConversations(activeOnly: Boolean, cursor: String?): ServiceListing

    /** The server's word on one conversation. */
    public suspend fun conversation(id: ConversationId): ServerConversation

    /** One page of history, oldest first. */
    public suspend fun history(id: ConversationId, range: HistoryRange, limit: Int): ServiceHistory

    /** Sends a message; the server's row, where the confirmation carries it. */
    public suspend fun send(message: OutgoingMessage): ServerMessage?

    /** Opens a realtime session; push its events into [feed]. */
    public suspend fun connect(id: ConversationId, feed: SessionFeed): ServiceSession =
        throw ServiceException(FailureKind.Unsupported, outcomeUnknown = false, retryable = false)

    /** Whether an uncertain send happened: its row, null where proved that it did not. */
    public suspend fun reconcile(message: OutgoingMessage): ServerMessage? = unsupported()

    /** Moves the read marker. */
    public suspend fun markRead(id: ConversationId, upTo: MessageId): Unit = unsupported()

    /** Deletes a sent message. */
    public suspend fun deleteMessage(id: ConversationId, message: MessageId): Unit = unsupported()

    /** Edits a sent message. */
    public suspend fun editMessage(
        id: ConversationId,
        message: MessageId,
        text: String,
    ): ServerMessage = unsupported()

    /** Stops the answer under way. */
    public suspend fun stopAnswer(id: ConversationId): Unit = unsupported()

    /** Hides a conversation from the account's list, or shows it again. */
    public suspend fun archive(id: ConversationId, archived: Boolean): Unit = unsupported()

    /** Marks a conversation as done. */
    public suspend fun complete(id: ConversationId): ServerConversation = unsupported()

    /** Deletes a conversation; one that is gone already counts as deleted. */
    public suspend fun deleteConversation(id: ConversationId): Unit = unsupported()
}

/** A realtime session of an app's own backend. */
public interface ServiceSession {
    /** Puts a message on the wire; the confirmation comes as an event. */
    public suspend fun send(message: OutgoingMessage): Unit = unsupported()

    /** Asks the peer for a sign of life. */
    public suspend fun probe() {}

    /** Asks the server to stop the answer under way. */
    public suspend fun stopAnswer(): Unit = unsupported()

    /** Tells the room that the user types, or stopped. */
    public suspend fun setTyping(active: Boolean): Unit = unsupported()

    /** Confirms messages that are stored now. */
    public suspend fun ack(ids: List<MessageId>) {}

    /** Closes it. */
    public suspend fun close()
}

internal fun unsupported(): Nothing =
    throw ServiceException(FailureKind.Unsupported, outcomeUnknown = false, retryable = false)

/** Where the events of a session go. */
public fun interface SessionFeed {
    /** Hands an event over, in order; false once the session is over and nobody listens. */
    public fun push(event: SessionEvent): Boolean
}

/** A message about to leave; send [id] along where the backend takes a key. */
public data class OutgoingMessage(
    val id: ClientMessageId,
    val conversation: ConversationId,
    val text: String,
) {
    /** Prints no text. */
    override fun toString(): String = "OutgoingMessage($id)"
}

/** Which part of a conversation's history is asked for. */
public sealed interface HistoryRange {
    /** The newest page, nothing being known yet. */
    public data object Newest : HistoryRange

    /** What came after the cursor. */
    public data class After(val cursor: String) : HistoryRange

    /** The page just before the cursor. */
    public data class Before(val cursor: String) : HistoryRange

    /** The newest page, as [Newest], where an earlier answer told where it ends. */
    public data class Tail(val cursor: String) : HistoryRange
}

/** A message as the server tells of it. */
public data class ServerMessage(
    val id: MessageId,
    val role: Role,
    val text: String,
    val own: Boolean,
    val clientId: ClientMessageId? = null,
    val sender: UserId? = null,
    val createdAt: Instant? = null,
    val sequence: Long? = null,
    val revision: Long = 0,
    val deleted: Boolean = false,
) {
    /** Prints no text. */
    override fun toString(): String = "ServerMessage($id)"
}

/**
 * What the server says of a conversation; what is left out says nothing.
 *
 * @property mark in a listing: a text that is another one whenever anything of the conversation
 * changed, so that what is known need not be read again
 */
public data class ServerConversation(
    val id: ConversationId,
    val persona: String? = null,
    val status: String? = null,
    val title: String? = null,
    val context: Context? = null,
    val createdAt: Instant? = null,
    val updatedAt: Instant? = null,
    val lastMessageAt: Instant? = null,
    val participants: List<UserId> = emptyList(),
    val attributes: Map<String, String> = emptyMap(),
    val mark: String? = null,
)

/** A conversation that was created or found, with the messages that came along. */
public data class ServiceCreated(
    val conversation: ServerConversation,
    val messages: List<ServerMessage> = emptyList(),
    val existed: Boolean = false,
)

/** One page of the listing; [next] is null at the end. */
public data class ServiceListing(val list: List<ServerConversation>, val next: String? = null)

/**
 * One page of history, oldest first.
 *
 * @property older where to read on backwards; null when the page holds the beginning
 * @property newer where the next forward read starts
 * @property more whether more is there in the forward direction right now
 * @property tail where the newest page ends, where the server says so
 */
public data class ServiceHistory(
    val messages: List<ServerMessage>,
    val older: String?,
    val newer: String,
    val more: Boolean = false,
    val tail: String? = null,
)

/** One thing that a realtime session reports. */
public sealed interface SessionEvent {
    /** The backend's ready frame. */
    public data object Ready : SessionEvent

    /** A sign of life without a meaning of its own. */
    public data object Alive : SessionEvent

    /** A send was taken; without a key, the oldest unconfirmed one of this session. */
    public data class Acknowledged(
        val clientId: ClientMessageId? = null,
        val message: ServerMessage? = null,
    ) : SessionEvent

    /** A piece of the streamed answer, to be appended as it is. */
    public data class AnswerDelta(val text: String) : SessionEvent {
        override fun toString(): String = "AnswerDelta"
    }

    /** The streamed answer is whole. */
    public data class AnswerCompleted(val stopped: Boolean = false) : SessionEvent

    /** A whole message. */
    public data class Received(val message: ServerMessage) : SessionEvent

    /**
     * The server reports an error; during a turn it ends the turn. [refused] says with what it turned
     * down a message that was sent over this session, where it did.
     */
    public data class Failed(
        val code: String?,
        val text: String,
        val refused: FailureKind? = null,
    ) : SessionEvent

    /** Someone types, or stopped. */
    public data class Typing(val user: UserId, val active: Boolean) : SessionEvent

    /** Someone came or went. */
    public data class Presence(val user: UserId, val online: Boolean, val lastSeen: Instant?) :
        SessionEvent

    /** A recipient got or read everything up to a message. */
    public data class Receipt(val user: UserId, val upTo: MessageId, val read: Boolean) :
        SessionEvent

    /** This account read everything up to a message, on another device. */
    public data class ReadMarker(val upTo: MessageId) : SessionEvent

    /** A frame of a kind that the adapter does not know. */
    public data class Unknown(val name: String) : SessionEvent

    /** A frame that could not be read; history is asked once to make up for it. */
    public data object Undecodable : SessionEvent

    /** The session is over; no event follows. */
    public data object Closed : SessionEvent
}

/** What went wrong on the way to a server. */
public sealed interface FailureKind {
    /** The request never left. */
    public data object Unreachable : FailureKind

    /** A deadline passed. */
    public data object TimedOut : FailureKind

    /** The connection broke while the call was under way. */
    public data object Interrupted : FailureKind

    /** The token was refused, or there is none. */
    public data object SignInRequired : FailureKind

    /** Signed in, yet not allowed. */
    public data object NotAllowed : FailureKind

    /** The thing named does not exist. */
    public data object NotFound : FailureKind

    /** It exists already; [existing] where the server named it. */
    public data class Conflict(val existing: ConversationId?) : FailureKind

    /** Too many requests. */
    public data object RateLimited : FailureKind

    /** The cap on active conversations is reached. */
    public data object TooManyActive : FailureKind

    /** The conversation takes no messages any more. */
    public data object NotActive : FailureKind

    /** The server found the content wrong. */
    public data object Invalid : FailureKind

    /** The server failed or is overloaded. */
    public data object Unavailable : FailureKind

    /** An answer came that is not this protocol's. */
    public data object Protocol : FailureKind

    /** This backend cannot do that. */
    public data object Unsupported : FailureKind

    /** The cursor is no longer known to the server. */
    public data object CursorRefused : FailureKind
}

/**
 * A failed call of a [ChatService].
 *
 * @property outcomeUnknown false only where it is proved that nothing happened: what is called not
 * applied may be sent again
 */
public class ServiceException(
    public val kind: FailureKind,
    public val outcomeUnknown: Boolean,
    public val retryable: Boolean = true,
    public val retryAfter: Duration? = null,
) : Exception("the backend failed: $kind")
