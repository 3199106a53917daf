/// A backend of the app's own: the calls that the core makes to a server.
///
/// Each call runs in a task of its own, several at once. What it throws should be a
/// ``BackendFailure``; any other error leaves the outcome unknown, and so does silence. The calls
/// with a default need only be there where ``capabilities`` says so.
public protocol ChatBackend: Sendable {
    /// What it can do; asked once, at the start.
    var capabilities: Capabilities { get }

    /// Creates a conversation, or names the one that is in its place; send `key` along where the
    /// backend takes one.
    func createConversation(
        _ new: NewConversation, key: MessageID?
    ) async throws -> CreatedAtServer
    /// One page of the list of conversations.
    func conversations(activeOnly: Bool, cursor: String?) async throws -> ServerConversationPage
    /// One page of history, oldest first.
    func history(
        of conversation: ConversationID, _ range: HistoryRange, limit: Int
    ) async throws -> ServerHistoryPage
    /// Sends a message.
    func send(_ message: OutgoingMessage) async throws -> SendReceipt
    /// Opens a realtime session; return once it is up, and hand its events to `events`.
    func connect(
        _ conversation: ConversationID, events: SessionEvents
    ) async throws -> any BackendSession

    /// The server's word on one conversation.
    func conversation(_ id: ConversationID) async throws -> ServerConversation
    /// Did this send happen?
    func reconcile(_ message: OutgoingMessage) async throws -> Reconciliation
    /// Moves the read marker.
    func markRead(_ conversation: ConversationID, upTo message: ServerMessageID) async throws
    /// Edits a sent message.
    func edit(
        _ message: ServerMessageID, in conversation: ConversationID, text: String
    ) async throws -> ServerMessage
    /// Deletes a sent message.
    func delete(_ message: ServerMessageID, in conversation: ConversationID) async throws
    /// Stops the answer under way.
    func stopAnswer(in conversation: ConversationID) async throws
    /// Puts a conversation away, or takes it out again.
    func archive(_ conversation: ConversationID, _ isArchived: Bool) async throws
    /// Marks a conversation as done.
    func complete(_ conversation: ConversationID) async throws -> ServerConversation
    /// Deletes a conversation.
    func deleteConversation(_ conversation: ConversationID) async throws
}

extension ChatBackend {
    public func conversation(_ id: ConversationID) async throws -> ServerConversation {
        throw BackendFailure(.unsupported)
    }

    public func reconcile(_ message: OutgoingMessage) async throws -> Reconciliation {
        throw BackendFailure(.unsupported)
    }

    public func markRead(_ conversation: ConversationID, upTo: ServerMessageID) async throws {
        throw BackendFailure(.unsupported)
    }

    public func edit(
        _ message: ServerMessageID, in conversation: ConversationID, text: String
    ) async throws -> ServerMessage {
        throw BackendFailure(.unsupported)
    }

    public func delete(_ message: ServerMessageID, in conversation: ConversationID) async throws {
        throw BackendFailure(.unsupported)
    }

    public func stopAnswer(in conversation: ConversationID) async throws {
        throw BackendFailure(.unsupported)
    }

    public func archive(_ conversation: ConversationID, _ isArchived: Bool) async throws {
        throw BackendFailure(.unsupported)
    }

    public func complete(_ conversation: ConversationID) async throws -> ServerConversation {
        throw BackendFailure(.unsupported)
    }

    public func deleteConversation(_ conversation: ConversationID) async throws {
        throw BackendFailure(.unsupported)
    }
}

/// A realtime session that a ``ChatBackend`` opened.
public protocol BackendSession: Sendable {
    /// Puts a message on the wire; the confirmation comes as an event.
    func send(_ message: OutgoingMessage) async throws
    /// Asks the peer for a sign of life; it comes as an event.
    func probe() async throws
    /// Stops the answer under way.
    func stopAnswer() async throws
    /// Tells the others that the user types, or stopped.
    func setTyping(_ isActive: Bool) async throws
    /// Confirms messages that are stored now.
    func acknowledge(_ messages: [ServerMessageID]) async throws
    /// Closes it.
    func close() async
}

extension BackendSession {
    public func send(_ message: OutgoingMessage) async throws {
        throw BackendFailure(.unsupported)
    }

    public func probe() async throws {
        throw BackendFailure(.unsupported)
    }

    public func stopAnswer() async throws {
        throw BackendFailure(.unsupported)
    }

    public func setTyping(_ isActive: Bool) async throws {
        throw BackendFailure(.unsupported)
    }

    public func acknowledge(_ messages: [ServerMessageID]) async throws {}
}
