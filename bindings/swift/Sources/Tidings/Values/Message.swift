public import Foundation

/// One message as the store has it: the only truth a screen needs.
public struct Message: Identifiable, Hashable, Sendable {
    /// The key on this device, the same before and after the server confirmed it.
    public let id: MessageID
    /// The conversation it belongs to.
    public let conversation: ConversationID
    /// The server's id, once there is one.
    public let serverID: ServerMessageID?
    /// Who speaks.
    public let role: Role
    /// Which user, where the backend says.
    public let sender: UserID?
    /// Whether it was sent from this account.
    public let isOwn: Bool
    /// The text; it grows while an answer streams.
    public let text: String
    /// How far it got.
    public let state: DeliveryState
    /// How often it was put on the wire.
    public let attempts: Int
    /// When it was written: the server's time once known. For display, never for order.
    public let createdAt: Date?
    /// The message it answers, where this device saw the answer stream in and nothing contradicts it.
    public let answers: MessageID?
    /// Whether the text is all there is.
    public let completeness: Completeness
    /// Whether it was deleted and only its place remains.
    public let isDeleted: Bool
    /// A change of the user's that waits for the server, and shows already.
    public let pending: PendingChange?
    /// Whether this account has yet to read it.
    public let isUnread: Bool
    /// Whether messages right behind it are not on this device yet.
    public let hasGapAfter: Bool

    /// A message made by hand, for previews and tests; real ones come from the store.
    public init(
        id: MessageID,
        conversation: ConversationID,
        serverID: ServerMessageID? = nil,
        role: Role = .user,
        sender: UserID? = nil,
        isOwn: Bool = true,
        text: String,
        state: DeliveryState = .sent,
        attempts: Int = 0,
        createdAt: Date? = nil,
        answers: MessageID? = nil,
        completeness: Completeness = .complete,
        isDeleted: Bool = false,
        pending: PendingChange? = nil,
        isUnread: Bool = false,
        hasGapAfter: Bool = false
    ) {
        self.id = id
        self.conversation = conversation
        self.serverID = serverID
        self.role = role
        self.sender = sender
        self.isOwn = isOwn
        self.text = text
        self.state = state
        self.attempts = attempts
        self.createdAt = createdAt
        self.answers = answers
        self.completeness = completeness
        self.isDeleted = isDeleted
        self.pending = pending
        self.isUnread = isUnread
        self.hasGapAfter = hasGapAfter
    }
}

extension Message: CustomDebugStringConvertible, CustomReflectable {
    /// Prints no text: what people write does not belong in logs.
    public var debugDescription: String {
        "Message(\(id), \(role), \(state), \(completeness), \(text.utf8.count) bytes)"
    }

    /// Keeps `dump` and string interpolation from printing the text.
    public var customMirror: Mirror {
        Mirror(self, children: ["id": id, "state": state, "completeness": completeness])
    }
}

/// Who speaks in a message.
public enum Role: Hashable, Sendable {
    /// A person.
    case user
    /// The AI.
    case assistant
    /// The service itself.
    case system
    /// A tool's result.
    case function
    /// A role that this version does not know, by the backend's name.
    case other(String)
}

/// How far a message got.
public enum DeliveryState: String, Hashable, Sendable, CaseIterable {
    /// Accepted and on disk; it goes out by itself.
    case queued
    /// On the wire.
    case sending
    /// It left, and nobody knows yet whether it arrived; this settles by itself.
    case uncertain
    /// The server has it.
    case sent
    /// A recipient's device has it.
    case delivered
    /// A recipient read it.
    case read
    /// Proved not to have been taken; the text is kept for another try.
    case failed
    /// The user withdrew it.
    case cancelled
}

/// A change of the user's that waits for the server.
public enum PendingChange: String, Hashable, Sendable, CaseIterable {
    /// The text.
    case edit
    /// The deletion.
    case delete
}

/// Whether a message's text is all there is.
public enum Completeness: String, Hashable, Sendable, CaseIterable {
    /// It is.
    case complete
    /// More is coming.
    case streaming
    /// The answer broke off; what came is kept.
    case incomplete
    /// The service ended the answer with an error; what came is kept.
    case failed
    /// The user stopped the answer.
    case stopped
}
