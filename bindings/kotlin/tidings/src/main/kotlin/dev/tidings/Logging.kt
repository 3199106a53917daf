package dev.tidings

import dev.tidings.ffi.LogSink as FfiSink
import dev.tidings.ffi.setLogSink as ffiSetLogSink
import dev.tidings.ffi.LogLevel as FfiLevel
import dev.tidings.ffi.LogRecord as FfiRecord

/** How much a record matters. */
public enum class LogLevel {
    /** Something is broken. */
    ERROR,

    /** Something went wrong and was dealt with. */
    WARN,

    /** What a maintainer wants to see of a healthy run. */
    INFO,

    /** Each step. */
    DEBUG,
}

/**
 * One record; it never holds a token, a key or a message's text.
 *
 * @property line the event's stable name, then its fields
 * @property dropped records that were dropped before this one because the sink was slow
 */
public data class LogRecord(
    val level: LogLevel,
    val module: String,
    val line: String,
    val dropped: Long,
)

/**
 * Sends the SDK's log of this process to [sink], from [level] up; null turns it off.
 *
 * The sink is called on one thread of the SDK; it may block, and what it throws is dropped.
 */
public fun setLogSink(level: LogLevel, sink: ((LogRecord) -> Unit)?): Unit = calling {
    ffiSetLogSink(sink?.let(::LogAdapter), FfiLevel.entries[level.ordinal])
}

private class LogAdapter(private val sink: (LogRecord) -> Unit) : FfiSink {
    override fun log(records: List<FfiRecord>) {
        for (record in records) {
            // An Error would otherwise end in the bridge's own log.
            runCatching { sink(record.native()) }
        }
    }
}

private fun FfiRecord.native() =
    LogRecord(LogLevel.entries[level.ordinal], module, line, dropped)
