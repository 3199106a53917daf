package dev.tidings

import dev.tidings.ffi.Timeline
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/**
 * The messages of a conversation as a list that a screen shows.
 *
 * Rows that did not change stay the same objects, so a list keyed by [Message.id] redraws only what
 * did: `LazyColumn { items(list, key = { it.id.value }) { … } }` over
 * `state.items.collectAsState()`. There is no dependency on Compose here.
 *
 * A streamed answer grows with its pieces, ahead of the store; the stored row has the last word.
 */
public class TimelineState internal constructor(
    private val client: ChatClient,
    private val conversation: ConversationId,
    private val timeline: Timeline,
    scope: CoroutineScope,
) : AutoCloseable {
    private val shown = MutableStateFlow<List<Message>>(emptyList())
    private val trouble = MutableStateFlow<ChatException?>(null)
    private val loaded = MutableStateFlow(false)

    /** The messages, in order. */
    public val items: StateFlow<List<Message>> = shown.asStateFlow()

    /** Whether the first look was taken: an empty list before that says nothing. */
    public val isLoaded: StateFlow<Boolean> = loaded.asStateFlow()

    /** Why it no longer follows, where it broke off. */
    public val failure: StateFlow<ChatException?> = trouble.asStateFlow()

    private val reading: Job = scope.launch {
        launch { guarded { followPieces() } }
        guarded { followRows() }
        // Without rows there is nothing to append to.
        coroutineContext[Job]?.children?.forEach { it.cancel() }
    }

    init {
        // However it ends, the library's half goes too.
        reading.invokeOnCompletion { timeline.close() }
    }

    /** Shows [count] more of the older messages, read from the server where they are not stored. */
    public suspend fun loadOlder(count: Int = 50): Boolean {
        val more = client.loadOlder(conversation)
        calling { timeline.widen(count) }
        return more
    }

    /** Ends the following; the list stays as it is. */
    override fun close() {
        reading.cancel()
    }

    private suspend fun followRows() {
        while (true) {
            val changes = (calling { timeline.next() } ?: return).map { it.native() }
            shown.update { list -> list.applying(changes).keepingPieces(list) }
            loaded.value = true
        }
    }

    private suspend fun followPieces() {
        client.events.collect { event ->
            if (event is ClientEvent.Stream && event.conversation == conversation) {
                shown.update { list -> list.appending(event) }
            }
        }
    }

    private suspend fun guarded(follow: suspend () -> Unit) {
        try {
            follow()
        } catch (closed: ChatException.Closed) {
            // The client ended: that is no failure of this list.
        } catch (failed: ChatException) {
            trouble.value = failed
        }
    }
}

/** Adds a piece where it goes on; one that does not fit is the store's to bring. */
internal fun List<Message>.appending(piece: ClientEvent.Stream): List<Message> {
    val at = indexOfLast { it.id == piece.id }
    val row = getOrNull(at)
    val fits = row != null && piece.phase == StreamPhase.DELTA &&
        row.completeness == Completeness.STREAMING &&
        row.text.encodeToByteArray().size.toLong() == piece.offset
    if (!fits) return this
    return toMutableList().also { it[at] = row.copy(text = row.text + piece.text) }
}

/** A stored row that is a beginning of what is shown does not take text off the screen. */
internal fun List<Message>.keepingPieces(before: List<Message>): List<Message> {
    if (none { it.completeness == Completeness.STREAMING }) return this
    val texts = before.associate { it.id to it.text }
    return map { row ->
        val ahead = texts[row.id]
        val keeps = row.completeness == Completeness.STREAMING && ahead != null &&
            ahead.length > row.text.length && ahead.startsWith(row.text)
        if (keeps) row.copy(text = ahead) else row
    }
}
