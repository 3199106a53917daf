package dev.tidings.sample

import dev.tidings.Backend
import dev.tidings.ChatClient
import dev.tidings.ClientEvent
import dev.tidings.ClientOptions
import dev.tidings.NewConversation
import dev.tidings.Store
import dev.tidings.StreamPhase
import dev.tidings.Tokens
import kotlin.system.exitProcess
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

/** A chat in the terminal: `sample URL [TOKEN]`; an empty line ends it. */
public fun main(arguments: Array<String>) {
    val url = arguments.firstOrNull()
    if (url == null) {
        System.err.println("usage: sample URL [TOKEN]")
        exitProcess(2)
    }
    val tokens = arguments.getOrNull(1)?.let(Tokens::Fixed) ?: Tokens.None
    runBlocking { chat(ClientOptions(Backend.Consultations(url), Store.File("chat.db"), tokens)) }
}

private suspend fun chat(options: ClientOptions): Unit = ChatClient.start(options).use { client ->
    val id = client.createConversation(NewConversation(persona = "nutritionist")).conversation.id
    client.open(id).use { chat ->
        coroutineScope {
            val printing = launch { client.events.collect(::print) }
            while (true) {
                val line = withContext(Dispatchers.IO) { readlnOrNull() }
                if (line.isNullOrBlank()) break
                chat.send(line) // on disk when this returns
            }
            client.flush()
            printing.cancel()
        }
    }
}

private fun print(event: ClientEvent) {
    when (event) {
        is ClientEvent.Stream -> when (event.phase) {
            StreamPhase.DELTA -> kotlin.io.print(event.text)
            StreamPhase.COMPLETED -> println()
            else -> Unit
        }
        is ClientEvent.Connection -> println("[${event.status.light}]")
        else -> Unit
    }
}
