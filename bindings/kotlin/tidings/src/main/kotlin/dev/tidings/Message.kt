package dev.tidings

import kotlin.time.Instant

/** Who speaks; an unknown name is kept. */
public sealed interface Role {
    /** A person. */
    public data object User : Role

    /** The answering model. */
    public data object Assistant : Role

    /** The service itself. */
    public data object System : Role

    /** The record of a tool call. */
    public data object Function : Role

    /** A role this version does not know. */
    public data class Other(val name: String) : Role
}

/** Where a message stands between the user's tap and the reader's eye. */
public enum class DeliveryState {
    /** On disk, waiting for its turn. */
    QUEUED,

    /** On the wire. */
    SENDING,

    /** Sent, outcome unknown: a read decides, never a guess. */
    UNCERTAIN,

    /** The server has it; also the state of what came from the server. */
    SENT,

    /** It reached a recipient's device. */
    DELIVERED,

    /** A recipient read it. */
    READ,

    /** Proved rejected, or expired: the text is kept, the user decides. */
    FAILED,

    /** The user took it back. */
    CANCELLED,
}

/** How complete a streamed answer is. */
public enum class Completeness {
    /** All of it is here; every message that was not streamed. */
    COMPLETE,

    /** Text is still arriving. */
    STREAMING,

    /** The stream ended early; the text so far is kept. */
    INCOMPLETE,

    /** The service ended it with an error; the text so far is kept. */
    FAILED,

    /** The user stopped it. */
    STOPPED,
}

/** A change of the user's that waits for the server, and shows already. */
public enum class PendingChange {
    /** The text. */
    EDIT,

    /** The deletion. */
    DELETE,
}

/**
 * One row of a conversation.
 *
 * @property id local key, stable for life; key your list by it
 * @property serverId the server's id, once known
 * @property sender who wrote it, where the backend names one
 * @property own whether this account wrote it
 * @property text the text; empty where deleted
 * @property attempts how often it went on the wire
 * @property createdAt the server's time where known, else that of the accept here; for display only
 * @property answers the message it answers, where this device saw the answer stream in and nothing
 *   contradicts it
 * @property deleted deleted but remembered
 * @property pending a change of the user's that waits for the server, and shows already
 * @property unread whether it waits to be read by this account
 * @property gapAfter whether messages right behind it are not on this device yet
 * @property revision the server's revision of the content
 * @property version grows with every change of this row on this device
 */
public data class Message(
    val id: ClientMessageId,
    val conversation: ConversationId,
    val role: Role,
    val text: String,
    val state: DeliveryState = DeliveryState.SENT,
    val own: Boolean = false,
    val serverId: MessageId? = null,
    val sender: UserId? = null,
    val attempts: Int = 0,
    val createdAt: Instant? = null,
    val answers: ClientMessageId? = null,
    val completeness: Completeness = Completeness.COMPLETE,
    val deleted: Boolean = false,
    val pending: PendingChange? = null,
    val unread: Boolean = false,
    val gapAfter: Boolean = false,
    val revision: Long = 0,
    val version: Long = 0,
) {
    /** Prints no text: a message body never reaches a log. */
    override fun toString(): String = "Message($id, $state, $version)"
}

/** A page of stored messages, oldest first; hand [older] back for the page before. */
public data class HistoryPage(val messages: List<Message>, val older: String?)

/** One change of a list, to be applied in order. */
public sealed interface TimelineChange {
    /** Forget everything shown; this is the list. */
    public data class Reset(val items: List<Message>) : TimelineChange

    /** A new item at [index]; what was there and behind moves up. */
    public data class Insert(val index: Int, val item: Message) : TimelineChange

    /** The item at [index] is replaced by a newer version of itself. */
    public data class Update(val index: Int, val item: Message) : TimelineChange

    /** The item at [index] goes. */
    public data class Remove(val index: Int, val id: ClientMessageId) : TimelineChange
}

/** Applies the changes to a list, as an app would. */
public fun List<Message>.applying(changes: List<TimelineChange>): List<Message> {
    val list = toMutableList()
    for (change in changes) {
        when (change) {
            is TimelineChange.Reset -> {
                list.clear()
                list.addAll(change.items)
            }
            is TimelineChange.Insert -> list.add(change.index, change.item)
            is TimelineChange.Update -> list[change.index] = change.item
            is TimelineChange.Remove -> list.removeAt(change.index)
        }
    }
    return list
}

/**
 * How a message stands after an action that was accepted; [action] is the key under which that waits
 * for the server, null where there is nothing to tell it.
 */
public data class ChangedMessage(val message: Message, val action: ClientMessageId?)
