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

/// What the user did.
public enum ActionKind: String, Hashable, Sendable, CaseIterable {
    /// Wrote a message; the action's key is the message's.
    case send
    /// Began a conversation.
    case create
    /// Ended a conversation.
    case complete
    /// Changed a message.
    case edit
    /// Deleted a message.
    case delete
    /// Read a conversation up to a message.
    case markRead
    /// Put a conversation away, or took it out again.
    case archive
    /// Stopped an answer.
    case stop
}

/// One thing the user did that the server does not have for certain.
public struct OutboxEntry: Identifiable, Hashable, Sendable {
    /// Its key; for a message, the message's.
    public let id: MessageID
    /// The conversation it is about.
    public let conversation: ConversationID
    /// What is to be done.
    public let kind: ActionKind
    /// The message it changes, where it changes one.
    public let changes: MessageID?
    /// What the user typed, where there is something; else empty.
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
        Mirror(self, children: ["id": id, "kind": kind, "state": state])
    }
}

/// One thing that happened to a message, or to another action.
public struct DeliveryRecord: Identifiable, Hashable, Sendable {
    /// Its place in the order of all of them; it only grows.
    public let id: Int64
    /// The message, or the action.
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
