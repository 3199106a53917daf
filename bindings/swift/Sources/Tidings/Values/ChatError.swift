public import Foundation

/// A failed call: what to do about it, and the stable code.
///
/// Cancelling a task throws `CancellationError`, never this.
public struct ChatError: Error, Hashable, Sendable {
    /// What to do about it.
    public let kind: Kind
    /// The stable code; the wording of ``sentence`` may change, this does not.
    public let code: String
    /// One sentence for a person.
    public let sentence: String
    /// The input to fix, where there is one.
    public let field: String?
    /// How long the server asked to wait.
    public let retryAfter: Duration?
    /// Whether the same call may succeed later.
    public let isRetryable: Bool
    /// Whether nobody knows if it took effect; the history settles it.
    public let isOutcomeUnknown: Bool
    /// The text that was not sent, where the send was direct.
    public let draft: String?
    /// The conversation that exists already, where the server named it.
    public let existing: ConversationID?

    /// An error made by hand, for previews and tests.
    public init(
        kind: Kind,
        code: String,
        sentence: String = "",
        field: String? = nil,
        retryAfter: Duration? = nil,
        isRetryable: Bool = false,
        isOutcomeUnknown: Bool = false,
        draft: String? = nil,
        existing: ConversationID? = nil
    ) {
        self.kind = kind
        self.code = code
        self.sentence = sentence
        self.field = field
        self.retryAfter = retryAfter
        self.isRetryable = isRetryable
        self.isOutcomeUnknown = isOutcomeUnknown
        self.draft = draft
        self.existing = existing
    }

    /// What an app does about a failure.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Fix the input named by ``ChatError/field``.
        case invalidInput
        /// Ask the user to sign in.
        case signInRequired
        /// The account may not do this.
        case notAllowed
        /// There is no such thing.
        case notFound
        /// It exists already: open ``ChatError/existing``.
        case conflict
        /// Wait ``ChatError/retryAfter``, then try again.
        case rateLimited
        /// Complete or delete a conversation first.
        case tooManyActive
        /// No network; what was accepted goes out by itself.
        case offline
        /// Free some space; nothing was stored.
        case storageFull
        /// The store cannot be used.
        case storageUnavailable
        /// The client was shut down.
        case closed
        /// The service failed; try again later.
        case serviceUnavailable
        /// Nobody knows whether it happened; the history will tell.
        case outcomeUnknown
        /// This backend cannot do that: hide it.
        case unsupported
        /// The conversation takes no messages any more.
        case notActive
        /// The server turned it down.
        case rejected
        /// A bug, of the SDK or of what the app gave it: report the code.
        case `internal`
    }
}

extension ChatError: LocalizedError, CustomStringConvertible, CustomReflectable {
    public var errorDescription: String? { sentence }

    /// Prints no draft.
    public var description: String { "\(sentence) (\(code))" }

    /// Keeps `dump` and string interpolation from printing the draft.
    public var customMirror: Mirror {
        Mirror(self, children: ["kind": kind, "code": code])
    }
}
