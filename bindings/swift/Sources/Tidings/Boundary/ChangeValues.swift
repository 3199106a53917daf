internal import TidingsFFI

extension ChangedMessage {
    init(boundary changed: TidingsFFI.ChangedMessage) {
        self.init(
            message: Message(boundary: changed.message),
            action: changed.action.map(MessageID.init(rawValue:))
        )
    }
}

extension ChangedConversation {
    init(boundary changed: TidingsFFI.ChangedConversation) {
        self.init(
            conversation: ConversationDetails(boundary: changed.conversation),
            action: changed.action.map(MessageID.init(rawValue:))
        )
    }
}

extension CaughtUp {
    init(boundary done: TidingsFFI.CaughtUp) {
        self.init(
            newMessages: Int(done.newMessages),
            delivered: Int(done.delivered),
            conversationsChanged: Int(done.conversationsChanged),
            isFinished: done.finished
        )
    }
}
