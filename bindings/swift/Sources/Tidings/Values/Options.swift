public import Foundation

/// What a ``ChatClient`` is started with.
public struct ChatOptions: Sendable {
    /// Whom to talk to.
    public var backend: Backend
    /// Where messages are kept.
    public var store: Store
    /// How requests are authorised.
    public var tokens: Tokens
    /// Timings and limits by their names, as the manual lists them: `["poll.active": "2s"]`.
    public var settings: [String: String]

    /// Options for this backend, with every default.
    public init(
        backend: Backend,
        store: Store,
        tokens: Tokens = .none,
        settings: [String: String] = [:]
    ) {
        self.backend = backend
        self.store = store
        self.tokens = tokens
        self.settings = settings
    }
}

/// Whom to talk to.
public enum Backend: Sendable {
    /// The consultations service.
    case consultations(ConsultationsOptions)
    /// Channels over Socket.IO, in a library with the feature `socketio`.
    case socketIO(SocketIOOptions)
    /// A backend of the app's own.
    case custom(any ChatBackend)

    /// The consultations service at this address, with every default.
    public static func consultations(_ origin: URL) -> Self {
        .consultations(ConsultationsOptions(origin: origin))
    }
}

/// How to reach a consultations service.
public struct ConsultationsOptions: Sendable {
    /// Where it is: `https://chat.example.com`.
    public var origin: URL
    /// Where its sockets are, if elsewhere.
    public var socketOrigin: URL?
    /// The key for its `X-API-Key` header.
    public var apiKey: String?
    /// Where the socket's token goes.
    public var socketAuth: SocketAuth
    /// Which version of the protocol is spoken.
    public var dialect: Dialect
    /// Which certificates are trusted.
    public var trust: TrustRoots?
    /// The personas it has, where it does not say.
    public var personas: [String]?
    /// Whether to use what the reference backend adds, where it offers it.
    public var extensions: Bool

    /// The service at this address, with every default.
    public init(
        origin: URL,
        socketOrigin: URL? = nil,
        apiKey: String? = nil,
        socketAuth: SocketAuth = .header,
        dialect: Dialect = .auto,
        trust: TrustRoots? = nil,
        personas: [String]? = nil,
        extensions: Bool = false
    ) {
        self.origin = origin
        self.socketOrigin = socketOrigin
        self.apiKey = apiKey
        self.socketAuth = socketAuth
        self.dialect = dialect
        self.trust = trust
        self.personas = personas
        self.extensions = extensions
    }

    /// Which version of the protocol is spoken.
    public enum Dialect: Sendable {
        /// Found out from the first answer.
        case auto
        /// The deployed one.
        case production
        /// The 0.34 specification.
        case s34
    }

    /// Where the socket's token goes.
    public enum SocketAuth: Sendable {
        /// In a header.
        case header
        /// In the address: for proxies that drop headers.
        case query
        /// In both.
        case both
    }
}

extension ConsultationsOptions: CustomReflectable {
    /// Prints no key.
    public var customMirror: Mirror { Mirror(self, children: ["extensions": extensions]) }
}

/// Which certificates are trusted.
public enum TrustRoots: Sendable {
    /// The system's.
    case platform
    /// Those that come with the library.
    case builtIn
    /// Only these, in PEM.
    case custom(pem: String)
}

/// Where messages are kept.
public enum Store: Sendable {
    /// In a file. Put it where backups and the system's cleaning leave it alone, and give it the
    /// protection class that lets it be written while the device is locked.
    case file(URL, FileOptions = FileOptions())
    /// In memory only: gone with the process.
    case memory

    /// How a file is used.
    public struct FileOptions: Sendable {
        /// Whether another process may use it too: an app and its extension.
        public var isShared: Bool
        /// Whether this process only reads and accepts, and never sends: a notification extension.
        public var isPassive: Bool
        /// Whether an accept waits for the disk's own cache: slower, safe against power loss.
        public var barrier: Bool
        /// How long to wait for another process's write.
        public var busyTimeout: Duration
        /// Where the key of an encrypted store comes from; `nil` for a plain one. A plain store that
        /// is opened with a key is encrypted first. A library without the cipher refuses a key with
        /// the code `store.no_cipher`, and stores nothing.
        public var keys: (any StoreKeySource)?

        /// How a file is used, with every default.
        public init(
            isShared: Bool = false,
            isPassive: Bool = false,
            barrier: Bool = false,
            busyTimeout: Duration = .seconds(5),
            keys: (any StoreKeySource)? = nil
        ) {
            self.isShared = isShared
            self.isPassive = isPassive
            self.barrier = barrier
            self.busyTimeout = busyTimeout
            self.keys = keys
        }
    }
}

/// How requests are authorised.
public enum Tokens: Sendable {
    /// Not at all.
    case none
    /// By one token that does not change.
    case fixed(String)
    /// By tokens that the app gives when asked.
    case provider(any TokenProvider)
}

extension Tokens: CustomReflectable {
    /// Prints no token.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Gives tokens to the SDK, from a task of its own.
public protocol TokenProvider: Sendable {
    /// The token to use now, within 15 seconds; `nil` where the server wants none.
    ///
    /// With `refresh` the server has just refused the last one: answer with a newer one. Throw
    /// ``TokenFailure/signInRequired`` where the session has ended; after anything else it is
    /// tried again later.
    func token(refresh: Bool) async throws -> String?
}

/// Why there is no token.
public enum TokenFailure: Error, Hashable, Sendable {
    /// The user has to sign in.
    case signInRequired
    /// Not now; try again later.
    case unavailable
}
