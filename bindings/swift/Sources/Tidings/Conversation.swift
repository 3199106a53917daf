internal import TidingsFFI

/// A conversation. One that was opened is connected while this object lives and is not left; its
/// socket closes within a second after the last one of a conversation has gone.
public final class Conversation: Sendable, Identifiable {
    /// Which conversation.
    public let id: ConversationID
    private let client: ChatClient
    private let core: TidingsFFI.Conversation?

    init(id: ConversationID, client: ChatClient, core: TidingsFFI.Conversation?) {
        self.id = id
        self.client = client
        self.core = core
    }

    // MARK: Messages

    /// Sends a message. In durable mode it is on disk when this returns, and goes out whatever
    /// happens; in direct mode it is on the server.
    ///
    /// Under a key of the caller's own (``ChatClient/mintMessageID()``) a repeated call sends
    /// nothing twice. Once begun the send goes on, whether or not the task still waits.
    @discardableResult
    public func send(
        _ text: String, mode: SendMode = .durable, id message: MessageID? = nil
    ) async throws -> Message {
        let row = try await call {
            try await client.core.send(
                conversation: id.rawValue, text: text, mode: mode.boundary,
                id: message?.rawValue, cancel: $0)
        }
        return Message(boundary: row)
    }

    /// The newest `window` messages, then their changes.
    public func timeline(window: Int = 50) -> Timeline {
        let (core, id) = (client.core, id.rawValue)
        return Timeline { try core.timeline(conversation: id, window: Int32(clamping: window)) }
    }

    /// The newest 50 messages, then their changes.
    public var timeline: Timeline { timeline() }

    /// A page of stored messages, oldest first; go on with ``HistoryPage/older``.
    public func history(
        before: String? = nil, limit: Int = 50, includeDeleted: Bool = false
    ) async throws -> HistoryPage {
        let page = try await shortCall {
            try await client.core.history(
                conversation: id.rawValue, before: before, limit: Int32(clamping: limit),
                includeDeleted: includeDeleted)
        }
        return HistoryPage(boundary: page)
    }

    /// Reads one page before what is stored; answers whether the server has still more.
    @discardableResult
    public func loadOlder() async throws -> Bool {
        try await call { try await client.core.loadOlder(conversation: id.rawValue, cancel: $0) }
    }

    /// Reads what is new at the server, or with `whole` everything back to the beginning; answers
    /// how many messages were new.
    @discardableResult
    public func synchronise(whole: Bool = false) async throws -> Int {
        let new = try await call {
            try await client.core.synchronise(conversation: id.rawValue, whole: whole, cancel: $0)
        }
        return Int(new)
    }

    // MARK: State

    /// How it is connected: at once how it is now, then every change.
    public var connection: ConnectionUpdates {
        ConnectionUpdates(conversation: id, events: client.events) { [core] in
            guard let core else { return ConnectionStatus(state: .idle, light: .red) }
            return ConnectionStatus(boundary: try await core.connection())
        }
    }

    /// Marks everything as read.
    @discardableResult
    public func markRead() async throws -> ConversationDetails {
        let row = try await shortCall { try await client.core.markRead(conversation: id.rawValue) }
        return ConversationDetails(boundary: row)
    }

    /// Puts it away, or takes it out again.
    @discardableResult
    public func archive(_ archived: Bool = true) async throws -> ConversationDetails {
        let row = try await shortCall {
            try await client.core.archive(conversation: id.rawValue, archived: archived)
        }
        return ConversationDetails(boundary: row)
    }

    /// Ends it: closed here at once, at the server when it hears.
    @discardableResult
    public func complete() async throws -> ChangedConversation {
        let changed = try await shortCall {
            try await client.core.complete(conversation: id.rawValue)
        }
        return ChangedConversation(boundary: changed)
    }

    /// Stops the answer under way, or the one to the newest message once the server can be told;
    /// throws ``ChatError/Kind/unsupported`` where the backend cannot. Answers the action's key,
    /// where one waits.
    @discardableResult
    public func stopAnswer() async throws -> MessageID? {
        let action = try await shortCall {
            try await client.core.stopAnswer(conversation: id.rawValue)
        }
        return action.map(MessageID.init(rawValue:))
    }

    /// Keeps what the user is typing; `nil` for nothing.
    @discardableResult
    public func saveDraft(_ text: String?) async throws -> ConversationDetails {
        let row = try await shortCall {
            try await client.core.saveDraft(conversation: id.rawValue, text: text)
        }
        return ConversationDetails(boundary: row)
    }

    /// Tells the others that the user types, or stopped; nobody, where it is not open.
    public func setTyping(_ isActive: Bool) async throws {
        try await shortCall { try await core?.setTyping(active: isActive) }
    }

    /// Gives the connection back now instead of with the object; may be called again.
    public func leave() {
        core?.leave()
    }
}
