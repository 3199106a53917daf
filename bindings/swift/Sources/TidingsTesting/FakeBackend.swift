public import Tidings

/// A server in memory, for tests of apps: the real core talks to it, so that outbox, order, streams
/// and reconnects behave as they will against a real one.
///
/// ```swift
/// let backend = FakeBackend { message in ["You said: ", message.text] }
/// let client = try await ChatClient(.fake(backend))
/// ```
///
/// It knows a repeated key, numbers its messages, streams its answers, and fails on demand.
public actor FakeBackend: ChatBackend {
    /// The pieces of the answer to a message; none for no answer.
    public typealias Answer = @Sendable (OutgoingMessage) -> [String]

    public nonisolated let capabilities: Capabilities
    private let answer: Answer
    private var conversations: [ConversationID: [ServerMessage]] = [:]
    private var order: [ConversationID] = []
    private var sessions: [ConversationID: [Int: SessionEvents]] = [:]
    private var sessionCount = 0
    private var isReachable = true
    private var acceptsSessions = true
    private var losesNextReceipt = false
    private var isHeld = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// A server that answers each message so; without `answer`, never.
    public init(answer: @escaping Answer = { _ in [] }) {
        self.answer = answer
        var can = Capabilities()
        can.serverOrder = .sequence
        can.idempotentSend = true
        can.streaming = true
        can.typing = true
        capabilities = can
    }

    // MARK: What a test looks at

    /// The messages that the server has, in its order.
    public func messages(in conversation: ConversationID) -> [ServerMessage] {
        conversations[conversation] ?? []
    }

    /// How many realtime sessions are open.
    public var openSessions: Int { sessions.values.reduce(0) { $0 + $1.count } }

    // MARK: What a test does to it

    /// From now on nothing gets through and open sessions break, or all is well again.
    public func setReachable(_ isReachable: Bool) {
        self.isReachable = isReachable
        if !isReachable { cutSessions() }
    }

    /// From now on realtime sessions are refused and open ones break, or are taken again. The
    /// client's polling is not touched.
    public func setAcceptsSessions(_ accepts: Bool) {
        acceptsSessions = accepts
        if !accepts { cutSessions() }
    }

    /// Breaks every open session.
    public func cutSessions() {
        for events in sessions.values.flatMap(\.values) { events.push(.closed) }
        sessions = [:]
    }

    /// The next message is taken, and the connection breaks before the server can say so.
    public func loseNextReceipt() {
        losesNextReceipt = true
    }

    /// From now on a message that arrives waits, neither taken nor refused, until ``release()``.
    public func hold() {
        isHeld = true
    }

    /// Ends ``hold()``; what waits is taken.
    public func release() {
        isHeld = false
        waiting.forEach { $0.resume() }
        waiting = []
    }

    /// How many messages wait because of ``hold()``.
    public var held: Int { waiting.count }

    /// Stores a message of the other side and tells the open sessions.
    @discardableResult
    public func post(
        _ text: String, in conversation: ConversationID, role: Role = .assistant
    ) -> ServerMessage {
        let message = append(text, role, own: false, key: nil, to: conversation)
        push(.received(message), to: conversation)
        return message
    }

    /// Tells the open sessions that someone types, or stopped.
    public func setTyping(_ user: UserID, _ isActive: Bool, in conversation: ConversationID) {
        push(.typing(user, isActive: isActive), to: conversation)
    }

    // MARK: ChatBackend

    public func createConversation(
        _ new: NewConversation, key: MessageID?
    ) throws -> CreatedAtServer {
        try reach()
        let id = ConversationID(rawValue: "conversation-\(order.count + 1)")
        order.append(id)
        conversations[id] = []
        return CreatedAtServer(described(id, new))
    }

    public func conversations(activeOnly: Bool, cursor: String?) throws -> ServerConversationPage {
        try reach()
        return ServerConversationPage(order.map { described($0, NewConversation()) })
    }

    public func history(
        of conversation: ConversationID, _ range: HistoryRange, limit: Int
    ) throws -> ServerHistoryPage {
        try reach()
        guard let all = conversations[conversation] else { throw BackendFailure(.notFound) }
        let bounds = bounds(of: range, in: all.count, limit: limit)
        return ServerHistoryPage(
            Array(all[bounds]),
            older: bounds.lowerBound > 0 ? String(bounds.lowerBound) : nil,
            newer: String(bounds.upperBound),
            hasMore: bounds.upperBound < all.count
        )
    }

    public func send(_ message: OutgoingMessage) async throws -> SendReceipt {
        try reach()
        if isHeld { await withCheckedContinuation { waiting.append($0) } }
        if let known = known(message) { return SendReceipt(message: known) }
        let row = append(message.text, .user, own: true, key: message.id, to: message.conversation)
        respond(to: message)
        if losesNextReceipt {
            losesNextReceipt = false
            throw BackendFailure(.interrupted)
        }
        return SendReceipt(message: row)
    }

    public func connect(
        _ conversation: ConversationID, events: SessionEvents
    ) throws -> any BackendSession {
        try reach()
        guard acceptsSessions else { throw BackendFailure(.unreachable) }
        sessionCount += 1
        sessions[conversation, default: [:]][sessionCount] = events
        return FakeSession(
            backend: self, conversation: conversation, number: sessionCount, events: events)
    }

    // MARK: The inside

    fileprivate func close(_ number: Int, of conversation: ConversationID) {
        sessions[conversation]?.removeValue(forKey: number)
    }

    private func reach() throws {
        guard isReachable else { throw BackendFailure(.unreachable) }
    }

    private func known(_ message: OutgoingMessage) -> ServerMessage? {
        conversations[message.conversation]?.first { $0.clientID == message.id }
    }

    private func append(
        _ text: String, _ role: Role, own: Bool, key: MessageID?, to conversation: ConversationID
    ) -> ServerMessage {
        let number = (conversations[conversation]?.count ?? 0) + 1
        let message = ServerMessage(
            id: ServerMessageID(rawValue: "\(conversation)/\(number)"), role: role, text: text,
            isOwn: own, clientID: key, sequence: Int64(number))
        conversations[conversation, default: []].append(message)
        return message
    }

    private func respond(to message: OutgoingMessage) {
        let pieces = answer(message)
        guard !pieces.isEmpty else { return }
        let conversation = message.conversation
        for piece in pieces { push(.answerDelta(piece), to: conversation) }
        let row = append(pieces.joined(), .assistant, own: false, key: nil, to: conversation)
        push(.answerCompleted(stopped: false), to: conversation)
        push(.received(row), to: conversation)
    }

    private func push(_ event: SessionEvent, to conversation: ConversationID) {
        for events in (sessions[conversation] ?? [:]).values { events.push(event) }
    }

    private func described(_ id: ConversationID, _ new: NewConversation) -> ServerConversation {
        var conversation = ServerConversation(id: id)
        conversation.persona = new.persona
        conversation.context = new.context
        conversation.attributes = new.attributes
        return conversation
    }

    /// Cursors are places in the list; what a client made up is the beginning.
    private func bounds(of range: HistoryRange, in count: Int, limit: Int) -> Range<Int> {
        let limit = max(1, limit)
        switch range {
        case .newest, .tail: return max(0, count - limit)..<count
        case .after(let cursor):
            let start = min(max(0, Int(cursor) ?? 0), count)
            return start..<min(count, start + limit)
        case .before(let cursor):
            let end = min(max(0, Int(cursor) ?? 0), count)
            return max(0, end - limit)..<end
        }
    }
}

private struct FakeSession: BackendSession {
    let backend: FakeBackend
    let conversation: ConversationID
    let number: Int
    let events: SessionEvents

    func probe() {
        events.push(.alive)
    }

    func setTyping(_ isActive: Bool) {}

    func close() async {
        await backend.close(number, of: conversation)
    }
}
