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
    ) async throws -> CreatedConversation {
        let created = try await call {
            try await core.createConversation(new: new.boundary, cancel: $0)
        }
        return CreatedConversation(
            conversation: ConversationDetails(boundary: created.conversation),
            existed: created.existed)
    }

    /// Begins a conversation that need not be on the server yet: it can be written to at once, and is
    /// created when the server can be reached.
    public func beginConversation(
        _ new: NewConversation = NewConversation()
    ) async throws -> ConversationDetails {
        let begun = try await shortCall { try await core.beginConversation(new: new.boundary) }
        return ConversationDetails(boundary: begun)
    }

    /// Opens a conversation: it connects, and stays connected until that object is left or gone.
    public func open(_ id: ConversationID) throws -> Conversation {
        let open = try callAtOnce { try core.open(conversation: id.rawValue) }
        return Conversation(id: id, client: self, core: open)
    }

    /// A conversation without opening it: for what a list of conversations or an extension does.
    public func closedConversation(_ id: ConversationID) -> Conversation {
        Conversation(id: id, client: self, core: nil)
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

    /// One message now and whenever it changes; `nil` where there is no such row.
    public func messageUpdates(_ message: MessageID) -> Snapshots<Message?> {
        snapshots(of: .message(id: message.rawValue)) { snapshot in
            guard case .message(let row) = snapshot else { return nil }
            return .some(row.map(Message.init(boundary:)))
        }
    }

    /// Waits until the fate of a message, or of another action, is known.
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

    /// Changes a message's text: shown at once, sent when it can be; an unsent one is rewritten.
    @discardableResult
    public func edit(_ message: MessageID, text: String) async throws -> ChangedMessage {
        let changed = try await shortCall {
            try await core.editMessage(message: message.rawValue, text: text)
        }
        return ChangedMessage(boundary: changed)
    }

    /// Deletes a message where the backend can, hidden at once; takes back an unsent one anywhere.
    @discardableResult
    public func delete(_ message: MessageID) async throws -> ChangedMessage {
        let changed = try await shortCall {
            try await core.deleteMessage(message: message.rawValue)
        }
        return ChangedMessage(boundary: changed)
    }

    /// Puts a failed action other than a message back into the queue.
    @discardableResult
    public func retryAction(_ action: MessageID) async throws -> OutboxEntry {
        try await settle(action, .retry)
    }

    /// Takes back an action other than a message, and what it showed with it.
    @discardableResult
    public func cancelAction(_ action: MessageID) async throws -> OutboxEntry {
        try await settle(action, .cancel)
    }

    private func settle(
        _ action: MessageID, _ decision: ActionDecision
    ) async throws -> OutboxEntry {
        let entry = try await shortCall {
            try await core.settleAction(action: action.rawValue, decision: decision)
        }
        return OutboxEntry(boundary: entry)
    }

    /// Searches stored messages; no network is needed. All words must be there, words in double
    /// quotes one behind the other, and the last may be unfinished. Go on after a page with its
    /// ``SearchPage/next``.
    public func search(
        _ query: String, in conversation: ConversationID? = nil,
        order: SearchOrder = .newest, after: String? = nil, limit: Int = 50
    ) async throws -> SearchPage {
        let request = SearchRequest(
            query: query, conversation: conversation?.rawValue, order: order.boundary,
            after: after, limit: Int32(clamping: limit))
        return SearchPage(boundary: try await call {
            try await core.search(request: request, cancel: $0)
        })
    }

    /// A message's whole story, for a support screen.
    public func explain(_ message: MessageID) async throws -> MessageStory {
        let story = try await shortCall { try await core.explain(message: message.rawValue) }
        return MessageStory(boundary: story)
    }

    // MARK: What waits

    /// Everything the server does not have for certain, in the order of accepting.
    public func outbox() async throws -> [OutboxEntry] {
        try await shortCall { try await core.outbox() }.map(OutboxEntry.init(boundary:))
    }

    /// The same now and whenever it changes.
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
    /// closed and files let go. Returns when suspended, or when the app came back first. Without a
    /// deadline it suspends at once. Suspended, no file of the store is open, and calls that need it
    /// fail until ``foreground()``.
    public func background(deadline: Duration = .zero) async throws {
        try await call { try await core.background(deadlineMs: deadline.milliseconds, cancel: $0) }
    }

    /// The app is back: it redials, catches up, and tries again what waits.
    public func foreground() throws {
        try callAtOnce { try core.foreground() }
    }

    /// For the short life of a push wake-up: lists the conversations, reads what is new in those that
    /// changed, lets the outbox deliver; at the deadline it answers what was done by then.
    @discardableResult
    public func catchUp(deadline: Duration) async throws -> CaughtUp {
        CaughtUp(boundary: try await call {
            try await core.catchUp(deadlineMs: deadline.milliseconds, cancel: $0)
        })
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
