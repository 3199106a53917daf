package dev.tidings.endurance

import kotlin.system.exitProcess
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/**
 * Opens and closes clients and reads events, and ends with a failure where memory grows by more than
 * a mebibyte after the first tenth: `10000`. Or only says what an event costs: `events 100000`.
 */
fun main(arguments: Array<String>) {
    val within = runBlocking(Dispatchers.Default) {
        when {
            arguments.firstOrNull() == "events" -> readEvents(arguments[1].toInt(), Meter("events"))
            else -> endure(arguments.firstOrNull()?.toInt() ?: 300)
        }
    }
    exitProcess(if (within) 0 else 1)
}

private suspend fun endure(rounds: Int): Boolean {
    val opened = openAndClose(rounds, Meter("open and close"))
    return readEvents(rounds * 10, Meter("events")) && opened
}
