/// Which hits come first.
public enum SearchOrder: String, Hashable, Sendable, CaseIterable {
    /// The newest.
    case newest
    /// The best among the newest few thousand, then the older ones, newest first.
    case best
}

/// A part of a message's text that shows why it was found.
public struct Snippet: Hashable, Sendable, CustomReflectable {
    /// The part.
    public let text: String
    /// The found words in it, in order and apart.
    public let marks: [Range<String.Index>]
    /// Whether text before it was left out.
    public let isCutBefore: Bool
    /// Whether text behind it was left out.
    public let isCutAfter: Bool

    /// Prints no text.
    public var customMirror: Mirror { Mirror(self, children: ["marks": marks.count]) }
}

/// A message that was found.
public struct SearchHit: Identifiable, Hashable, Sendable {
    /// The whole message.
    public let message: Message
    /// Why it was found.
    public let snippet: Snippet

    /// The message's key.
    public var id: MessageID { message.id }
}

/// Hits in the order asked for.
public struct SearchPage: Hashable, Sendable {
    /// The hits.
    public let hits: [SearchHit]
    /// What the next page is asked for with; `nil` at the end.
    public let next: String?
    /// Whether everything stored was looked at; not for a while after an update of the app that
    /// brought the index.
    public let isComplete: Bool
}
