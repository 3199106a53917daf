package dev.tidings

import kotlin.time.Duration
import kotlin.time.Instant

/** What a send promises. */
public enum class SendMode {
    /** Accepted on disk, retried until sent, rejected, cancelled or expired; survives a kill. */
    DURABLE,

    /** One attempt; on proved failure the row goes and the exception gives the text back. */
    DIRECT,
}

/** Why a message waits or failed: a stable [code], and a [sentence] without its content. */
public data class Reason(
    val code: String,
    val sentence: String,
    val retryable: Boolean,
    val retryAfter: Duration?,
)

/** What the user did. */
public enum class ActionKind {
    /** Wrote a message; the action's key is the message's. */
    SEND,

    /** Began a conversation. */
    CREATE,

    /** Ended a conversation. */
    COMPLETE,

    /** Changed a message. */
    EDIT,

    /** Deleted a message. */
    DELETE,

    /** Read a conversation up to a message. */
    MARK_READ,

    /** Hid a conversation, or showed it again. */
    ARCHIVE,

    /** Stopped an answer. */
    STOP,
}

/**
 * One thing the user did that the server does not have for certain.
 *
 * @property id its key; for a send, the message's
 * @property changes the message it changes, where it changes one
 * @property text what the user typed, where there is something; else empty
 * @property parked it blocks nobody and waits for the user, or for the message it changes
 */
public data class OutboxItem(
    val id: ClientMessageId,
    val conversation: ConversationId,
    val kind: ActionKind,
    val changes: ClientMessageId?,
    val text: String,
    val mode: SendMode,
    val state: DeliveryState,
    val attempt: Int,
    val failures: Int,
    val acceptedAt: Instant,
    val expiresAt: Instant,
    val nextAttemptAt: Instant?,
    val reason: Reason?,
    val parked: Boolean,
) {
    /** Prints no text. */
    override fun toString(): String = "OutboxItem($id, $kind, $state, ${reason?.code})"
}

/** One thing that happened to one message, or to another action. */
public data class DeliveryRecord(
    val sequence: Long,
    val message: ClientMessageId,
    val conversation: ConversationId,
    val at: Instant,
    val state: DeliveryState,
    val attempt: Int,
    val nextAttemptAt: Instant?,
    val serverId: MessageId?,
    val reason: Reason?,
)

/** A message's fate. */
public sealed interface DeliveryOutcome {
    /** The server has it; [message] where it is still stored. */
    public data class OnServer(val message: Message?) : DeliveryOutcome

    /** Proved rejected, or expired; the text is kept. */
    public data class Failed(val reason: Reason) : DeliveryOutcome

    /** Nobody knows, and resending is the user's to decide. */
    public data class Unknown(val reason: Reason) : DeliveryOutcome

    /** The user took it back. */
    public data object Cancelled : DeliveryOutcome
}

/** A message's whole story, in order. */
public data class MessageStory(
    val message: Message?,
    val outbox: OutboxItem?,
    val records: List<DeliveryRecord>,
)
