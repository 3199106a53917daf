package dev.tidings.testing

import dev.tidings.ChatService
import dev.tidings.ClientMessageId
import dev.tidings.ConversationId
import dev.tidings.FailureKind
import dev.tidings.HistoryRange
import dev.tidings.MessageId
import dev.tidings.NewConversation
import dev.tidings.OutgoingMessage
import dev.tidings.Role
import dev.tidings.ServerConversation
import dev.tidings.ServerMessage
import dev.tidings.ServiceCreated
import dev.tidings.ServiceException
import dev.tidings.ServiceHistory
import dev.tidings.ServiceListing
import dev.tidings.ServiceSession
import dev.tidings.SessionEvent
import dev.tidings.SessionFeed

/**
 * A backend in memory, for tests of apps: the real SDK in front of it, no network behind it.
 *
 * It knows the keys of messages, so a repeated send is stored once. [fail] makes the next calls
 * fail; [answer] says what comes back to a message, nothing by default.
 */
public class FakeChatService(private val answer: (String) -> String? = { null }) : ChatService {
    private val rooms = linkedMapOf<ConversationId, Room>()
    private val failures = ArrayDeque<ServiceException>()
    private var numbers = 0L
    private val lock = Any()

    private class Room(val told: ServerConversation) {
        val messages = mutableListOf<ServerMessage>()
        val feeds = mutableListOf<SessionFeed>()
    }

    /** Makes the next call fail with this; said twice, the next two. */
    public fun fail(failure: ServiceException): Unit = synchronized(lock) {
        failures.addLast(failure)
    }

    /** Takes the network away for the next [calls] calls: proved never to have left. */
    public fun goOffline(calls: Int) {
        repeat(calls) { fail(ServiceException(FailureKind.Unreachable, outcomeUnknown = false)) }
    }

    /** What is stored of a conversation, oldest first. */
    public fun messages(id: ConversationId): List<ServerMessage> = synchronized(lock) {
        rooms[id]?.messages?.toList().orEmpty()
    }

    /** Stores a message of someone else and tells every session of it. */
    public fun receive(
        id: ConversationId,
        text: String,
        role: Role = Role.Assistant,
    ): Unit = synchronized(lock) {
        val room = room(id)
        val message = store(room, role, text, own = false, key = null)
        tell(room, SessionEvent.Received(message))
    }

    /** Tells every session of a conversation something. */
    public fun push(id: ConversationId, event: SessionEvent): Unit = synchronized(lock) {
        tell(room(id), event)
    }

    override suspend fun createConversation(
        new: NewConversation,
        key: ClientMessageId?,
    ): ServiceCreated = synchronized(lock) {
        mayFail()
        val told = ServerConversation(
            ConversationId("conversation-${rooms.size + 1}"),
            persona = new.persona,
            context = new.context,
            attributes = new.attributes,
        )
        rooms[told.id] = Room(told)
        ServiceCreated(told)
    }

    override suspend fun listConversations(
        activeOnly: Boolean,
        cursor: String?,
    ): ServiceListing = synchronized(lock) {
        mayFail()
        ServiceListing(rooms.values.map { it.told })
    }

    override suspend fun conversation(id: ConversationId): ServerConversation = synchronized(lock) {
        mayFail()
        room(id).told
    }

    override suspend fun history(
        id: ConversationId,
        range: HistoryRange,
        limit: Int,
    ): ServiceHistory = synchronized(lock) {
        mayFail()
        val all = room(id).messages
        val (from, to) = when (range) {
            HistoryRange.Newest, is HistoryRange.Tail -> maxOf(0, all.size - limit) to all.size
            is HistoryRange.After -> place(range.cursor) to all.size
            is HistoryRange.Before -> maxOf(0, place(range.cursor) - limit) to place(range.cursor)
        }
        val end = minOf(to, from + limit)
        ServiceHistory(
            messages = all.subList(from, end).toList(),
            older = if (from > 0) from.toString() else null,
            newer = end.toString(),
            more = end < all.size,
        )
    }

    override suspend fun send(message: OutgoingMessage): ServerMessage = synchronized(lock) {
        mayFail()
        val room = room(message.conversation)
        room.messages.firstOrNull { it.clientId == message.id }?.let { return@synchronized it }
        val stored = store(room, Role.User, message.text, own = true, key = message.id)
        answer(message.text)?.let { text ->
            tell(room, SessionEvent.Received(store(room, Role.Assistant, text, false, null)))
        }
        stored
    }

    override suspend fun connect(
        id: ConversationId,
        feed: SessionFeed,
    ): ServiceSession = synchronized(lock) {
        mayFail()
        val room = room(id)
        room.feeds += feed
        object : ServiceSession {
            override suspend fun probe() {
                feed.push(SessionEvent.Alive)
            }

            override suspend fun close() = leave(room, feed)
        }
    }

    override suspend fun reconcile(message: OutgoingMessage): ServerMessage? = synchronized(lock) {
        mayFail()
        room(message.conversation).messages.firstOrNull { it.clientId == message.id }
    }

    private fun leave(room: Room, feed: SessionFeed): Unit = synchronized(lock) {
        room.feeds -= feed
    }

    private fun mayFail() {
        failures.removeFirstOrNull()?.let { throw it }
    }

    private fun room(id: ConversationId): Room =
        rooms[id] ?: throw ServiceException(
            FailureKind.NotFound, outcomeUnknown = false, retryable = false,
        )

    private fun place(cursor: String): Int =
        cursor.toIntOrNull() ?: throw ServiceException(
            FailureKind.CursorRefused, outcomeUnknown = false,
        )

    private fun store(
        room: Room,
        role: Role,
        text: String,
        own: Boolean,
        key: ClientMessageId?,
    ): ServerMessage {
        numbers += 1
        val message = ServerMessage(
            MessageId("message-$numbers"), role, text, own, clientId = key, sequence = numbers,
        )
        room.messages += message
        return message
    }

    private fun tell(room: Room, event: SessionEvent) {
        // Who no longer listens is forgotten.
        room.feeds.removeAll { feed -> !feed.push(event) }
    }
}
