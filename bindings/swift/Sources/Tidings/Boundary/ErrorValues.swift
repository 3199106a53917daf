internal import TidingsFFI

extension ChatError {
    /// Whatever the generated part threw; what it did not declare is a bug, and its words stay here.
    init(boundary error: any Error) {
        switch error {
        case TidingsFFI.ChatError.Failed(let problem): self.init(problem: problem)
        case let error as ChatError: self = error
        default: self.init(kind: .internal, code: "internal", sentence: "internal error: boundary")
        }
    }

    private init(problem: TidingsFFI.Problem) {
        self.init(
            kind: Kind(boundary: problem.kind),
            code: problem.code,
            sentence: problem.sentence,
            field: problem.field,
            retryAfter: Duration(milliseconds: problem.retryAfterMs),
            isRetryable: problem.retryable,
            isOutcomeUnknown: problem.outcomeUnknown,
            draft: problem.draft,
            existing: problem.existing.map(ConversationID.init(rawValue:))
        )
    }
}

extension ChatError.Kind {
    // One match.
    init(boundary kind: TidingsFFI.ErrorKind) {
        switch kind {
        case .invalidInput: self = .invalidInput
        case .signInRequired: self = .signInRequired
        case .notAllowed: self = .notAllowed
        case .notFound: self = .notFound
        case .conflict: self = .conflict
        case .rateLimited: self = .rateLimited
        case .tooManyActive: self = .tooManyActive
        case .offline: self = .offline
        case .storageFull: self = .storageFull
        case .storageUnavailable: self = .storageUnavailable
        case .closed: self = .closed
        case .serviceUnavailable: self = .serviceUnavailable
        case .outcomeUnknown: self = .outcomeUnknown
        case .unsupported: self = .unsupported
        case .notActive: self = .notActive
        case .rejected: self = .rejected
        // A cancelled wait is thrown as `CancellationError` before it gets here.
        case .cancelled, .internal: self = .internal
        }
    }
}
