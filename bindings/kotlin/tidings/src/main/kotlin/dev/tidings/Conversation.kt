package dev.tidings

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch

/** An open conversation: connected until it is closed. */
public class Conversation internal constructor(
    private val client: ChatClient,
    private val ffi: dev.tidings.ffi.Conversation,
    /** Which conversation. */
    public val id: ConversationId,
) : AutoCloseable {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val status = MutableStateFlow(ConnectionStatus(ConnectionState.IDLE))

    /** How it is connected. */
    public val connection: StateFlow<ConnectionStatus> = status.asStateFlow()

    init {
        scope.launch { followConnection() }
    }

    /** Sends a message; see [ChatClient.send]. */
    public suspend fun send(
        text: String,
        mode: SendMode = SendMode.DURABLE,
        id: ClientMessageId? = null,
    ): Message = client.send(this.id, text, mode, id)

    /** The newest [window] messages, then their changes: first a reset, then differences. */
    public fun timeline(window: Int = 50): Flow<List<TimelineChange>> =
        timelineFlow { client.timelineOf(id, window) }

    /**
     * The same as a list that a screen shows, kept up to date in [scope] until that ends or the
     * result is closed.
     */
    public fun timelineState(scope: CoroutineScope, window: Int = 50): TimelineState =
        TimelineState(client, id, client.timelineOf(id, window), scope)

    /** Reads one page before what is stored; answers whether there is still more. */
    public suspend fun loadOlder(): Boolean = client.loadOlder(id)

    /** Marks everything as read. */
    public suspend fun markRead(): ConversationInfo = client.markRead(id)

    /** Stops the answer under way; see [ChatClient.stopAnswer]. */
    public suspend fun stopAnswer(): ClientMessageId? = client.stopAnswer(id)

    /** Tells the others that the user types, or stopped. */
    public suspend fun setTyping(active: Boolean): Unit = calling { ffi.setTyping(active) }

    /** Gives the connection back; may be called again. */
    override fun close() {
        scope.cancel()
        // A call that is under way keeps the object; the connection goes all the same.
        runCatching { ffi.leave() }
        ffi.close()
        status.value = ConnectionStatus(ConnectionState.CLOSED)
    }

    /** Events first, then the state as it is: so no change between the two is lost. */
    private suspend fun followConnection() {
        try {
            follow()
        } catch (_: ChatException) {
            // It ends with the client, which the state then says.
        }
        status.value = ConnectionStatus(ConnectionState.CLOSED)
    }

    private suspend fun follow() {
        client.eventFeed().use { feed ->
            status.value = now()
            while (true) {
                val batch = calling { feed.next() } ?: break
                for (event in batch) take(event.native())
            }
        }
    }

    private suspend fun take(event: ClientEvent) {
        when (event) {
            is ClientEvent.Connection -> if (event.conversation == id) status.value = event.status
            is ClientEvent.Discontinuity -> status.value = now()
            else -> Unit
        }
    }

    private suspend fun now(): ConnectionStatus = calling { ffi.connection().native() }
}
