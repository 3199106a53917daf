import Foundation
internal import TidingsFFI

extension Message {
    init(boundary row: TidingsFFI.Message) {
        self.init(
            id: MessageID(rawValue: row.id),
            conversation: ConversationID(rawValue: row.conversation),
            serverID: row.serverId.map(ServerMessageID.init(rawValue:)),
            role: Role(boundary: row.role),
            sender: row.sender.map(UserID.init(rawValue:)),
            isOwn: row.own,
            text: row.text,
            state: DeliveryState(boundary: row.state),
            attempts: Int(row.attempts),
            createdAt: Date(milliseconds: row.createdAtMs),
            answers: row.answers.map(MessageID.init(rawValue:)),
            completeness: Completeness(boundary: row.completeness),
            isDeleted: row.deleted,
            pending: row.pending.map { $0 == .edit ? .edit : .delete },
            isUnread: row.unread,
            hasGapAfter: row.gapAfter
        )
    }
}

extension Role {
    init(boundary role: TidingsFFI.Role) {
        switch role {
        case .user: self = .user
        case .assistant: self = .assistant
        case .system: self = .system
        case .function: self = .function
        case .other(let name): self = .other(name)
        }
    }

    var boundary: TidingsFFI.Role {
        switch self {
        case .user: .user
        case .assistant: .assistant
        case .system: .system
        case .function: .function
        case .other(let name): .other(name: name)
        }
    }
}

extension DeliveryState {
    init(boundary state: TidingsFFI.DeliveryState) {
        switch state {
        case .queued: self = .queued
        case .sending: self = .sending
        case .uncertain: self = .uncertain
        case .sent: self = .sent
        case .delivered: self = .delivered
        case .read: self = .read
        case .failed: self = .failed
        case .cancelled: self = .cancelled
        }
    }
}

extension Completeness {
    init(boundary completeness: TidingsFFI.Completeness) {
        switch completeness {
        case .complete: self = .complete
        case .streaming: self = .streaming
        case .incomplete: self = .incomplete
        case .failed: self = .failed
        case .stopped: self = .stopped
        }
    }
}

extension TimelineChange {
    init(boundary change: TidingsFFI.TimelineChange) {
        switch change {
        case .reset(let items): self = .reset(items.map(Message.init(boundary:)))
        case .insert(let index, let item):
            self = .insert(index: Int(index), Message(boundary: item))
        case .update(let index, let item):
            self = .update(index: Int(index), Message(boundary: item))
        case .remove(let index, let id):
            self = .remove(index: Int(index), MessageID(rawValue: id))
        }
    }
}

extension HistoryPage {
    init(boundary page: TidingsFFI.HistoryPage) {
        self.init(messages: page.messages.map(Message.init(boundary:)), older: page.older)
    }
}
