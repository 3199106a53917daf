/// One change of a list of messages, to be applied in order.
public enum TimelineChange: Hashable, Sendable {
    /// Forget everything shown; this is the list.
    case reset([Message])
    /// A new message at `index`; what was there and behind moves up.
    case insert(index: Int, Message)
    /// The message at `index` is replaced by a newer version of itself.
    case update(index: Int, Message)
    /// The message at `index` goes.
    case remove(index: Int, MessageID)
}

extension Array where Element == Message {
    /// Applies a change, as a screen would; `false` where the change does not fit this list.
    @discardableResult
    public mutating func apply(_ change: TimelineChange) -> Bool {
        switch change {
        case .reset(let messages):
            self = messages
        case .insert(let index, let message) where index >= 0 && index <= count:
            insert(message, at: index)
        case .update(let index, let message) where indices.contains(index):
            self[index] = message
        case .remove(let index, _) where indices.contains(index):
            remove(at: index)
        default:
            return false
        }
        return true
    }
}
