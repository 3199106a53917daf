import Foundation
internal import TidingsFFI

extension OutgoingMessage {
    init(boundary outgoing: TidingsFFI.OutgoingMessage) {
        self.init(
            id: MessageID(rawValue: outgoing.id),
            conversation: ConversationID(rawValue: outgoing.conversation),
            text: outgoing.text
        )
    }
}

extension HistoryRange {
    init(boundary range: TidingsFFI.HistoryRange) {
        switch range {
        case .newest: self = .newest
        case .after(let cursor): self = .after(cursor)
        case .before(let cursor): self = .before(cursor)
        case .tail(let cursor): self = .tail(cursor)
        }
    }
}

extension ServerMessage {
    var boundary: TidingsFFI.ServerMessage {
        TidingsFFI.ServerMessage(
            id: id.rawValue,
            role: role.boundary,
            text: text,
            own: isOwn,
            clientId: clientID?.rawValue,
            sender: sender?.rawValue,
            createdAtMs: createdAt?.milliseconds,
            sequence: sequence,
            revision: revision,
            deleted: isDeleted
        )
    }
}

extension ServerConversation {
    var boundary: TidingsFFI.ServerConversation {
        TidingsFFI.ServerConversation(
            id: id.rawValue,
            persona: persona,
            status: status,
            title: title,
            context: context?.boundary,
            createdAtMs: createdAt?.milliseconds,
            updatedAtMs: updatedAt?.milliseconds,
            lastMessageAtMs: lastMessageAt?.milliseconds,
            participants: participants.map(\.rawValue),
            attributes: Tidings.attributes(attributes),
            mark: mark
        )
    }
}

extension Reconciliation {
    var boundary: ReconcileAnswer {
        switch self {
        case .applied(let message): .applied(message: message.boundary)
        case .notApplied: .notApplied
        case .unknown: .unknown
        }
    }
}

extension ServiceFailure {
    /// Of what the backend did not declare nobody knows whether it took effect.
    init(thrown error: any Error) {
        let failure = error as? BackendFailure ?? BackendFailure(.interrupted)
        self.init(
            kind: failure.kind.boundary,
            outcome: failure.isNotApplied ? .notApplied : .unknown,
            retryable: failure.isRetryable,
            retryAfterMs: failure.retryAfter?.milliseconds
        )
    }
}

extension BackendFailure.Kind {
    // One match.
    var boundary: FailureKind {
        switch self {
        case .unreachable: .unreachable
        case .timedOut: .timedOut
        case .interrupted: .interrupted
        case .signInRequired: .signInRequired
        case .notAllowed: .notAllowed
        case .notFound: .notFound
        case .conflict(let existing): .conflict(existing: existing?.rawValue)
        case .rateLimited: .rateLimited
        case .tooManyActive: .tooManyActive
        case .notActive: .notActive
        case .invalid: .invalid
        case .unavailable: .unavailable
        case .protocol: .protocol
        case .unsupported: .unsupported
        case .cursorRefused: .cursorRefused
        }
    }
}
