package dev.tidings

import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What the user does without a network shows at once, waits, and can be taken back. */
class ActionsTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a conversation begun offline is written to at once and bound later`() = offline {
        val begun = client.beginConversation(NewConversation(persona = "nutritionist"))
        val sent = client.send(begun.id, "Before the server knew")
        val kinds = client.outbox.first().map { it.kind }
        assertEquals(listOf(ActionKind.CREATE, ActionKind.SEND), kinds)
        online()
        assertTrue(soon { client.waitForDelivery(sent.id) } is DeliveryOutcome.OnServer)
        val bound = checkNotNull(client.conversation(begun.id))
        assertNotEquals(begun.id, bound.id)
        assertEquals(1, backend.copies(bound.id, "Before the server knew"))
    }

    @Test
    fun `an edit shows at once, can be taken back, and is made when it can be`() = offline {
        online()
        val id = client.newConversation()
        val sent = client.send(id, "First wording")
        soon { client.waitForDelivery(sent.id) }
        backend.network("refuse")

        val edited = client.editMessage(sent.id, "Second wording")
        assertEquals("Second wording", edited.message.text)
        assertEquals(PendingChange.EDIT, edited.message.pending)
        val waiting = client.outbox.first().single()
        assertEquals(ActionKind.EDIT to sent.id, waiting.kind to waiting.changes)
        assertEquals(edited.action, waiting.id)
        client.outbox.soonFirst { items -> items.single().attempt > 0 }
        taken { client.cancelAction(waiting.id) }
        val back = client.history(id).messages.first { it.id == sent.id }
        assertEquals("First wording", back.text)
        assertNull(back.pending)

        val deleted = client.deleteMessage(sent.id)
        assertEquals(PendingChange.DELETE, deleted.message.pending)
        online()
        val fate = soon { client.waitForDelivery(checkNotNull(deleted.action)) }
        assertTrue(fate is DeliveryOutcome.OnServer)
        assertEquals(0, backend.copies(id, "First wording"))
    }

    /** An action that is on the wire at this very moment is not taken back; a moment later it is. */
    private suspend fun taken(cancel: suspend () -> OutboxItem): OutboxItem = soon {
        var item: OutboxItem? = null
        while (item == null) {
            item = try {
                cancel()
            } catch (_: ChatException.NotFound) {
                null
            }
        }
        item
    }

    @Test
    fun `search needs no network, marks what it found and goes on in pages`() = offline {
        online()
        val id = client.newConversation()
        // The coach repeats what it is told: no answer may be found beside the messages.
        backend.network("refuse")
        repeat(3) { client.send(id, "Grüße aus dem Süden $it") }
        val first = client.search("\"aus dem\" sud", limit = 2)
        assertEquals(2, first.hits.size)
        val snippet = first.hits.first().snippet
        assertEquals("Süden", snippet.text.substring(snippet.marks.last()))
        val rest = client.search("\"aus dem\" sud", after = first.next, limit = 2)
        assertEquals(1, rest.hits.size)
        assertNull(rest.next)
        val wrong = assertThrows(ChatException.InvalidInput::class.java) {
            runBlocking { client.search("sud", after = "nowhere") }
        }
        assertEquals("after", wrong.field)
    }

    @Test
    fun `drafts are kept, catching up ends at its deadline, a suspended store comes back`() = offline {
        online()
        val id = client.newConversation()
        assertEquals("half a thou", client.saveDraft(id, "half a thou").draft)
        assertNull(client.saveDraft(id, null).draft)
        val done = soon { client.catchUp(30.seconds) }
        assertTrue(done.finished)
        soon { client.background() }
        assertThrows(ChatException::class.java) { runBlocking { client.listConversations() } }
        client.foreground()
        soon { client.conversations().first { list -> list.any { it.id == id } } }
    }

    private class Offline(val backend: ReferenceBackend, val client: ChatClient) {
        fun online() {
            backend.network("up")
            client.networkChanged(NetworkChange.UP)
        }
    }

    private fun offline(body: suspend Offline.() -> Unit): Unit = test {
        ReferenceBackend("--extensions", "on").use { backend ->
            backend.network("refuse")
            ChatClient.start(options(backend, folder, extensions = true)).use { client ->
                Offline(backend, client).body()
            }
        }
    }
}
