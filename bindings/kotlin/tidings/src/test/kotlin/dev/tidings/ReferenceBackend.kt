package dev.tidings

import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** The reference backend, on free ports of this machine; ended with the test that started it. */
class ReferenceBackend(vararg arguments: String) : AutoCloseable {
    private val process: Process
    val url: String
    private val admin: String
    private val http = HttpClient.newHttpClient()

    init {
        val program = checkNotNull(System.getProperty("tidings.backend")) { "no backend is named" }
        val command = listOf(program, "--listen", "127.0.0.1:0", "--word-delay", "5ms") + arguments
        process = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start()
        val line = checkNotNull(process.inputStream.bufferedReader().readLine()) { "it ended" }
        val addresses = Regex("http://[0-9.:]+").findAll(line).map { it.value }.toList()
        url = addresses[0]
        admin = addresses[1]
    }

    /** `up`, `refuse`, `blackhole` or `no_websocket`. */
    fun network(mode: String) = post("/admin/network", """{"mode":"$mode"}""")

    /** Adds a fault rule. */
    fun fault(rule: String) = post("/admin/faults", rule)

    fun wordDelay(millis: Int) = post("/admin/coach", """{"word_delay_ms":$millis}""")

    /** How often the server has this text. */
    fun copies(conversation: ConversationId, text: String): Int {
        val request = HttpRequest.newBuilder(URI("$admin/admin/messages/$conversation"))
        val body = http.send(request.build(), HttpResponse.BodyHandlers.ofString()).body()
        return Regex.fromLiteral("\"content\":\"$text\"").findAll(body).count()
    }

    private fun post(path: String, body: String) {
        val request = HttpRequest.newBuilder(URI("$admin$path"))
            .POST(HttpRequest.BodyPublishers.ofString(body))
        val answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString())
        check(answer.statusCode() in 200..299) { "$path: ${answer.statusCode()} ${answer.body()}" }
    }

    override fun close() {
        process.destroyForcibly().waitFor(30, TimeUnit.SECONDS)
    }
}

/** Delays short enough for a test; nothing else differs from what ships. */
val QUICK: Map<String, String> = mapOf(
    "reconnect.base" to "100ms",
    "reconnect.max" to "300ms",
    "send.base" to "100ms",
    "send.max" to "300ms",
    "poll.active" to "1s",
    "poll.recent" to "1s",
    "poll.idle" to "1s",
)

fun options(
    backend: ReferenceBackend,
    folder: Path? = null,
    tokens: Tokens = Tokens.Fixed("a"),
    settings: Map<String, String> = QUICK,
    extensions: Boolean = false,
): ClientOptions = ClientOptions(
    backend = Backend.Consultations(backend.url, extensions = extensions),
    store = folder?.let { Store.File(it.resolve("chat.db").toString()) } ?: Store.Memory,
    tokens = tokens,
    settings = settings,
)

/** A test on real threads; it returns nothing, as the test framework wants it. */
fun test(body: suspend CoroutineScope.() -> Unit): Unit = runBlocking(Dispatchers.Default) { body() }

/** Waits for an event with a bound that only a broken SDK meets. */
suspend fun <T> soon(wait: suspend () -> T): T = withTimeout(60.seconds) { wait() }

/** The first list of a timeline that satisfies. */
suspend fun Conversation.until(satisfied: (List<Message>) -> Boolean): List<Message> = soon {
    var list = emptyList<Message>()
    timeline().first { changes ->
        list = list.applying(changes)
        satisfied(list)
    }
    list
}

suspend fun <T> Flow<T>.soonFirst(satisfied: suspend (T) -> Boolean): T =
    soon { first { satisfied(it) } }

suspend fun ChatClient.newConversation(): ConversationId =
    createConversation(NewConversation(persona = "nutritionist")).conversation.id
