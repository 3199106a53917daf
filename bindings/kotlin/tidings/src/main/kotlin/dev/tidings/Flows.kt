package dev.tidings

import dev.tidings.ffi.EventFeed
import dev.tidings.ffi.Snapshot
import dev.tidings.ffi.Timeline
import dev.tidings.ffi.Watch
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** Reads until the end; what was opened is given back however the collector leaves. */
internal fun eventFlow(open: () -> EventFeed): Flow<ClientEvent> = flow {
    calling(open).use { feed ->
        while (true) {
            val batch = calling { feed.next() } ?: break
            for (event in batch) emit(event.native())
        }
    }
}

internal fun watchFlow(open: suspend () -> Watch): Flow<Snapshot> = flow {
    calling { open() }.use { watch ->
        while (true) emit(calling { watch.next() } ?: break)
    }
}

internal fun timelineFlow(open: () -> Timeline): Flow<List<TimelineChange>> = flow {
    calling(open).use { timeline ->
        while (true) {
            val changes = calling { timeline.next() } ?: break
            emit(changes.map { it.native() })
        }
    }
}
