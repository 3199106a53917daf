package dev.tidings.endurance

import dev.tidings.ClientEvent
import dev.tidings.ConnectionState
import dev.tidings.ConversationId
import dev.tidings.SessionEvent
import dev.tidings.UserId
import dev.tidings.testing.FakeChatService
import dev.tidings.testing.testClient
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch

/** As many as a session and a reader keep at a time. */
private const val BATCH = 500

/** One client after the other, each with an open conversation and a timeline that is read. */
internal suspend fun openAndClose(rounds: Int, meter: Meter): Boolean {
    for (round in 1..rounds) {
        testClient().use { client ->
            client.open(client.createConversation().conversation.id).use { chat ->
                chat.timeline().first()
            }
        }
        if (round % (rounds / 10) == 0) meter.read()
    }
    return meter.isWithin(rounds)
}

/** Events from the app's own backend, through the library, to a collector. */
internal suspend fun readEvents(count: Int, meter: Meter): Boolean {
    val service = FakeChatService()
    testClient(service).use { client ->
        client.open(client.createConversation().conversation.id).use { chat ->
            chat.connection.first { it.state == ConnectionState.LIVE }
            coroutineScope {
                val read = Channel<Unit>(Channel.UNLIMITED)
                val reader = launch(start = CoroutineStart.UNDISPATCHED) {
                    client.events.collect { if (it is ClientEvent.Typing) read.send(Unit) }
                }
                pass(service, chat.id, count, read, meter)
                reader.cancel()
            }
        }
    }
    return meter.isWithin(count)
}

/** The first tenth is the warming up, as the memory's is. */
private suspend fun pass(
    service: FakeChatService,
    id: ConversationId,
    count: Int,
    read: Channel<Unit>,
    meter: Meter,
) {
    val user = UserId("u1")
    val tenths = (1..10).map {
        val started = TimeSource.Monotonic.markNow()
        repeat(count / 10 / BATCH) {
            repeat(BATCH) { number ->
                service.push(id, SessionEvent.Typing(user, active = number % 2 == 0))
            }
            repeat(BATCH) { read.receive() }
        }
        started.elapsedNow().inWholeNanoseconds.also { meter.read() }
    }
    println("cost of an event: ${tenths.drop(1).sum() / (count / 10 * 9)} ns")
}
