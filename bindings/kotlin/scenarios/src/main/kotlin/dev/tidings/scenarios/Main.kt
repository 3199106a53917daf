package dev.tidings.scenarios

import java.io.File
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** A step that takes longer has failed: everything waits for an event, and none comes that late. */
private val PATIENCE = 60.seconds

/** What ends a player: a scenario that is wrong, or an event that never came. */
internal class Stuck(why: String) : Exception(why)

/**
 * Plays one golden scenario and prints its trace: `SCENARIO ORIGIN ADMIN FOLDER FROM [BACKEND]`, as
 * the other players do. The format is described in `tests/scenarios/README.md`.
 */
fun main(arguments: Array<String>) {
    if (arguments.size !in 5..6) {
        System.err.println("usage: SCENARIO ORIGIN ADMIN FOLDER FROM [BACKEND]")
        exitProcess(2)
    }
    val (file, origin, admin, folder, from) = arguments
    try {
        val scenario = Scenario.read(File(file))
        val opponent = Opponent.named(arguments.getOrNull(5), File(file))
        runBlocking(Dispatchers.Default) {
            play(scenario, Stage(scenario, opponent, origin, admin, File(folder)), from.toInt())
        }
    } catch (stuck: Stuck) {
        System.err.println(stuck.message)
        exitProcess(1)
    }
    // Threads of the JVM's own HTTP client would hold up the end.
    exitProcess(0)
}

private suspend fun play(scenario: Scenario, stage: Stage, from: Int) {
    if (from > 0) stage.takeOver()
    stage.start()
    val lacking = scenario.needs.firstOrNull { !stage.has(it) }
    if (from == 0 && lacking != null) return println("skipped: the backend lacks $lacking")
    for (number in from..<scenario.steps.size) {
        val step = scenario.steps[number]
        stage.next = number + 1
        val lines = try {
            withTimeout(PATIENCE) { stage.perform(step, number) }
        } catch (_: TimeoutCancellationException) {
            throw Stuck("${step.label(number)}: nothing came")
        }
        println("${step.label(number)}: ${lines.first()}")
        lines.drop(1).forEach { println("  $it") }
    }
    stage.leave()
}
