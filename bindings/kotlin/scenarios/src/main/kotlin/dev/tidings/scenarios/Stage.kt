package dev.tidings.scenarios

import dev.tidings.ChatClient
import dev.tidings.ClientMessageId
import dev.tidings.ClientOptions
import dev.tidings.Conversation
import dev.tidings.ConversationId
import dev.tidings.SessionEndedException
import dev.tidings.Store
import dev.tidings.TokenSource
import dev.tidings.Tokens
import java.io.File
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** What a scenario is played on: the client, the names it gave, and what it has seen. */
internal class Stage(
    private val scenario: Scenario,
    val opponent: Opponent,
    private val origin: String,
    private val admin: String,
    private val folder: File,
) {
    lateinit var client: ChatClient
    val open = mutableMapOf<String, Conversation>()
    val refreshes = AtomicInteger()

    /** The step that follows the one under way. */
    var next = 0
    private val names = mutableMapOf<String, String>()
    private var seen = Channel<String>(Channel.UNLIMITED)

    /** Of its own accord it asks for HTTP/2, and a server with sockets takes that for one of them. */
    private val http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()

    suspend fun start() {
        client = ChatClient.start(
            ClientOptions(
                opponent.backend(origin, scenario.extensions),
                Store.File(folder.resolve("chat.db").path),
                tokens = if (scenario.tokens.isEmpty()) Tokens.None else Tokens.Source(tokens()),
                settings = scenario.settings,
            ),
        )
        val names = Channel<String>(Channel.UNLIMITED)
        seen = names
        // Begun undispatched, it listens before the next step.
        CoroutineScope(Dispatchers.Default).launch(start = CoroutineStart.UNDISPATCHED) {
            client.events.collect { names.send(it.named()) }
        }
    }

    /** One after the other, and then the session is over. */
    private fun tokens() = TokenSource { refresh ->
        val at = if (refresh) refreshes.incrementAndGet() else refreshes.get()
        scenario.tokens.getOrNull(at) ?: throw SessionEndedException()
    }

    fun has(need: String): Boolean = with(client.capabilities) {
        when (need) {
            "streaming" -> streaming
            "stop" -> stop
            "edit" -> edit
            "delete" -> delete
            "contexts" -> contexts
            "complete" -> complete
            "delete_conversation" -> deleteConversation
            "read_marker" -> readMarker
            "idempotent_send" -> idempotentSend
            else -> false
        }
    }

    /** Waits for an event of this name, and forgets it with all before it. */
    suspend fun awaitNext(name: String) {
        while (seen.receive() != name) Unit
    }

    suspend fun leave() {
        open.values.forEach { it.close() }
        open.clear()
        client.shutdown()
    }

    suspend fun reopen() {
        leave()
        start()
    }

    /** Leaves to the next player what it needs, and goes without a word. */
    fun kill() {
        val left = JsonObject(
            mapOf(
                "next" to JsonPrimitive(next),
                "names" to JsonObject(names.mapValues { JsonPrimitive(it.value) }),
            ),
        )
        folder.resolve("left.json").writeText(left.toString())
        System.out.flush()
        ProcessBuilder("kill", "-9", ProcessHandle.current().pid().toString()).start().waitFor()
        Runtime.getRuntime().halt(137)
    }

    fun takeOver() {
        val left = Json.parseToJsonElement(folder.resolve("left.json").readText()) as JsonObject
        for ((name, id) in left["names"] as JsonObject) give(name, (id as JsonPrimitive).content)
    }

    fun give(name: String, id: String) {
        names[name] = id
    }

    /** The id behind a name; what has none is taken as it is. */
    fun id(name: String): String = names[name] ?: name

    /** The name of an id: the scenario's, or a number in the order of appearance. */
    fun name(id: String): String =
        names.entries.sortedBy { it.key }.firstOrNull { it.value == id }?.key
            ?: "#${1 + names.keys.count { it.startsWith("#") }}".also { give(it, id) }

    fun conversation(name: String) = ConversationId(id(name))

    fun message(name: String) = ClientMessageId(id(name))

    fun askAdmin(path: String, body: String?): String = ask(admin, path, body, null)

    fun askAsOther(path: String, body: String): String =
        ask(origin, path, body, scenario.tokens.lastOrNull())

    private fun ask(base: String, path: String, body: String?, token: String?): String {
        val request = HttpRequest.newBuilder(URI(base + withIds(path)))
        if (body != null) request.POST(HttpRequest.BodyPublishers.ofString(withIds(body)))
        request.header("content-type", "application/json")
        token?.let { request.header("authorization", "Bearer $it") }
        val answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString())
        if (answer.statusCode() !in 200..299) throw Stuck("$path: ${answer.statusCode()}")
        return answer.body()
    }

    /** `$name` stands for an id; the longest name first, as one may begin with another. */
    private fun withIds(text: String): String =
        names.keys.sortedByDescending { it.length }
            .fold(text) { all, name -> all.replace("$$name", id(name)) }
}
