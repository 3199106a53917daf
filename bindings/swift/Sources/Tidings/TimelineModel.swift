import Foundation
public import Observation

/// One row of a ``TimelineModel``: it lives as long as its message is shown, and changes alone.
///
/// A view that reads ``message`` is redrawn when this message changes, and at no other time.
@MainActor @Observable
public final class TimelineRow: Identifiable {
    /// The message's key on this device.
    public nonisolated let id: MessageID
    /// The message as it is now.
    public fileprivate(set) var message: Message

    init(_ message: Message) {
        id = message.id
        self.message = message
    }
}

/// The newest messages of a conversation for a screen, on the main actor.
///
/// Observation is per row: a streamed answer changes its own ``TimelineRow`` twenty times a second,
/// while ``rows`` changes only when a message comes, goes or moves. So a list over `rows` is not
/// redrawn by an answer that grows.
@MainActor @Observable
public final class TimelineModel {
    /// The rows, oldest first.
    public private(set) var rows: [TimelineRow] = []
    /// Whether the first look at the store is done: before, an empty list means nothing.
    public private(set) var isLoaded = false
    /// How often the whole list was put in place of what was shown; the first look counts.
    public private(set) var resets = 0
    /// Why the model stopped following, where it did not stop by itself.
    public private(set) var failure: ChatError?

    /// A model that shows nothing until it follows a timeline or is given changes.
    public init() {}

    /// Follows a timeline until the task is cancelled or the client is closed.
    ///
    /// Start it from `.task {}` of the view that shows the list: SwiftUI cancels it with the view.
    public func follow(_ timeline: Timeline) async {
        do {
            for try await changes in timeline {
                apply(changes)
            }
        } catch let error as ChatError {
            failure = error
        } catch {
            // Cancelled: the one who cancelled knows.
        }
    }

    /// Applies changes in order, as they come from a ``Timeline``.
    public func apply(_ changes: [TimelineChange]) {
        for change in changes {
            apply(change)
        }
    }

    private func apply(_ change: TimelineChange) {
        switch change {
        case .reset(let messages):
            reset(messages)
        case .insert(let index, let message) where index >= 0 && index <= rows.count:
            rows.insert(TimelineRow(message), at: index)
        case .update(let index, let message) where rows.indices.contains(index):
            rows[index].message = message
        case .remove(let index, _) where rows.indices.contains(index):
            rows.remove(at: index)
        default:
            failure = ChatError(kind: .internal, code: "timeline.misfit")
        }
    }

    /// Rows that stay keep their identity, so that a screen neither jumps nor flickers.
    private func reset(_ messages: [Message]) {
        let shown = Dictionary(rows.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        rows = messages.map { message in
            guard let row = shown[message.id] else { return TimelineRow(message) }
            if row.message != message { row.message = message }
            return row
        }
        resets += 1
        isLoaded = true
    }
}
