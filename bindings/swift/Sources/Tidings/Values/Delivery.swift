public import Foundation

/// How a message is sent.
public enum SendMode: String, Hashable, Sendable, CaseIterable {
    /// Accepted for good: it goes out by itself, whatever happens to network and process.
    case durable
    /// Tried once; proved not to have arrived, it comes back as ``ChatError/draft``.
    case direct
}

/// Why a message waits or failed.
public struct Reason: Hashable, Sendable {
    /// The stable code.
    public let code: String
    /// One sentence for a person.
    public let sentence: String
    /// Whether another try may succeed.
    public let isRetryable: Bool
    /// How long the server asked to wait.
    public let retryAfter: Duration?
}

/// A message that waits to be confirmed.
public struct OutboxEntry: Identifiable, Hashable, Sendable {
    /// The message's key.
    public let id: MessageID
    /// Where it goes.
    public let conversation: ConversationID
    /// Its text.
    public let text: String
    /// How it is sent.
    public let mode: SendMode
    /// How far it got.
    public let state: DeliveryState
    /// How often it was put on the wire.
    public let attempt: Int
    /// Failures in a row.
    public let failures: Int
    /// When it was accepted.
    public let acceptedAt: Date
    /// When it is given up, if nothing helps.
    public let expiresAt: Date
    /// When it is tried next.
    public let nextAttemptAt: Date?
    /// Why it waits.
    public let reason: Reason?
    /// Whether it waits for the user, and holds nobody up.
    public let isParked: Bool
}

extension OutboxEntry: CustomReflectable {
    /// Prints no text.
    public var customMirror: Mirror {
        Mirror(self, children: ["id": id, "state": state, "attempt": attempt])
    }
}

/// One thing that happened to a sent message.
public struct DeliveryRecord: Identifiable, Hashable, Sendable {
    /// Its place in the order of all of them; it only grows.
    public let id: Int64
    /// The message.
    public let message: MessageID
    /// Its conversation.
    public let conversation: ConversationID
    /// When.
    public let at: Date
    /// How far the message got.
    public let state: DeliveryState
    /// How often it had been put on the wire.
    public let attempt: Int
    /// When it is tried next.
    public let nextAttemptAt: Date?
    /// The server's id, once there is one.
    public let serverID: ServerMessageID?
    /// Why.
    public let reason: Reason?
}

/// What became of a message that was waited for.
public enum DeliveryOutcome: Hashable, Sendable {
    /// The server has it.
    case onServer(Message?)
    /// Proved not to have been taken.
    case failed(Reason)
    /// Nobody knows yet, and it is not ours to find out by sending again.
    case unknown(Reason)
    /// The user withdrew it.
    case cancelled
}

/// The whole story of one message.
public struct MessageStory: Hashable, Sendable {
    /// The row, while there is one.
    public let message: Message?
    /// Its place in the outbox, while it waits.
    public let outbox: OutboxEntry?
    /// What happened to it, in order.
    public let records: [DeliveryRecord]
}
