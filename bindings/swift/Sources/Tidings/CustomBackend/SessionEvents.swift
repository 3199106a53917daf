public import Foundation
internal import TidingsFFI

/// Where the events of one realtime session go.
public struct SessionEvents: Sendable {
    let feed: SessionFeed

    /// Hands an event over, in order; `false` once the session is over and nobody listens.
    @discardableResult
    public func push(_ event: SessionEvent) -> Bool {
        feed.push(event: event.boundary)
    }
}

/// One thing that a realtime session reports.
public enum SessionEvent: Hashable, Sendable {
    /// The backend's ready frame.
    case ready
    /// A sign of life without a meaning of its own.
    case alive
    /// A send was taken; without a key, the oldest unconfirmed one of this session.
    case acknowledged(MessageID?, ServerMessage?)
    /// A piece of the streamed answer, to be appended as it is.
    case answerDelta(String)
    /// The streamed answer is whole.
    case answerCompleted(stopped: Bool)
    /// A whole message.
    case received(ServerMessage)
    /// The server reports an error; during a turn it ends the turn. `refused` says with what it turned
    /// down a message that was sent over this session, where it did.
    case failed(code: String?, text: String, refused: BackendFailure.Kind? = nil)
    /// Someone types, or stopped.
    case typing(UserID, isActive: Bool)
    /// Someone came or went.
    case presence(UserID, isOnline: Bool, lastSeen: Date?)
    /// A recipient got, or read, everything up to a message.
    case receipt(UserID, upTo: ServerMessageID, isRead: Bool)
    /// This account read everything up to a message, on another device.
    case readMarker(upTo: ServerMessageID)
    /// A frame of a kind that the backend's adapter does not know.
    case unknown(name: String)
    /// A frame that could not be read; the history is asked once to make up for it.
    case undecodable
    /// The session is over; no event follows.
    case closed

    // One match.
    var boundary: TidingsFFI.SessionEvent {
        switch self {
        case .ready: .ready
        case .alive: .alive
        case .acknowledged(let id, let message):
            .acknowledged(clientId: id?.rawValue, message: message?.boundary)
        case .answerDelta(let text): .answerDelta(text: text)
        case .answerCompleted(let stopped): .answerCompleted(stopped: stopped)
        case .received(let message): .received(message: message.boundary)
        case .failed(let code, let text, let refused):
            .failed(code: code, text: text, refused: refused?.boundary)
        case .typing(let user, let isActive): .typing(user: user.rawValue, active: isActive)
        case .presence(let user, let isOnline, let lastSeen):
            .presence(
                user: user.rawValue, online: isOnline, lastSeenMs: lastSeen?.milliseconds)
        case .receipt(let user, let upTo, let isRead):
            .receipt(user: user.rawValue, upTo: upTo.rawValue, read: isRead)
        case .readMarker(let upTo): .readMarker(upTo: upTo.rawValue)
        case .unknown(let name): .unknown(name: name)
        case .undecodable: .undecodable
        case .closed: .closed
        }
    }
}
