/// An identifier that apps compare and store, and never take apart.
public protocol Identifier: RawRepresentable, Hashable, Sendable, Codable,
    CustomStringConvertible, ExpressibleByStringLiteral
where RawValue == String {
    init(rawValue: String)
}

extension Identifier {
    public var description: String { rawValue }

    public init(stringLiteral value: String) {
        self.init(rawValue: value)
    }
}

/// A message's key on this device: minted when the message is accepted, the same for its whole
/// life, confirmed or not. Use it as the identity of rows.
public struct MessageID: Identifier {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// A message's id at the server: opaque, and absent until the server has the message.
public struct ServerMessageID: Identifier {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// A conversation's id at the server.
public struct ConversationID: Identifier {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// A user's id at the server.
public struct UserID: Identifier {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}
