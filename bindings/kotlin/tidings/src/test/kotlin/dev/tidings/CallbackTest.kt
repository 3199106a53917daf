package dev.tidings

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** F-51: what the app's own code does when it is called harms nobody but itself. */
class CallbackTest {
    @Test
    fun `a source of tokens is asked, and a throwing one is an error and no end`() = test {
            ReferenceBackend("--token", "good").use { backend ->
                val asked = AtomicInteger()
                val source = TokenSource {
                    when (asked.incrementAndGet()) {
                        1 -> throw AssertionError("not an Exception")
                        2 -> error("thrown by the app")
                        else -> "good"
                    }
                }
                ChatClient.start(options(backend, tokens = Tokens.Source(source))).use { client ->
                    repeat(2) {
                        assertThrows(ChatException::class.java) {
                            runBlocking { client.newConversation() }
                        }
                    }
                    client.open(client.newConversation()).use { chat ->
                        chat.send("Hello")
                        chat.until { list -> list.any { it.isAnswer() } }
                    }
                }
            }
        }

    @Test
    fun `a refused token is refreshed, and an ended session says so`() = test {
            ReferenceBackend("--token", "fresh").use { backend ->
                val source = TokenSource { refresh -> if (refresh) "fresh" else "stale" }
                ChatClient.start(options(backend, tokens = Tokens.Source(source))).use { client ->
                    client.newConversation()
                }
                val ended = TokenSource { throw SessionEndedException() }
                ChatClient.start(options(backend, tokens = Tokens.Source(ended))).use { client ->
                    assertThrows(ChatException.SignInRequired::class.java) {
                        runBlocking { client.newConversation() }
                    }
                }
            }
        }

    @Test
    fun `nothing of the app is called after close, however it was blocked`() = test {
            ReferenceBackend().use { backend ->
                val inside = CountDownLatch(1)
                val release = CountDownLatch(1)
                val closed = AtomicInteger()
                val late = AtomicInteger()
                val source = TokenSource {
                    if (closed.get() > 0) late.incrementAndGet()
                    inside.countDown()
                    release.await()
                    "good"
                }
                val client = ChatClient.start(options(backend, tokens = Tokens.Source(source)))
                val calls = List(4) { launch { runCatching { client.newConversation() } } }
                assertTrue(inside.await(60, TimeUnit.SECONDS))
                soon { client.shutdown() }
                closed.incrementAndGet()
                release.countDown()
                soon { calls.forEach { it.join() } }
                assertEquals(0, late.get())
            }
        }

    @Test
    fun `a source that calls the client back is answered`() = test {
        ReferenceBackend().use { backend ->
            val started = CompletableDeferred<ChatClient>()
            val seen = CompletableDeferred<Int>()
            val source = TokenSource {
                val client = started.await()
                seen.complete(client.listConversations().size)
                client.networkChanged(NetworkChange.CHANGED)
                "good"
            }
            ChatClient.start(options(backend, tokens = Tokens.Source(source))).use { client ->
                started.complete(client)
                soon { client.newConversation() }
                assertEquals(0, soon { seen.await() })
            }
        }
    }

    @Test
    fun `a collector that throws, blocks or calls back does not disturb the others`() = test {
            ReferenceBackend().use { backend ->
                ChatClient.start(options(backend)).use { client ->
                    val release = CountDownLatch(1)
                    client.open(client.newConversation()).use { chat ->
                        val thrower = launch {
                            runCatching { client.events.collect { throw AssertionError("mine") } }
                        }
                        val blocker = launch(Dispatchers.IO) {
                            runCatching { client.events.collect { release.await() } }
                        }
                        val caller = launch {
                            client.events.collect { client.history(chat.id) }
                        }
                        chat.send("Hello")
                        chat.until { list -> list.any { it.isAnswer() } }
                        soon { thrower.join() }
                        assertFalse(caller.isCompleted)
                        release.countDown()
                        blocker.cancel()
                        caller.cancel()
                    }
                }
            }
        }

    @Test
    fun `the log reaches its sink, and a throwing sink ends nothing`() = test {
            val lines = CountDownLatch(3)
            setLogSink(LogLevel.DEBUG) {
                lines.countDown()
                throw AssertionError("mine")
            }
            ReferenceBackend().use { backend ->
                ChatClient.start(options(backend)).use { client ->
                    client.open(client.newConversation()).use { chat ->
                        chat.send("Hello")
                        chat.until { list -> list.any { it.isAnswer() } }
                    }
                }
            }
            assertTrue(lines.await(60, TimeUnit.SECONDS), "no log came")
            setLogSink(LogLevel.DEBUG, null)
        }

    @Test
    fun `a cancelled collector gives everything back`() = test {
        ReferenceBackend().use { backend ->
            ChatClient.start(options(backend)).use { client ->
                val waiting = launch { client.events.first { false } }
                val never = launch { awaitCancellation() }
                waiting.cancel()
                never.cancel()
                soon { waiting.join() }
                assertTrue(waiting.isCancelled)
            }
        }
    }
}
