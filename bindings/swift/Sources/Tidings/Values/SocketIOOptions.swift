public import Foundation

/// How to reach channels over Socket.IO.
public struct SocketIOOptions: Sendable {
    /// Where the service is: `https://chat.example.com`.
    public var origin: URL
    /// Where its sockets are, if elsewhere.
    public var socketOrigin: URL?
    /// The key for the `X-API-Key` header of its REST calls.
    public var apiKey: String?
    /// This account, where the token does not tell.
    public var account: UserID?
    /// Which certificates are trusted.
    public var trust: TrustRoots?
    /// Names and limits by their key: `["socketio.namespace": "/chat"]`.
    public var settings: [String: String]

    /// The service at this address, with every default.
    public init(
        origin: URL,
        socketOrigin: URL? = nil,
        apiKey: String? = nil,
        account: UserID? = nil,
        trust: TrustRoots? = nil,
        settings: [String: String] = [:]
    ) {
        self.origin = origin
        self.socketOrigin = socketOrigin
        self.apiKey = apiKey
        self.account = account
        self.trust = trust
        self.settings = settings
    }
}

extension SocketIOOptions: CustomReflectable {
    /// Prints no key.
    public var customMirror: Mirror { Mirror(self, children: ["settings": settings]) }
}
