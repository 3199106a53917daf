import Foundation
import Tidings

/// A text between quotes, on one line.
func quoted(_ text: some StringProtocol) -> String {
    let escaped = text.replacingOccurrences(of: "\\", with: "\\\\")
        .replacingOccurrences(of: "\"", with: "\\\"")
        .replacingOccurrences(of: "\n", with: "\\n")
    return "\"\(escaped)\""
}

/// An event's name; pieces of an answer are all alike.
func named(_ event: ChatEvent) -> String {
    switch event {
    case .connection(_, let status): "connection \(told(status))"
    case .stream(_, let progress): "stream \(progress.phase.rawValue)"
    case .typing: "typing"
    case .sync(_, let phase, _): "sync \(phase.rawValue)"
    case .cooldown(_, let scope): "cooldown \(scope)"
    case .unknown(_, let name): "unknown \(name)"
    case .conversationBound: "conversation_bound"
    case .signInRequired: "sign_in_required"
    case .draftRestored: "draft_restored"
    case .sendTroubled: "send_troubled"
    default: "other"
    }
}

/// A connection: its state, or that it polls, whatever the state is meanwhile; and its light.
func told(_ status: ConnectionStatus) -> String {
    let state = status.state == .signInRequired ? "sign_in_required" : status.state.rawValue
    let word = status.transport == .polling ? "polling" : state
    return "\(word) \(status.light.rawValue)"
}

/// One row of a history, without its name.
func told(_ row: Message, withText: Bool) -> String {
    var words = [named(row.role), row.state.rawValue, row.completeness.rawValue]
    if row.isOwn { words.append("own") }
    if row.isDeleted { words.append("deleted") }
    if row.isUnread { words.append("unread") }
    if row.hasGapAfter { words.append("gap") }
    if let pending = row.pending { words.append("pending-\(pending.rawValue)") }
    if withText || row.isOwn { words.append(quoted(row.text)) }
    return words.joined(separator: " ")
}

private func named(_ role: Role) -> String {
    switch role {
    case .user: "user"
    case .assistant: "assistant"
    case .system: "system"
    case .function: "function"
    case .other(let name): name
    }
}

func told(_ row: ConversationDetails) -> String {
    var words = ["unread \(row.unread)"]
    if row.isArchived { words.append("archived") }
    if !row.isWritable { words.append("closed") }
    if let draft = row.draft { words.append("draft \(quoted(draft))") }
    return words.joined(separator: " ")
}

func told(_ outcome: DeliveryOutcome) -> String {
    switch outcome {
    case .onServer: "on the server"
    case .failed(let reason): "failed \(reason.code)"
    case .unknown(let reason): "unknown \(reason.code)"
    case .cancelled: "cancelled"
    }
}
