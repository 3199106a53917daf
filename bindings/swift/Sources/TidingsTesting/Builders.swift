public import Foundation
public import Tidings

extension ChatOptions {
    /// A client of a fake server that keeps everything in memory, or in the file given.
    public static func fake(_ backend: FakeBackend, store: Store = .memory) -> Self {
        ChatOptions(backend: .custom(backend), store: store)
    }
}

extension Message {
    /// A message for a preview or a test; say only what matters to it.
    public static func sample(
        _ text: String = "Hello",
        id: MessageID? = nil,
        conversation: ConversationID = "conversation-1",
        role: Role = .user,
        state: DeliveryState = .sent,
        completeness: Completeness = .complete,
        createdAt: Date = Date(timeIntervalSince1970: 1_700_000_000)
    ) -> Message {
        Message(
            id: id ?? MessageID(rawValue: "sample: \(text)"),
            conversation: conversation,
            role: role,
            isOwn: role == .user,
            text: text,
            state: state,
            createdAt: createdAt,
            completeness: completeness
        )
    }

    /// The same message with more or other text: an answer that grows.
    public func with(text: String, completeness: Completeness = .streaming) -> Message {
        Message(
            id: id, conversation: conversation, serverID: serverID, role: role, sender: sender,
            isOwn: isOwn, text: text, state: state, attempts: attempts, createdAt: createdAt,
            answers: answers, completeness: completeness, isDeleted: isDeleted, isUnread: isUnread)
    }
}

extension TimelineModel {
    /// A model that shows these messages and follows nothing: for previews.
    public static func showing(_ messages: [Message]) -> TimelineModel {
        let model = TimelineModel()
        model.apply([.reset(messages)])
        return model
    }
}
