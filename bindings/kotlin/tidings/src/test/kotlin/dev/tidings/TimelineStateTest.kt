package dev.tidings

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Test

class TimelineStateTest {
    private val room = ConversationId("room")

    private fun row(id: String, text: String, state: Completeness = Completeness.STREAMING) =
        Message(ClientMessageId(id), room, Role.Assistant, text, completeness = state)

    private fun piece(id: String, offset: Long, text: String) =
        ClientEvent.Stream(room, ClientMessageId(id), StreamPhase.DELTA, offset, text)

    @Test
    fun `a piece is added only where it goes on, counted in bytes`() {
        val other = row("a", "untouched", Completeness.COMPLETE)
        val list = listOf(other, row("b", "ü"))
        val grown = list.appending(piece("b", 2, "ber"))
        assertEquals("über", grown[1].text)
        assertSame(other, grown[0])
        assertSame(list, list.appending(piece("b", 1, "x")))
        assertSame(list, list.appending(piece("a", 9, "x")))
        assertSame(list, list.appending(piece("c", 0, "x")))
    }

    @Test
    fun `a stored beginning takes no text back, and the final row has the last word`() {
        val shown = listOf(row("b", "one two three"))
        assertEquals("one two three", listOf(row("b", "one two")).keepingPieces(shown)[0].text)
        assertEquals("one too", listOf(row("b", "one too")).keepingPieces(shown)[0].text)
        val final = listOf(row("b", "one", Completeness.COMPLETE))
        assertEquals("one", final.keepingPieces(shown)[0].text)
    }

    @Test
    fun `a screen's list follows a conversation and ends with its scope`() = test {
            ReferenceBackend().use { backend ->
                ChatClient.start(options(backend)).use { client ->
                    client.open(client.newConversation()).use { chat ->
                        val screen = Job()
                        val scope = kotlinx.coroutines.CoroutineScope(screen + Dispatchers.Default)
                        val state = chat.timelineState(scope)
                        state.isLoaded.soonFirst { it }
                        chat.send("Hello")
                        val list = state.items.soonFirst { rows -> rows.any { it.isAnswer() } }
                        assertEquals(list.map { it.id }.distinct(), list.map { it.id })
                        assertNull(state.failure.value)
                        soon { screen.cancelAndJoin() }
                        assertEquals(list.size, state.items.value.size)
                    }
                }
            }
        }
}
