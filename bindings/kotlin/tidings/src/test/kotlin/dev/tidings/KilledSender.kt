package dev.tidings

import java.nio.file.Path
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking

/** Accepts one message, says so, and waits to be killed. */
fun main(arguments: Array<String>): Unit = runBlocking {
    val (url, folder, conversation) = arguments
    val client = ChatClient.start(
        ClientOptions(
            backend = Backend.Consultations(url),
            store = Store.File(Path.of(folder, "chat.db").toString()),
            tokens = Tokens.Fixed("a"),
            settings = QUICK,
        ),
    )
    println(client.send(ConversationId(conversation), "Written before the kill").id)
    System.out.flush()
    awaitCancellation()
}
