internal import TidingsFFI

/// The newest messages of a conversation: first a ``TimelineChange/reset(_:)`` with the whole
/// window, then changes, several at a time where several happened at once.
///
/// Nothing is queued: a slow reader skips what was overtaken, and its list is whole all the same.
/// More changes at once than are worth applying one by one come as one reset. The sequence ends
/// with its task, and when the client is closed. Each iteration is a look of its own.
public struct Timeline: AsyncSequence, Sendable {
    public typealias Element = [TimelineChange]

    let open: @Sendable () throws -> TidingsFFI.Timeline

    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: FeedReader(opening: open))
    }

    /// Reads one timeline; not for two tasks at a time.
    public struct Iterator: AsyncIteratorProtocol {
        var reader: FeedReader<TidingsFFI.Timeline>

        /// The next changes, never empty; `nil` at the end.
        public mutating func next() async throws -> [TimelineChange]? {
            try await reader.next()?.map(TimelineChange.init(boundary:))
        }

        /// Shows that many more of the older messages that are on this device.
        public func widen(by count: Int) {
            reader.source?.widen(by: Int32(clamping: count))
        }
    }
}

/// Passing events, from the moment the iteration began.
///
/// The core keeps a bounded number for a slow reader; one that falls further behind finds a
/// ``ChatEvent/discontinuity(missed:)`` in their place. What must not be missed is in the store.
public struct ChatEvents: AsyncSequence, Sendable {
    public typealias Element = ChatEvent

    let open: @Sendable () throws -> TidingsFFI.EventFeed

    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: FeedReader(opening: open))
    }

    /// Reads the events; not for two tasks at a time.
    public struct Iterator: AsyncIteratorProtocol {
        var reader: FeedReader<TidingsFFI.EventFeed>
        private var batch: ArraySlice<TidingsFFI.ClientEvent> = []

        init(reader: FeedReader<TidingsFFI.EventFeed>) {
            self.reader = reader
        }

        /// The next event; `nil` at the end.
        public mutating func next() async throws -> ChatEvent? {
            if batch.isEmpty {
                guard let more = try await reader.next() else { return nil }
                batch = more[...]
            }
            return batch.popFirst().map(ChatEvent.init(boundary:))
        }
    }
}

/// How a conversation is connected: at once how it is now, then every change.
///
/// A slow reader skips what was overtaken while the core had to let go of events; after that the
/// state is asked for anew, so the last one seen is always the true one.
public struct ConnectionUpdates: AsyncSequence, Sendable {
    public typealias Element = ConnectionStatus

    let conversation: ConversationID
    let events: ChatEvents
    let now: @Sendable () async throws -> ConnectionStatus

    public func makeAsyncIterator() -> Iterator {
        Iterator(updates: self, events: events.makeAsyncIterator())
    }

    /// Reads the states; not for two tasks at a time.
    public struct Iterator: AsyncIteratorProtocol {
        let updates: ConnectionUpdates
        var events: ChatEvents.Iterator
        private var shown: ConnectionStatus?
        private var looksAnew = true

        init(updates: ConnectionUpdates, events: ChatEvents.Iterator) {
            self.updates = updates
            self.events = events
        }

        /// The next state that differs from the last one; `nil` at the end.
        public mutating func next() async throws -> ConnectionStatus? {
            while true {
                guard let status = try await candidate() else { return nil }
                guard status != shown else { continue }
                shown = status
                return status
            }
        }

        private mutating func candidate() async throws -> ConnectionStatus? {
            if looksAnew {
                looksAnew = false
                return try await updates.now()
            }
            while let event = try await events.next() {
                switch event {
                case .connection(updates.conversation, let status): return status
                case .discontinuity: return try await updates.now()
                default: continue
                }
            }
            return nil
        }
    }
}

/// One thing that is watched: how it is, at once, then whenever it changed. A slow reader skips
/// what was overtaken. The sequence ends with its task, and when the client is closed.
public struct Snapshots<Element: Sendable>: AsyncSequence, Sendable {
    let open: @Sendable () async throws -> Watch
    let read: @Sendable (Snapshot) -> Element?

    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: FeedReader(later: open), read: read)
    }

    /// Reads one thing that is watched; not for two tasks at a time.
    public struct Iterator: AsyncIteratorProtocol {
        var reader: FeedReader<Watch>
        let read: @Sendable (Snapshot) -> Element?

        /// The next look; `nil` at the end.
        public mutating func next() async throws -> Element? {
            while let snapshot = try await reader.next() {
                if let element = read(snapshot) { return element }
            }
            return nil
        }
    }
}
