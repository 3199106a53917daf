public import Foundation

/// A conversation as the store has it: what a list of conversations shows.
public struct ConversationDetails: Identifiable, Hashable, Sendable {
    /// The server's id.
    public let id: ConversationID
    /// What to show as its name.
    public let title: String
    /// Whether it was put away.
    public let isArchived: Bool
    /// Whether it takes messages.
    public let isWritable: Bool
    /// What the user typed and did not send.
    public let draft: String?
    /// Whom it is with, where the backend has personas.
    public let persona: String?
    /// The backend's word for its state.
    public let status: String?
    /// The entity it is bound to.
    public let context: Context?
    /// Who takes part, where the backend says.
    public let participants: [UserID]
    /// Further facts, by the backend's own names.
    public let attributes: [String: String]
    /// The newest message.
    public let lastMessage: LastMessage?
    /// When it was created.
    public let createdAt: Date?
    /// When something happened in it last.
    public let activityAt: Date?
    /// Messages that this account has yet to read.
    public let unread: Int
    /// Messages on this device.
    public let stored: Int
    /// Whether the server has messages before the oldest one on this device.
    public let hasOlder: Bool

    /// The newest message of a conversation.
    public struct LastMessage: Hashable, Sendable, CustomReflectable {
        /// Its key on this device.
        public let id: MessageID
        /// Who speaks.
        public let role: Role
        /// The text.
        public let text: String
        /// When it was written.
        public let at: Date?

        /// Prints no text.
        public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
    }
}

extension ConversationDetails: CustomReflectable {
    /// Prints neither title nor draft nor text.
    public var customMirror: Mirror {
        Mirror(self, children: ["id": id, "unread": unread, "stored": stored])
    }
}

/// The entity a conversation is bound to, for good.
public struct Context: Hashable, Sendable {
    /// What kind of entity.
    public let kind: String
    /// Which one.
    public let id: String?

    /// The entity `id` of this kind.
    public init(kind: String, id: String? = nil) {
        self.kind = kind
        self.id = id
    }
}

/// What to create.
public struct NewConversation: Hashable, Sendable {
    /// Whom to talk to, where the backend has personas.
    public var persona: String?
    /// The entity to bind it to.
    public var context: Context?
    /// Further facts, by the backend's own names.
    public var attributes: [String: String]

    /// A conversation with nothing said about it but this.
    public init(
        persona: String? = nil,
        context: Context? = nil,
        attributes: [String: String] = [:]
    ) {
        self.persona = persona
        self.context = context
        self.attributes = attributes
    }
}

/// A page of stored messages, oldest first.
public struct HistoryPage: Hashable, Sendable {
    /// The messages.
    public let messages: [Message]
    /// Where the page before this one ends; `nil` at the beginning of what is stored.
    public let older: String?
}
