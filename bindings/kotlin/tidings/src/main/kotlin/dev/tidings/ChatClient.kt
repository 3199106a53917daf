package dev.tidings

import dev.tidings.ffi.ChatClient as FfiClient
import dev.tidings.ffi.ActionDecision
import dev.tidings.ffi.ConversationFilter
import dev.tidings.ffi.SearchRequest
import dev.tidings.ffi.Snapshot
import dev.tidings.ffi.WatchTopic
import dev.tidings.ffi.settings as ffiSettings
import kotlin.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

/**
 * A running client.
 *
 * Every `suspend` verb may be called from any dispatcher, the main one included, and throws
 * [ChatException]. Cancelling the calling coroutine ends the wait at once; what was accepted goes
 * on: a message whose send was begun is sent, once.
 *
 * Flows are cold and bounded: each collector reads at its own pace, and a slow, throwing or
 * re-entering one harms nobody else. They end when the client is closed.
 */
public class ChatClient private constructor(
    private val ffi: FfiClient,
    private val bridge: Bridge,
) : AutoCloseable {
    /** Whether this client sends and synchronises, or another process on the same store does. */
    public val isOwner: Boolean get() = calling { ffi.info().owner }

    /** What the backend can do. */
    public val capabilities: Capabilities get() = calling { ffi.info().capabilities.native() }

    /** Passing events, from the moment of collection. */
    public val events: Flow<ClientEvent> = eventFlow { ffi.events() }

    /** Everything the server does not have for certain, now and whenever that changes. */
    public val outbox: Flow<List<OutboxItem>> =
        watchFlow { ffi.watch(WatchTopic.Outbox) }
            .map { (it as Snapshot.Outbox).items.map { item -> item.native() } }

    /** What happens to sent messages from the moment of collection, in order, without a hole. */
    public val deliveries: Flow<DeliveryRecord> =
        watchFlow { ffi.watch(WatchTopic.Deliveries) }
            .map { (it as Snapshot.Delivery).record.native() }

    /** The list of conversations, newest activity first, now and whenever it changes. */
    public fun conversations(
        includeArchived: Boolean = false,
        limit: Int = 0,
    ): Flow<List<ConversationInfo>> {
        val topic = WatchTopic.Conversations(ConversationFilter(includeArchived, limit))
        return watchFlow { ffi.watch(topic) }
            .map { (it as Snapshot.Conversations).list.map { row -> row.native() } }
    }

    /** One message, now and whenever it changes; null where there is no such row. */
    public fun message(id: ClientMessageId): Flow<Message?> =
        watchFlow { ffi.watch(WatchTopic.Message(id.value)) }
            .map { (it as Snapshot.Message).message?.native() }

    /** Creates a conversation, or returns the one that is there already. */
    public suspend fun createConversation(
        new: NewConversation = NewConversation(),
    ): CreatedConversation = calling {
        val created = ffi.createConversation(new.ffi())
        CreatedConversation(created.conversation.native(), created.existed)
    }

    /**
     * Begins a conversation that need not be on the server yet: it can be written to at once, and is
     * created when the server can be reached.
     */
    public suspend fun beginConversation(
        new: NewConversation = NewConversation(),
    ): ConversationInfo = calling { ffi.beginConversation(new.ffi()).native() }

    /** Opens a conversation: it connects and stays connected until the result is closed. */
    public fun open(id: ConversationId): Conversation = calling {
        Conversation(this, ffi.open(id.value), id)
    }

    /** Stored conversations, newest activity first. */
    public suspend fun listConversations(
        includeArchived: Boolean = false,
        limit: Int = 0,
    ): List<ConversationInfo> = calling {
        ffi.conversations(ConversationFilter(includeArchived, limit)).map { it.native() }
    }

    /** One stored conversation. */
    public suspend fun conversation(id: ConversationId): ConversationInfo? =
        calling { ffi.conversation(id.value)?.native() }

    /** Reads the server's whole list into the store. */
    public suspend fun refreshConversations(): RefreshSummary = calling {
        val summary = ffi.refreshConversations()
        RefreshSummary(summary.listed, summary.removed, summary.skipped)
    }

    /** Reads the server's history from its beginning to its end; answers how much was new. */
    public suspend fun synchronise(id: ConversationId): Int =
        calling { ffi.synchronise(id.value, whole = true) }

    /** Reads what came since the last read; answers how much was new. */
    public suspend fun catchUp(id: ConversationId): Int =
        calling { ffi.synchronise(id.value, whole = false) }

    /**
     * For the short life of a push wake-up: lists the conversations, reads what is new in those that
     * changed, lets the outbox deliver; at the [deadline] it answers what was done by then.
     */
    public suspend fun catchUp(deadline: Duration): CaughtUp = calling {
        val done = ffi.catchUp(deadline.inWholeMilliseconds)
        CaughtUp(done.newMessages, done.delivered, done.conversationsChanged, done.finished)
    }

    /** Reads one page before what is stored; answers whether there is still more. */
    public suspend fun loadOlder(id: ConversationId): Boolean =
        calling { ffi.loadOlder(id.value) }

    /** Marks a conversation as read to its end. */
    public suspend fun markRead(id: ConversationId): ConversationInfo =
        calling { ffi.markRead(id.value).native() }

    /** Hides a conversation from the ordinary list, or shows it again. */
    public suspend fun archive(id: ConversationId, archived: Boolean = true): ConversationInfo =
        calling { ffi.archive(id.value, archived).native() }

    /** Ends a conversation: closed here at once, at the server when it hears. */
    public suspend fun complete(id: ConversationId): ChangedConversation =
        calling { ffi.complete(id.value).native() }

    /** Deletes a conversation on the server and here. */
    public suspend fun deleteConversation(id: ConversationId): Unit =
        calling { ffi.deleteConversation(id.value) }

    /** Everything stored of a conversation. */
    public suspend fun export(id: ConversationId): ConversationExport = calling {
        val export = ffi.export(id.value)
        ConversationExport(export.conversation.native(), export.messages.map { it.native() })
    }

    /** A fresh key for [send]. */
    public fun mintMessageId(): ClientMessageId =
        calling { ClientMessageId(ffi.mintMessageId()) }

    /**
     * Sends a message. In [SendMode.DURABLE] it is on disk when this returns, and goes out whatever
     * happens; in [SendMode.DIRECT] it is on the server.
     *
     * Under an [id] of your own a repeated call sends nothing twice. Messages go out in the order in
     * which their calls returned; calls that are under way at once have none among them.
     */
    public suspend fun send(
        conversation: ConversationId,
        text: String,
        mode: SendMode = SendMode.DURABLE,
        id: ClientMessageId? = null,
    ): Message = calling {
        val ffiMode = dev.tidings.ffi.SendMode.entries[mode.ordinal]
        ffi.send(conversation.value, text, ffiMode, id?.value).native()
    }

    /** Waits until the fate of a message, or of another action, is known. */
    public suspend fun waitForDelivery(id: ClientMessageId): DeliveryOutcome =
        calling { ffi.waitForDelivery(id.value).native() }

    /** Puts a failed message back into the queue. */
    public suspend fun retry(id: ClientMessageId): Message =
        calling { ffi.retry(id.value).native() }

    /** Takes an unsent message back. */
    public suspend fun cancel(id: ClientMessageId): Message =
        calling { ffi.cancelMessage(id.value).native() }

    /** Changes a message's text: shown at once, sent when it can be; an unsent one is rewritten. */
    public suspend fun editMessage(id: ClientMessageId, text: String): ChangedMessage =
        calling { ffi.editMessage(id.value, text).native() }

    /** Deletes a message where the backend can, hidden at once; takes back an unsent one anywhere. */
    public suspend fun deleteMessage(id: ClientMessageId): ChangedMessage =
        calling { ffi.deleteMessage(id.value).native() }

    /** Puts a failed action other than a message back into the queue. */
    public suspend fun retryAction(id: ClientMessageId): OutboxItem =
        calling { ffi.settleAction(id.value, ActionDecision.RETRY).native() }

    /** Takes back an action other than a message, and what it showed with it. */
    public suspend fun cancelAction(id: ClientMessageId): OutboxItem =
        calling { ffi.settleAction(id.value, ActionDecision.CANCEL).native() }

    /**
     * Stops the answer under way, or the one to the newest message once the server can be told;
     * [ChatException.Unsupported] where the backend cannot. Answers the action's key, where one
     * waits.
     */
    public suspend fun stopAnswer(id: ConversationId): ClientMessageId? =
        calling { ffi.stopAnswer(id.value)?.let(::ClientMessageId) }

    /** Keeps what the user is typing; null for nothing. */
    public suspend fun saveDraft(id: ConversationId, text: String?): ConversationInfo =
        calling { ffi.saveDraft(id.value, text).native() }

    /** A page of stored messages; start without [before], go on with [HistoryPage.older]. */
    public suspend fun history(
        id: ConversationId,
        before: String? = null,
        limit: Int = 50,
        includeDeleted: Boolean = false,
    ): HistoryPage = calling {
        val page = ffi.history(id.value, before, limit, includeDeleted)
        HistoryPage(page.messages.map { it.native() }, page.older)
    }

    /**
     * Searches stored messages; no network is needed. All words of [query] must be there, words in
     * double quotes one behind the other, and the last may be unfinished. Go on [after] a page with
     * its [SearchPage.next].
     */
    public suspend fun search(
        query: String,
        conversation: ConversationId? = null,
        order: SearchOrder = SearchOrder.NEWEST,
        after: String? = null,
        limit: Int = 50,
    ): SearchPage = calling {
        val ffiOrder = dev.tidings.ffi.SearchOrder.entries[order.ordinal]
        ffi.search(SearchRequest(query, conversation?.value, ffiOrder, after, limit)).native()
    }

    /** Wakes the outbox and waits until nothing in it is still under way. */
    public suspend fun flush(): Unit = calling { ffi.flush() }

    /** A message's whole story. */
    public suspend fun explain(id: ClientMessageId): MessageStory = calling {
        val story = ffi.explain(id.value)
        MessageStory(
            story.message?.native(), story.outbox?.native(), story.records.map { it.native() },
        )
    }

    /**
     * The app left the foreground: sending and polling go on until the deadline, then sockets are
     * closed and writes finished. Returns when suspended, or when the app came back first. Without a
     * deadline it suspends at once. Suspended, no file of the store is open, and calls that need it
     * fail until [foreground].
     */
    public suspend fun background(deadline: Duration = Duration.ZERO): Unit =
        calling { ffi.background(deadline.inWholeMilliseconds) }

    /** The app is back: redials, catches up, retries what waits. */
    public fun foreground(): Unit = calling { ffi.foreground() }

    /** The platform reports a change of the network. */
    public fun networkChanged(change: NetworkChange): Unit =
        calling { ffi.networkChanged(dev.tidings.ffi.NetworkChange.entries[change.ordinal]) }

    /**
     * Ends everything in bounded time: flows end, sockets are closed politely, writes finished, the
     * store closed. After it nothing of the app is called any more. Goes to its end even where the
     * calling coroutine is cancelled; may be called again.
     */
    public suspend fun shutdown(): Unit = withContext(NonCancellable) {
        try {
            calling { ffi.shutdown() }
        } catch (_: ChatException.Closed) {
            // It was closed before.
        }
        bridge.close()
        ffi.close()
    }

    /** [shutdown], waited for on this thread: bounded by seconds. */
    override fun close(): Unit = runBlocking(Dispatchers.IO) { shutdown() }

    internal fun timelineOf(id: ConversationId, window: Int): dev.tidings.ffi.Timeline =
        calling { ffi.timeline(id.value, window) }

    internal fun eventFeed(): dev.tidings.ffi.EventFeed = calling { ffi.events() }

    public companion object {
        /**
         * Starts a client. What was on the wire when the last one ended is settled, then sending
         * goes on.
         */
        public suspend fun start(options: ClientOptions): ChatClient {
            val bridge = Bridge()
            var made: FfiClient? = null
            try {
                // The first call loads the library, which takes a moment.
                withContext(Dispatchers.IO) {
                    made = calling { FfiClient.start(options.ffi(bridge)) }
                }
                return ChatClient(checkNotNull(made), bridge)
            } catch (failed: Throwable) {
                // Cancelled just when it was there: nobody else would end it.
                withContext(NonCancellable) {
                    made?.run {
                        shutdown()
                        close()
                    }
                    bridge.close()
                }
                throw failed
            }
        }

        /** Every setting with its default, bounds and reason. */
        public fun settings(): List<SettingInfo> = calling {
            ffiSettings().map {
                SettingInfo(it.name, it.defaultValue, it.unit, it.least, it.greatest, it.why)
            }
        }
    }
}
