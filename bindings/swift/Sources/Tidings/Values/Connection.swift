public import Foundation

/// How a conversation is connected right now.
public struct ConnectionStatus: Hashable, Sendable {
    /// The state of its session.
    public let state: State
    /// What brings the news.
    public let transport: Transport
    /// The one light to show.
    public let light: Light
    /// When the next dial is due, where one waits.
    public let retryAt: Date?
    /// The stable code of what ended the last session.
    public let reason: String?

    /// A status made by hand, for previews and tests.
    public init(
        state: State,
        transport: Transport = .none,
        light: Light,
        retryAt: Date? = nil,
        reason: String? = nil
    ) {
        self.state = state
        self.transport = transport
        self.light = light
        self.retryAt = retryAt
        self.reason = reason
    }

    /// The state of a session.
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// Nothing is open.
        case idle
        /// Dialling.
        case connecting
        /// The realtime session is up.
        case live
        /// The session has gone quiet and is being probed.
        case stale
        /// News are asked for at intervals.
        case polling
        /// Waiting before the next dial.
        case backoff
        /// The device has no network.
        case offline
        /// The app is in the background.
        case suspended
        /// The token was refused: the user must sign in.
        case signInRequired
        /// The client was shut down.
        case closed
    }

    /// What brings the news.
    public enum Transport: String, Hashable, Sendable, CaseIterable {
        /// A socket.
        case webSocket
        /// Requests at intervals.
        case polling
        /// Nothing.
        case none
    }

    /// The one light to show.
    public enum Light: String, Hashable, Sendable, CaseIterable {
        /// Live.
        case green
        /// News come, only slower.
        case yellow
        /// No news come.
        case red
    }
}
