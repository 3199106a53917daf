import Foundation
import Tidings
import TidingsTesting

extension TimelineChange {
    /// The messages that a change brings.
    var messages: [Message] {
        switch self {
        case .reset(let messages): messages
        case .insert(_, let message), .update(_, let message): [message]
        case .remove: []
        }
    }
}

/// A backend that counts the calls it gets, and those under way; it answers no send before it is
/// cancelled.
final class CountingBackend: ChatBackend, @unchecked Sendable {
    private let inner: FakeBackend
    private let lock = NSLock()
    private var counted = (calls: 0, running: 0, sends: 0)

    init(_ inner: FakeBackend) {
        self.inner = inner
    }

    var calls: Int { lock.withLock { counted.calls } }
    var running: Int { lock.withLock { counted.running } }
    var sends: Int { lock.withLock { counted.sends } }
    var capabilities: Capabilities { inner.capabilities }

    private func count<Answer>(_ call: () async throws -> Answer) async throws -> Answer {
        lock.withLock {
            counted.calls += 1
            counted.running += 1
        }
        defer { lock.withLock { counted.running -= 1 } }
        return try await call()
    }

    func createConversation(
        _ new: NewConversation, key: MessageID?
    ) async throws -> CreatedAtServer {
        try await count { try await inner.createConversation(new, key: key) }
    }

    func conversations(activeOnly: Bool, cursor: String?) async throws -> ServerConversationPage {
        try await count { try await inner.conversations(activeOnly: activeOnly, cursor: cursor) }
    }

    func history(
        of conversation: ConversationID, _ range: HistoryRange, limit: Int
    ) async throws -> ServerHistoryPage {
        try await count { try await inner.history(of: conversation, range, limit: limit) }
    }

    func send(_ message: OutgoingMessage) async throws -> SendReceipt {
        try await count {
            lock.withLock { counted.sends += 1 }
            try await Task.sleep(for: .seconds(3600))
            return try await inner.send(message)
        }
    }

    func connect(
        _ conversation: ConversationID, events: SessionEvents
    ) async throws -> any BackendSession {
        try await count { try await inner.connect(conversation, events: events) }
    }
}
