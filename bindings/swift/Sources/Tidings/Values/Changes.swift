/// What creating a conversation led to.
public struct CreatedConversation: Identifiable, Hashable, Sendable {
    /// The conversation.
    public let conversation: ConversationDetails
    /// Whether it was there already.
    public let existed: Bool

    /// The conversation's id.
    public var id: ConversationID { conversation.id }
}

/// How a message stands after an action that was accepted.
public struct ChangedMessage: Hashable, Sendable {
    /// How it shows from now on, on this device.
    public let message: Message
    /// The key under which the action waits for the server; `nil` where there is nothing to tell it.
    public let action: MessageID?
}

/// How a conversation stands after an action that was accepted.
public struct ChangedConversation: Hashable, Sendable {
    /// How it shows from now on, on this device.
    public let conversation: ConversationDetails
    /// The key under which the action waits for the server; `nil` where there is nothing to tell it.
    public let action: MessageID?
}

/// What a catch-up brought before its deadline.
public struct CaughtUp: Hashable, Sendable {
    /// Messages new to this device.
    public let newMessages: Int
    /// Own messages that waited and were delivered.
    public let delivered: Int
    /// Conversations in which something was new.
    public let conversationsChanged: Int
    /// Whether all was read and nothing waits any more.
    public let isFinished: Bool
}
