package dev.tidings.testing

import dev.tidings.ConversationId
import dev.tidings.ChatClient
import dev.tidings.ChatException
import dev.tidings.ConnectionState
import dev.tidings.DeliveryOutcome
import dev.tidings.FailureKind
import dev.tidings.Message
import dev.tidings.Role
import dev.tidings.SendMode
import dev.tidings.ServiceException
import dev.tidings.applying
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The whole way of a backend of one's own, through the library and back. */
class FakeChatServiceTest {
    private fun test(body: suspend CoroutineScope.() -> Unit): Unit =
        runBlocking(Dispatchers.Default) { withTimeout(60.seconds) { body() } }

    private suspend fun ChatClient.room(): ConversationId = createConversation().conversation.id

    @Test
    fun `a message reaches an own backend, and its answer comes over the session`() = test {
        val service = FakeChatService { "You said: $it" }
        testClient(service).use { client ->
            client.open(client.room()).use { chat ->
                chat.connection.first { it.state == ConnectionState.LIVE }
                val sent = chat.send("Hello")
                assertTrue(client.waitForDelivery(sent.id) is DeliveryOutcome.OnServer)
                var rows = emptyList<Message>()
                chat.timeline().first { changes ->
                    rows = rows.applying(changes)
                    rows.any { it.role == Role.Assistant }
                }
                assertEquals(listOf("Hello", "You said: Hello"), rows.map { it.text })
                service.receive(chat.id, "And one more")
                chat.timeline().first { changes ->
                    rows = emptyList<Message>().applying(changes)
                    rows.any { it.text == "And one more" }
                }
                assertEquals(1, service.messages(chat.id).count { it.own })
            }
        }
    }

    @Test
    fun `a message outlives failures of the backend and is stored once`() = test {
        val service = FakeChatService()
        testClient(service).use { client ->
            val room = client.room()
            service.goOffline(2)
            service.fail(ServiceException(FailureKind.Interrupted, outcomeUnknown = true))
            val sent = client.send(room, "Hello")
            assertTrue(client.waitForDelivery(sent.id) is DeliveryOutcome.OnServer)
            assertEquals(listOf("Hello"), service.messages(room).map { it.text })
            val story = client.explain(sent.id)
            assertTrue(story.records.any { it.reason?.code == "network.unreachable" })
        }
    }

    @Test
    fun `a refusal of the backend is a typed failure`() = test {
        val service = FakeChatService()
        testClient(service).use { client ->
            val room = client.room()
            service.fail(
                ServiceException(FailureKind.NotAllowed, outcomeUnknown = false, retryable = false),
            )
            val refused = assertThrows(ChatException.NotAllowed::class.java) {
                runBlocking { client.send(room, "Hello", SendMode.DIRECT) }
            }
            assertEquals("Hello", refused.draft)
            assertEquals("not_allowed", refused.code)
        }
    }
}
