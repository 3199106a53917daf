public import Foundation

/// Something that happened, for the moment only: what must last is in the store.
public enum ChatEvent: Hashable, Sendable {
    /// A conversation's connection changed.
    case connection(ConversationID, ConnectionStatus)
    /// A streamed answer moved on.
    case stream(ConversationID, StreamProgress)
    /// Someone types or stopped; without a user, the answering model does.
    case typing(ConversationID, user: UserID?, isActive: Bool)
    /// Someone came or went.
    case presence(ConversationID, user: UserID, isOnline: Bool, lastSeen: Date?)
    /// A recipient got, or read, everything up to a message.
    case receipt(ConversationID, user: UserID, upTo: ServerMessageID, isRead: Bool)
    /// Synchronisation moved on; `fetched` counts the messages new to this device.
    case sync(ConversationID, SyncPhase, fetched: Int)
    /// The server asked for quiet until this moment; what waits is named by `scope`.
    case cooldown(until: Date, scope: String)
    /// The server sent something that this version does not know.
    case unknown(ConversationID?, name: String)
    /// A conversation begun on this device is on the server, and goes by that name from now on; the
    /// local one still leads to it.
    case conversationBound(local: ConversationID, ConversationID)
    /// The token was refused and could not be refreshed: ask the user to sign in.
    case signInRequired
    /// A direct send turned out never to have arrived; its text is the conversation's draft.
    case draftRestored(ConversationID, MessageID)
    /// The fifth failure in a row of a waiting message; it goes on by itself.
    case sendTroubled(ConversationID, MessageID)
    /// This reader was slower than the events and `missed` of them are gone: look at the store.
    case discontinuity(missed: Int)
    /// The store cannot be written; nothing more is taken in until it can.
    case storeTroubled(code: String)
}

/// A step of a streamed answer.
public struct StreamProgress: Hashable, Sendable, CustomReflectable {
    /// The answer's row.
    public let message: MessageID
    /// Which step.
    public let phase: StreamPhase
    /// Where ``text`` begins, in bytes of the answer.
    public let offset: Int
    /// The new text; empty for an answer that ended.
    public let text: String

    /// A step made by hand, for tests.
    public init(message: MessageID, phase: StreamPhase, offset: Int, text: String) {
        self.message = message
        self.phase = phase
        self.offset = offset
        self.text = text
    }

    /// Prints no text.
    public var customMirror: Mirror {
        Mirror(self, children: ["message": message, "phase": phase, "offset": offset])
    }
}

/// What became of a streamed answer.
public enum StreamPhase: String, Hashable, Sendable, CaseIterable {
    /// An answer begins.
    case started
    /// Text was added.
    case delta
    /// The answer is whole.
    case completed
    /// It ended early; the history is read for the rest.
    case incomplete
    /// The service ended it with an error.
    case failed
    /// The user stopped it.
    case stopped
}

/// Where the synchronisation of a conversation stands.
public enum SyncPhase: String, Hashable, Sendable, CaseIterable {
    /// It began.
    case started
    /// A hole in what is stored is known and being filled.
    case gap
    /// Device and server are equal.
    case synced
    /// The server lost the thread: everything is read anew, and nothing is wiped.
    case discontinuity
}
