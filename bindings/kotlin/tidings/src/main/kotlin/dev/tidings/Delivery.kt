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

/** One unsent message. */
public data class OutboxItem(
    val message: ClientMessageId,
    val conversation: ConversationId,
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
    override fun toString(): String = "OutboxItem($message, $state, ${reason?.code})"
}

/** One thing that happened to one message. */
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
