package dev.tidings

import kotlin.time.Instant

/** The business entity a conversation is bound to, for good. */
public data class Context(val kind: String, val id: String? = null)

/** The newest message, as a list shows it. */
public data class LastMessage(
    val id: ClientMessageId,
    val role: Role,
    val text: String,
    val at: Instant?,
) {
    override fun toString(): String = "LastMessage($id)"
}

/**
 * A conversation as stored.
 *
 * @property title the title to show: the local one, the server's, or one made of the persona
 * @property writable whether messages may be sent, as far as this device knows
 * @property draft unsent input
 * @property status the server's own word on its state; `completed` once the user has ended it
 * @property attributes further scalar facts, by the backend's own names
 * @property activityAt newest activity, for sorting
 * @property stored rows stored, tombstones included
 * @property hasOlder whether the server has more before what is stored
 * @property version grows with every change
 */
public data class ConversationInfo(
    val id: ConversationId,
    val title: String,
    val archived: Boolean = false,
    val writable: Boolean = true,
    val draft: String? = null,
    val persona: String? = null,
    val status: String? = null,
    val context: Context? = null,
    val participants: List<UserId> = emptyList(),
    val attributes: Map<String, String> = emptyMap(),
    val lastMessage: LastMessage? = null,
    val createdAt: Instant? = null,
    val activityAt: Instant? = null,
    val unread: Int = 0,
    val stored: Long = 0,
    val hasOlder: Boolean = false,
    val version: Long = 0,
) {
    /** Prints neither draft nor messages. */
    override fun toString(): String = "ConversationInfo($id, $version)"
}

/** What to create. */
public data class NewConversation(
    val persona: String? = null,
    val context: Context? = null,
    val attributes: Map<String, String> = emptyMap(),
)

/** What creating led to; [existed] where it was there already. */
public data class CreatedConversation(val conversation: ConversationInfo, val existed: Boolean)

/**
 * How a conversation stands after an action that was accepted; [action] is the key under which that
 * waits for the server, null where there is nothing to tell it.
 */
public data class ChangedConversation(
    val conversation: ConversationInfo,
    val action: ClientMessageId?,
)

/**
 * What a catch-up brought before its deadline.
 *
 * @property delivered own messages that waited and were delivered
 * @property finished whether all was read and nothing waits any more
 */
public data class CaughtUp(
    val newMessages: Int,
    val delivered: Int,
    val conversationsChanged: Int,
    val finished: Boolean,
)

/** What reading the server's list led to. */
public data class RefreshSummary(val listed: Int, val removed: Int, val skipped: Int)

/** Everything stored of a conversation, tombstones included, oldest first. */
public data class ConversationExport(
    val conversation: ConversationInfo,
    val messages: List<Message>,
)
