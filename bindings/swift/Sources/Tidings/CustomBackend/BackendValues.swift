public import Foundation

/// A message about to leave.
public struct OutgoingMessage: Hashable, Sendable, CustomReflectable {
    /// Its key; send it along where the backend takes one.
    public let id: MessageID
    /// Where to.
    public let conversation: ConversationID
    /// What.
    public let text: String

    /// Prints no text.
    public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

/// A message as the server tells of it.
public struct ServerMessage: Hashable, Sendable, CustomReflectable {
    /// The server's id, verbatim.
    public var id: ServerMessageID
    /// Who speaks.
    public var role: Role
    /// The text.
    public var text: String
    /// Whether this account wrote it, on this device or another.
    public var isOwn: Bool
    /// The key that was sent with it, where the backend echoes it.
    public var clientID: MessageID?
    /// The sender, where the backend names one.
    public var sender: UserID?
    /// The server's time.
    public var createdAt: Date?
    /// The server's dense number, where it has one.
    public var sequence: Int64?
    /// The content's revision; the higher one wins.
    public var revision: Int64
    /// Whether only its place remains.
    public var isDeleted: Bool

    /// A message that the server has.
    public init(
        id: ServerMessageID,
        role: Role,
        text: String,
        isOwn: Bool,
        clientID: MessageID? = nil,
        sender: UserID? = nil,
        createdAt: Date? = nil,
        sequence: Int64? = nil,
        revision: Int64 = 0,
        isDeleted: Bool = false
    ) {
        self.id = id
        self.role = role
        self.text = text
        self.isOwn = isOwn
        self.clientID = clientID
        self.sender = sender
        self.createdAt = createdAt
        self.sequence = sequence
        self.revision = revision
        self.isDeleted = isDeleted
    }

    /// Prints no text.
    public var customMirror: Mirror { Mirror(self, children: ["id": id, "role": role]) }
}

/// What the server says of a conversation; what is left out says nothing.
public struct ServerConversation: Hashable, Sendable {
    /// The server's id.
    public var id: ConversationID
    /// Whom it is with.
    public var persona: String?
    /// The server's word on whether it takes messages.
    public var status: String?
    /// A title.
    public var title: String?
    /// The entity it is bound to.
    public var context: Context?
    /// When it was created.
    public var createdAt: Date?
    /// When it last changed.
    public var updatedAt: Date?
    /// When its newest message was written.
    public var lastMessageAt: Date?
    /// Who takes part.
    public var participants: [UserID] = []
    /// Further facts.
    public var attributes: [String: String] = [:]
    /// In a list: a text that is another one whenever anything of the conversation changed, so that
    /// what is known need not be read again.
    public var mark: String?

    /// A conversation of which nothing is said but its id.
    public init(id: ConversationID) {
        self.id = id
    }
}

/// What creating a conversation led to.
public struct CreatedAtServer: Hashable, Sendable {
    /// The conversation.
    public var conversation: ServerConversation
    /// The messages that came along.
    public var messages: [ServerMessage]
    /// Whether it was there already.
    public var existed: Bool

    /// A conversation with the messages that came along.
    public init(
        _ conversation: ServerConversation, messages: [ServerMessage] = [], existed: Bool = false
    ) {
        self.conversation = conversation
        self.messages = messages
        self.existed = existed
    }
}

/// One page of the list of conversations.
public struct ServerConversationPage: Hashable, Sendable {
    /// The conversations.
    public var conversations: [ServerConversation]
    /// Where the next page starts; `nil` at the end.
    public var next: String?

    /// A page, the last one unless `next` is given.
    public init(_ conversations: [ServerConversation], next: String? = nil) {
        self.conversations = conversations
        self.next = next
    }
}

/// Which part of a history is asked for; the cursors are the backend's own.
public enum HistoryRange: Hashable, Sendable {
    /// The newest page, nothing being known yet.
    case newest
    /// What came after a ``ServerHistoryPage/newer``.
    case after(String)
    /// The page just before a ``ServerHistoryPage/older``.
    case before(String)
    /// The newest page, where a ``ServerHistoryPage/tail`` told where it ends.
    case tail(String)
}

/// One page of history.
public struct ServerHistoryPage: Hashable, Sendable {
    /// The messages, oldest first.
    public var messages: [ServerMessage]
    /// Where to read on backwards; `nil` where the page holds the beginning.
    public var older: String?
    /// Where the next forward read starts.
    public var newer: String
    /// Whether more is there in the forward direction right now.
    public var hasMore: Bool
    /// Where the newest page ends, where the server says so: it can be read before what lies between.
    public var tail: String?

    /// A page of history.
    public init(
        _ messages: [ServerMessage], older: String?, newer: String, hasMore: Bool = false,
        tail: String? = nil
    ) {
        self.messages = messages
        self.older = older
        self.newer = newer
        self.hasMore = hasMore
        self.tail = tail
    }
}

/// The server took a message.
public struct SendReceipt: Hashable, Sendable {
    /// Its row, where the confirmation carries it.
    public var message: ServerMessage?
    /// The answer, where it came along.
    public var answer: ServerMessage?

    /// A confirmation, with what came along.
    public init(message: ServerMessage? = nil, answer: ServerMessage? = nil) {
        self.message = message
        self.answer = answer
    }
}

/// What a look-up says of an uncertain send.
public enum Reconciliation: Hashable, Sendable {
    /// The server has it.
    case applied(ServerMessage)
    /// The server does not have it, and will not.
    case notApplied
    /// It cannot tell.
    case unknown
}

/// A call that a backend could not do.
///
/// Say that nothing happened only where that is proved: what is called not applied may be sent
/// again.
public struct BackendFailure: Error, Hashable, Sendable {
    /// What went wrong.
    public var kind: Kind
    /// Whether it is proved that the call took no effect.
    public var isNotApplied: Bool
    /// Whether the same call may be tried again later.
    public var isRetryable: Bool
    /// Not before this much time has passed, where the server said so.
    public var retryAfter: Duration?

    /// A failure; a refusal is proved not to have taken effect and is not tried again unless said.
    public init(
        _ kind: Kind,
        isNotApplied: Bool? = nil,
        isRetryable: Bool? = nil,
        retryAfter: Duration? = nil
    ) {
        self.kind = kind
        self.isNotApplied = isNotApplied ?? kind.provesAbsence
        self.isRetryable = isRetryable ?? kind.isPassing
        self.retryAfter = retryAfter
    }

    /// What went wrong.
    public enum Kind: Hashable, Sendable {
        /// The request never left.
        case unreachable
        /// A deadline passed.
        case timedOut
        /// The connection broke while the call was under way.
        case interrupted
        /// The token was refused, or there is none.
        case signInRequired
        /// Signed in, yet not allowed.
        case notAllowed
        /// The thing named does not exist.
        case notFound
        /// It exists already; which one, where the server named it.
        case conflict(ConversationID?)
        /// Too many requests.
        case rateLimited
        /// The cap on active conversations is reached.
        case tooManyActive
        /// The conversation takes no messages any more.
        case notActive
        /// The server found the content wrong.
        case invalid
        /// The server failed or is overloaded.
        case unavailable
        /// An answer came that is not this protocol's.
        case `protocol`
        /// This backend cannot do that.
        case unsupported
        /// The cursor is no longer known to the server.
        case cursorRefused

        var isPassing: Bool {
            switch self {
            case .unreachable, .timedOut, .interrupted, .rateLimited, .unavailable, .protocol:
                true
            default: false
            }
        }

        var provesAbsence: Bool {
            switch self {
            case .timedOut, .interrupted, .unavailable, .protocol: false
            default: true
            }
        }
    }
}
