import Foundation
internal import TidingsFFI

extension ConversationDetails {
    init(boundary row: TidingsFFI.ConversationInfo) {
        self.init(
            id: ConversationID(rawValue: row.id),
            title: row.title,
            isArchived: row.archived,
            isWritable: row.writable,
            draft: row.draft,
            persona: row.persona,
            status: row.status,
            context: row.context.map(Context.init(boundary:)),
            participants: row.participants.map(UserID.init(rawValue:)),
            attributes: Tidings.attributes(row.attributes),
            lastMessage: row.lastMessage.map(LastMessage.init(boundary:)),
            createdAt: Date(milliseconds: row.createdAtMs),
            activityAt: Date(milliseconds: row.activityAtMs),
            unread: Int(row.unread),
            stored: Int(row.stored),
            hasOlder: row.hasOlder
        )
    }
}

extension ConversationDetails.LastMessage {
    init(boundary last: TidingsFFI.LastMessage) {
        self.init(
            id: MessageID(rawValue: last.id),
            role: Role(boundary: last.role),
            text: last.text,
            at: Date(milliseconds: last.atMs)
        )
    }
}

extension Context {
    init(boundary context: TidingsFFI.Context) {
        self.init(kind: context.kind, id: context.id)
    }

    var boundary: TidingsFFI.Context { TidingsFFI.Context(kind: kind, id: id) }
}

extension NewConversation {
    init(boundary new: TidingsFFI.NewConversation) {
        self.init(
            persona: new.persona,
            context: new.context.map(Context.init(boundary:)),
            attributes: Tidings.attributes(new.attributes)
        )
    }

    var boundary: TidingsFFI.NewConversation {
        TidingsFFI.NewConversation(
            persona: persona,
            context: context?.boundary,
            attributes: Tidings.attributes(attributes)
        )
    }
}

/// Of two facts with one name the later one counts, as it does in the core.
func attributes(_ list: [TidingsFFI.Attribute]) -> [String: String] {
    Dictionary(list.map { ($0.name, $0.value) }, uniquingKeysWith: { _, later in later })
}

func attributes(_ map: [String: String]) -> [TidingsFFI.Attribute] {
    map.sorted { $0.key < $1.key }.map { TidingsFFI.Attribute(name: $0.key, value: $0.value) }
}
