import Foundation
internal import TidingsFFI

extension ChatEvent {
    // One match.
    init(boundary event: TidingsFFI.ClientEvent) {
        switch event {
        case .connection(let conversation, let status):
            self = .connection(
                ConversationID(rawValue: conversation), ConnectionStatus(boundary: status))
        case .stream(let conversation, let id, let phase, let offset, let text):
            let progress = StreamProgress(
                message: MessageID(rawValue: id), phase: StreamPhase(boundary: phase),
                offset: Int(offset), text: text)
            self = .stream(ConversationID(rawValue: conversation), progress)
        case .typing(let conversation, let user, let active):
            self = .typing(
                ConversationID(rawValue: conversation), user: user.map(UserID.init(rawValue:)),
                isActive: active)
        case .presence(let conversation, let user, let online, let lastSeenMs):
            self = .presence(
                ConversationID(rawValue: conversation), user: UserID(rawValue: user),
                isOnline: online, lastSeen: Date(milliseconds: lastSeenMs))
        case .receipt(let conversation, let user, let upTo, let read):
            self = .receipt(
                ConversationID(rawValue: conversation), user: UserID(rawValue: user),
                upTo: ServerMessageID(rawValue: upTo), isRead: read)
        case .sync(let conversation, let phase, let fetched):
            self = .sync(
                ConversationID(rawValue: conversation), SyncPhase(boundary: phase),
                fetched: Int(fetched))
        case .cooldown(let untilMs, let scope):
            self = .cooldown(until: Date(milliseconds: untilMs), scope: scope)
        case .conversationBound(let local, let conversation):
            self = .conversationBound(
                local: ConversationID(rawValue: local), ConversationID(rawValue: conversation))
        case .signInRequired:
            self = .signInRequired
        case .draftRestored(let conversation, let id):
            self = .draftRestored(
                ConversationID(rawValue: conversation), MessageID(rawValue: id))
        case .sendTroubled(let conversation, let id):
            self = .sendTroubled(
                ConversationID(rawValue: conversation), MessageID(rawValue: id))
        case .discontinuity(let missed):
            self = .discontinuity(missed: Int(missed))
        case .storeTroubled(let code):
            self = .storeTroubled(code: code)
        case .unknown(let conversation, let name):
            self = .unknown(conversation.map(ConversationID.init(rawValue:)), name: name)
        }
    }
}

extension StreamPhase {
    init(boundary phase: TidingsFFI.StreamPhase) {
        switch phase {
        case .started: self = .started
        case .delta: self = .delta
        case .completed: self = .completed
        case .incomplete: self = .incomplete
        case .failed: self = .failed
        case .stopped: self = .stopped
        }
    }
}

extension SyncPhase {
    init(boundary phase: TidingsFFI.SyncPhase) {
        switch phase {
        case .started: self = .started
        case .gap: self = .gap
        case .synced: self = .synced
        case .discontinuity: self = .discontinuity
        }
    }
}
