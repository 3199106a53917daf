package dev.tidings.endurance

import com.sun.jna.Function
import com.sun.jna.NativeLong
import java.io.File
import java.lang.management.ManagementFactory
import java.lang.management.MemoryType

/** What may come on top of what the first tenth of a run needed. */
private const val GROWTH = 1L shl 20

/**
 * Measures what this process keeps: the living objects of the JVM's heap, and of what is in memory
 * all that is not the JVM's own.
 *
 * The heap is one block, in memory from the start (`-Xms` as `-Xmx`, `-XX:+AlwaysPreTouch`), so a
 * leak in it does not show in the system's figure and is counted from within, after a collection.
 * Compiled code and descriptions of classes grow with what the JVM learns of a program, not with
 * what the program keeps; they are taken off the system's figure and printed.
 *
 * A JVM's memory goes up and down by a mebibyte of its own accord, so it is read after each tenth,
 * and the growth is what a straight line through the readings rises: the median of the slopes
 * between any two of them, which no single reading can move. Two readings alone, one after the first
 * tenth and one at the end, say 696 and 784 KiB for ten thousand clients and 1,132 and 1,596 KiB for
 * a hundred thousand events where nothing leaks, even after a warm-up that is not counted.
 */
internal class Meter(private val name: String) {
    private val readings = mutableListOf<Reading>()

    /** After each tenth. */
    fun read() {
        readings += Reading.now()
    }

    /** Says how much came since the first tenth, and whether that is little enough. */
    fun isWithin(rounds: Int): Boolean {
        val (native, heap) = rise { it.native } to rise { it.heap }
        println(
            "$name: $rounds rounds, grown by ${(native + heap) / 1024} KiB: " +
                "${native / 1024} outside the heap, ${heap / 1024} of living objects " +
                "(of compiled code and classes: ${rise { it.learned } / 1024})",
        )
        return native + heap <= GROWTH
    }

    private fun rise(figure: (Reading) -> Long): Long {
        val figures = readings.map(figure)
        val slopes = figures.indices.flatMap { from ->
            (from + 1..<figures.size).map { to -> (figures[to] - figures[from]) / (to - from) }
        }.sorted()
        return slopes[slopes.size / 2] * (figures.size - 1)
    }
}

/** Bytes: outside the heap and not the JVM's own, of living objects, of code and classes. */
private class Reading(val native: Long, val heap: Long, val learned: Long) {
    companion object {
        fun now(): Reading {
            collectAll()
            val learned = used(MemoryType.NON_HEAP)
            giveBackWhatIsFree()
            return Reading(resident() - learned, used(MemoryType.HEAP), learned)
        }

        /**
         * Collects until nothing more goes: what the library lent to objects is given back by threads
         * of their own, which on a busy machine come late. A leak never goes.
         */
        private fun collectAll() {
            var (least, quiet, rounds) = Triple(Long.MAX_VALUE, 0, 0)
            while (quiet < 4 && rounds < 100) {
                System.gc()
                Thread.sleep(100)
                val now = used(MemoryType.HEAP)
                quiet = if (now < least - 16 * 1024) 0 else quiet + 1
                least = minOf(least, now)
                rounds += 1
            }
        }

        /** What was freed and kept at hand by the C library is no leak; elsewhere than glibc it stays. */
        private fun giveBackWhatIsFree() {
            runCatching { Function.getFunction("c", "malloc_trim").invokeInt(arrayOf(NativeLong(0))) }
        }

        private fun used(type: MemoryType): Long = ManagementFactory.getMemoryPoolMXBeans()
            .filter { it.type == type }
            .sumOf { it.usage.used }

        /** Bytes of this process that are in memory; nothing where the system does not say. */
        private fun resident(): Long {
            val told = File("/proc/self/statm").takeIf { it.exists() }?.readText() ?: return 0
            return told.split(' ')[1].toLong() * 4096
        }
    }
}
