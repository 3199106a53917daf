package dev.tidings

import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class RoundTripTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `an answer streams in and is stored`() = test {
        ReferenceBackend().use { backend ->
            ChatClient.start(options(backend, folder)).use { client ->
                client.open(client.newConversation()).use { chat ->
                    val pieces = async {
                        val seen = mutableListOf<ClientEvent.Stream>()
                        client.events.first { event ->
                            if (event is ClientEvent.Stream) seen += event
                            event is ClientEvent.Stream && event.phase == StreamPhase.COMPLETED
                        }
                        seen
                    }
                    chat.connection.soonFirst { it.state == ConnectionState.LIVE }
                    val sent = chat.send("What helps against hiccups")
                    assertTrue(sent.own)
                    val fate = soon { client.waitForDelivery(sent.id) }
                    assertTrue(fate is DeliveryOutcome.OnServer)
                    val rows = chat.until { list -> list.any { it.isAnswer() } }
                    assertEquals(1, rows.count { it.text == "What helps against hiccups" })
                    val streamed = soon { pieces.await() }
                    assertEquals(StreamPhase.STARTED, streamed.first().phase)
                    val text = streamed.filter { it.phase == StreamPhase.DELTA }
                        .joinToString("") { it.text }
                    assertEquals(rows.first { it.isAnswer() }.text.trim(), text.trim())
                    assertEquals(1, backend.copies(chat.id, "What helps against hiccups"))
                }
            }
        }
    }

    @Test
    fun `a cut socket is survived by polling`() = test {
        ReferenceBackend().use { backend ->
            ChatClient.start(options(backend, folder)).use { client ->
                client.open(client.newConversation()).use { chat ->
                    chat.connection.soonFirst { it.state == ConnectionState.LIVE }
                    backend.network("no_websocket")
                    chat.connection.soonFirst { it.transport == Transport.POLLING }
                    chat.send("Still there")
                    chat.until { list -> list.any { it.isAnswer() } }
                    assertEquals(1, backend.copies(chat.id, "Still there"))
                    backend.network("up")
                    val live = chat.connection.soonFirst { it.state == ConnectionState.LIVE }
                    assertEquals(Light.GREEN, live.light)
                }
            }
        }
    }

    @Test
    fun `what a killed process accepted is sent once by the next`() = test {
            ReferenceBackend().use { backend ->
                val id = ChatClient.start(options(backend, folder)).use { it.newConversation() }
                backend.network("refuse")
                val sender = killedSender(backend.url, id)
                backend.network("up")
                ChatClient.start(options(backend, folder)).use { client ->
                    val fate = soon { client.waitForDelivery(sender) }
                    assertTrue(fate is DeliveryOutcome.OnServer)
                    assertEquals(1, backend.copies(id, "Written before the kill"))
                    val stored = client.history(id).messages
                    assertEquals(1, stored.count { it.text == "Written before the kill" })
                }
            }
        }

    /** A process of its own that accepts a message and is killed without warning. */
    private fun killedSender(url: String, conversation: ConversationId): ClientMessageId {
        val process = ProcessBuilder(
            System.getProperty("java.home") + "/bin/java",
            "-cp", System.getProperty("java.class.path"),
            "dev.tidings.KilledSenderKt", url, folder.toString(), conversation.value,
        ).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        val line = process.inputStream.bufferedReader().readLine()
        process.destroyForcibly().waitFor(60, TimeUnit.SECONDS)
        return ClientMessageId(checkNotNull(line) { "the sender accepted nothing" })
    }

    @Test
    fun `failures are typed and carry their code`() = test {
        ReferenceBackend().use { backend ->
            ChatClient.start(options(backend)).use { client ->
                val id = client.newConversation()
                val blank = assertThrows(ChatException.InvalidInput::class.java) {
                    runBlocking { client.send(id, "  ") }
                }
                assertEquals("send.blank", blank.code)
                assertEquals("text", blank.field)
                assertFalse(blank.retryable)
                backend.network("refuse")
                val lost = assertThrows(ChatException::class.java) {
                    runBlocking { client.send(id, "Not now", SendMode.DIRECT) }
                }
                assertEquals("Not now", lost.draft)
                assertFalse(lost.toString().contains("Not now"))
                assertNull(client.conversation(ConversationId("nowhere")))
            }
        }
        val wrong = assertThrows(ChatException.InvalidInput::class.java) {
            runBlocking {
                val backend = Backend.Consultations("http://127.0.0.1:9")
                val settings = mapOf("poll.active" to "never")
                ChatClient.start(ClientOptions(backend, Store.Memory, settings = settings))
            }
        }
        assertEquals("settings", wrong.field)
    }

    @Test
    fun `a closed client ends its flows and refuses further calls`() = test {
            ReferenceBackend().use { backend ->
                val client = ChatClient.start(options(backend, folder))
                val chat = client.open(client.newConversation())
                val flows = listOf(
                    client.events.map { },
                    client.outbox.map { },
                    client.conversations().map { },
                    chat.timeline().map { },
                )
                val collectors = flows.map { flow ->
                    val begun = CompletableDeferred<Unit>()
                    val all = async { flow.onEach { begun.complete(it) }.toList() }
                    begun to all
                }
                chat.send("Something for each of them to see")
                collectors.forEach { (begun, _) -> soon { begun.await() } }
                client.close()
                client.close()
                collectors.forEach { (_, all) -> assertFalse(soon { all.await() }.isEmpty()) }
                chat.connection.soonFirst { it.state == ConnectionState.CLOSED }
                assertThrows(ChatException.Closed::class.java) {
                    runBlocking { client.send(chat.id, "Too late") }
                }
                assertThrows(ChatException.Closed::class.java) { client.open(chat.id) }
                chat.close()
            }
        }
}

internal fun Message.isAnswer(): Boolean =
    role == Role.Assistant && completeness == Completeness.COMPLETE
