/// What a backend can do. The defaults are those of the plainest backend there is.
public struct Capabilities: Hashable, Sendable {
    /// Where order comes from.
    public var serverOrder = ServerOrder.historyPosition
    /// How far one session reaches.
    public var scope = SessionScope.conversation
    /// The server recognises a repeated key of a message.
    public var idempotentSend = false
    /// The server recognises a repeated key of a creation.
    public var idempotentCreate = false
    /// An uncertain message may be resent once a read proved its absence.
    public var autoResend = true
    /// Messages may be sent over the realtime session.
    public var sendOverSocket = false
    /// The server opens every session with a ready frame.
    public var readyFrame = false
    /// The session can resume from a cursor.
    public var resume = false
    /// Answers are streamed.
    public var streaming = false
    /// An answer can be stopped.
    public var stop = false
    /// A second message must wait for the answer to the first.
    public var oneTurnAtATime = false
    /// The server tells of delivery and reading.
    public var receipts = false
    /// The server keeps this account's read marker.
    public var readMarker = false
    /// The server tells who types.
    public var typing = false
    /// The server tells who is online.
    public var presence = false
    /// Conversations may be bound to a business context.
    public var contexts = false
    /// Sent messages can be edited.
    public var edit = false
    /// Sent messages can be deleted.
    public var delete = false
    /// Deleted bodies stay visible to an audit read.
    public var audit = false
    /// Conversations can be put away at the server.
    public var archive = false
    /// Conversations can be completed.
    public var complete = false
    /// Conversations can be deleted.
    public var deleteConversation = false
    /// The history comes in pages.
    public var historyPaging = true
    /// The longest text, in Unicode scalars.
    public var maxText = 5000
    /// The shortest pause between polls that the server stands.
    public var pollFloor = Duration.seconds(1)
    /// The shortest silence after which the server stands a probe.
    public var probeFloor = Duration.zero

    /// The plainest backend there is.
    public init() {}

    /// Where order comes from.
    public enum ServerOrder: Hashable, Sendable {
        /// A dense number at every message.
        case sequence
        /// The place in the history.
        case historyPosition
    }

    /// How far one session reaches.
    public enum SessionScope: Hashable, Sendable {
        /// One conversation.
        case conversation
        /// The whole account.
        case account
    }
}
