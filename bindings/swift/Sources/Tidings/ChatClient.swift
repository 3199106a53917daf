internal import TidingsFFI

/// A chat client: an offline-first store, sends that survive a kill, a socket with polling
/// fallback, streamed answers.
///
/// What the user saw accepted is never lost, never doubled and never silently failed. Make one
/// client for each store and keep it for the life of the app.
///
/// ```swift
/// let backend = Backend.consultations(URL(string: "https://chat.example.com")!)
/// let client = try await ChatClient(ChatOptions(backend: backend, store: .memory))
/// let created = try await client.createConversation(NewConversation(persona: "nutritionist"))
/// let chat = try client.open(created.id)
/// try await chat.send("What should I eat before a run?")  // on disk when this returns
/// ```
///
/// Cancelling a task ends its wait with `CancellationError`; what the core had begun goes on: a
/// message accepted is sent, once.
public final class ChatClient: Sendable {
    let core: TidingsFFI.ChatClient
    private let callbacks: Callbacks

    /// Starts a client. What was on the wire when the last one ended is settled, then sending goes
    /// on by itself.
    public init(_ options: ChatOptions) async throws {
        let callbacks = Callbacks()
        let options = options.boundary(callbacks)
        self.callbacks = callbacks
        core = try await shortCall { try await TidingsFFI.ChatClient.start(options: options) }
    }

    /// What the backend can do.
    public var capabilities: Capabilities {
        get throws { Capabilities(boundary: try callAtOnce { try core.info() }.capabilities) }
    }

    /// Whether this client sends and synchronises, or another process on the same store does.
    public var isOwner: Bool {
        get throws { try callAtOnce { try core.info() }.owner }
    }

    // MARK: Conversations

    /// Creates a conversation, or returns the one that is there already.
    @discardableResult
    public func createConversation(
        _ new: NewConversation = NewConversation()
    ) async throws -> ConversationDetails {
        let created = try await call {
            try await core.createConversation(new: new.boundary, cancel: $0)
        }
        return ConversationDetails(boundary: created.conversation)
    }

    /// Opens a conversation: it connects, and stays connected until that object is left or gone.
    public func open(_ id: ConversationID) throws -> Conversation {
        let open = try callAtOnce { try core.open(conversation: id.rawValue) }
        return Conversation(id: id, client: self, core: open)
    }

    /// Stored conversations, newest activity first; without a limit all of them.
    public func conversations(
        includeArchived: Bool = false, limit: Int? = nil
    ) async throws -> [ConversationDetails] {
        let filter = filter(includeArchived, limit)
        let list = try await shortCall { try await core.conversations(filter: filter) }
        return list.map(ConversationDetails.init(boundary:))
    }

    /// The stored conversations now and whenever they change.
    public func conversationUpdates(
        includeArchived: Bool = false, limit: Int? = nil
    ) -> Snapshots<[ConversationDetails]> {
        let topic = WatchTopic.conversations(filter: filter(includeArchived, limit))
        return snapshots(of: topic) { snapshot in
            guard case .conversations(let list) = snapshot else { return nil }
            return list.map(ConversationDetails.init(boundary:))
        }
    }

    /// One stored conversation.
    public func conversation(_ id: ConversationID) async throws -> ConversationDetails? {
        let row = try await shortCall { try await core.conversation(id: id.rawValue) }
        return row.map(ConversationDetails.init(boundary:))
    }

    /// Reads the server's whole list into the store; answers how many it has.
    @discardableResult
    public func refreshConversations() async throws -> Int {
        Int(try await call { try await core.refreshConversations(cancel: $0) }.listed)
    }

    /// Deletes a conversation on the server and here.
    public func deleteConversation(_ id: ConversationID) async throws {
        try await call { try await core.deleteConversation(conversation: id.rawValue, cancel: $0) }
    }

    private func filter(_ includeArchived: Bool, _ limit: Int?) -> ConversationFilter {
        ConversationFilter(includeArchived: includeArchived, limit: Int32(clamping: limit ?? 0))
    }

    // MARK: Messages

    /// A fresh key for ``Conversation/send(_:mode:id:)``.
    public func mintMessageID() throws -> MessageID {
        MessageID(rawValue: try callAtOnce { try core.mintMessageId() })
    }

    /// Waits until a message's fate is known.
    public func waitForDelivery(of message: MessageID) async throws -> DeliveryOutcome {
        let outcome = try await call {
            try await core.waitForDelivery(message: message.rawValue, cancel: $0)
        }
        return DeliveryOutcome(boundary: outcome)
    }

    /// Puts a failed message back into the queue.
    @discardableResult
    public func retry(_ message: MessageID) async throws -> Message {
        Message(boundary: try await shortCall { try await core.retry(message: message.rawValue) })
    }

    /// Takes an unsent message back.
    @discardableResult
    public func cancel(_ message: MessageID) async throws -> Message {
        let row = try await shortCall { try await core.cancelMessage(message: message.rawValue) }
        return Message(boundary: row)
    }

    /// Deletes a message where the backend can; takes back an unsent one anywhere.
    @discardableResult
    public func delete(_ message: MessageID) async throws -> Message {
        let row = try await call {
            try await core.deleteMessage(message: message.rawValue, cancel: $0)
        }
        return Message(boundary: row)
    }

    /// Searches stored messages, newest first.
    public func search(_ query: String, limit: Int = 50) async throws -> [Message] {
        let found = try await call {
            try await core.search(query: query, limit: Int32(clamping: limit), cancel: $0)
        }
        return found.map(Message.init(boundary:))
    }

    /// A message's whole story, for a support screen.
    public func explain(_ message: MessageID) async throws -> MessageStory {
        let story = try await shortCall { try await core.explain(message: message.rawValue) }
        return MessageStory(boundary: story)
    }

    // MARK: What waits

    /// Every unsent message, in the order of accepting.
    public func outbox() async throws -> [OutboxEntry] {
        try await shortCall { try await core.outbox() }.map(OutboxEntry.init(boundary:))
    }

    /// The unsent messages now and whenever they change.
    public var outboxUpdates: Snapshots<[OutboxEntry]> {
        snapshots(of: .outbox) { snapshot in
            guard case .outbox(let items) = snapshot else { return nil }
            return items.map(OutboxEntry.init(boundary:))
        }
    }

    /// What happens to sent messages from now on, one thing at a time, without a hole.
    public var deliveries: Snapshots<DeliveryRecord> {
        snapshots(of: .deliveries) { snapshot in
            guard case .delivery(let record) = snapshot else { return nil }
            return DeliveryRecord(boundary: record)
        }
    }

    /// Wakes the outbox and waits until nothing in it is still under way.
    public func flush() async throws {
        try await call { try await core.flush(cancel: $0) }
    }

    // MARK: What happens

    /// Passing events. Each iteration has its own, from the moment it begins.
    public var events: ChatEvents {
        ChatEvents { [core] in try core.events() }
    }

    private func snapshots<Element: Sendable>(
        of topic: WatchTopic, _ read: @escaping @Sendable (Snapshot) -> Element?
    ) -> Snapshots<Element> {
        Snapshots(open: { [core] in try await core.watch(topic: topic) }, read: read)
    }

    // MARK: The app's life

    /// The app left the foreground: sending and polling go on until the deadline, then sockets are
    /// closed and files let go. Returns when suspended, or when the app came back first.
    public func background(deadline: Duration) async throws {
        try await call { try await core.background(deadlineMs: deadline.milliseconds, cancel: $0) }
    }

    /// The app is back: it redials, catches up, and tries again what waits.
    public func foreground() throws {
        try callAtOnce { try core.foreground() }
    }

    /// The system reports a change of the network.
    public func networkChanged(_ change: NetworkChange) throws {
        try callAtOnce { try core.networkChanged(change: change.boundary) }
    }

    /// Ends everything in bounded time: sequences end, sockets are closed politely, writes are
    /// finished, the store is closed. After it has returned nothing of the app is called any more.
    /// May be called again.
    public func shutdown() async throws {
        do {
            try await shortCall { try await core.shutdown() }
        } catch {
            await callbacks.close()
            throw error
        }
        await callbacks.close()
    }
}

/// What the system says of the network.
public enum NetworkChange: Hashable, Sendable, CaseIterable {
    /// There is one, perhaps after there was none.
    case up
    /// There is none.
    case down
    /// The path changed: open sockets are suspect.
    case changed

    var boundary: TidingsFFI.NetworkChange {
        switch self {
        case .up: .up
        case .down: .down
        case .changed: .changed
        }
    }
}
