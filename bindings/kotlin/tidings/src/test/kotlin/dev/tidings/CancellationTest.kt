package dev.tidings

import java.nio.file.Path
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class CancellationTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a send cancelled while the server is silent leaves one message, delivered once`() = test {
            ReferenceBackend().use { backend ->
                val settings = QUICK + ("websocket" to "false")
                ChatClient.start(options(backend, folder, settings = settings)).use { client ->
                    val id = client.newConversation()
                    backend.fault(
                        """{"match":{"on":"http","method":"POST"},""" +
                            """"action":{"kind":"delay","ms":1500},"times":1}""",
                    )
                    val began = CompletableDeferred<Unit>()
                    val sending = launch {
                        client.send(id, "Cancelled on its way", SendMode.DIRECT)
                    }
                    launch {
                        client.outbox.first { items -> items.any { it.attempt > 0 } }
                        began.complete(Unit)
                    }
                    soon { began.await() }
                    sending.cancel()
                    soon { sending.join() }
                    assertTrue(sending.isCancelled)
                    client.outbox.soonFirst { it.isEmpty() }
                    assertEquals(1, backend.copies(id, "Cancelled on its way"))
                    val rows = client.history(id).messages
                    assertEquals(1, rows.count { it.text == "Cancelled on its way" })
                }
            }
        }

    @Test
    fun `a send that was begun leaves one message, whenever its coroutine is cancelled`() = test {
        ReferenceBackend("--extensions", "on").use { backend ->
            ChatClient.start(options(backend, folder, extensions = true)).use { client ->
                val id = client.newConversation()
                val keys = List(20) { client.mintMessageId() }
                val jobs = keys.mapIndexed { number, key ->
                    val job = launch(start = CoroutineStart.UNDISPATCHED) {
                        client.send(id, "Number $number.", id = key)
                    }
                    // Begun undispatched, each has crossed; they differ in how far they came.
                    repeat(number) { yield() }
                    job.also { it.cancel() }
                }
                soon { jobs.joinAll() }
                keys.forEachIndexed { number, key ->
                    client.message(key).soonFirst { it != null }
                    val fate = soon { client.waitForDelivery(key) }
                    assertTrue(fate is DeliveryOutcome.OnServer, "$number: $fate")
                    assertEquals(1, backend.copies(id, "Number $number."), "$number")
                }
                client.synchronise(id)
                val rows = client.history(id, limit = 200).messages
                // Sends that are under way at once have no order among them.
                assertEquals(keys.toSet(), rows.filter { it.own }.map { it.id }.toSet())
                assertEquals(keys.size, rows.count { it.own })
            }
        }
    }
}
