internal import TidingsFFI

/// Something of the core that is read one step at a time and can be told to end.
protocol Feed: AnyObject, Sendable {
    associatedtype Step: Sendable
    func next() async throws -> Step?
    func stop()
}

extension TidingsFFI.Timeline: Feed {}
extension TidingsFFI.EventFeed: Feed {}
extension TidingsFFI.Watch: Feed {}

/// Reads a feed with the manners of Swift: a cancelled task ends the wait and the sequence.
///
/// Nothing is queued on this side: the core holds what a slow reader has not taken, within bounds,
/// and says so when it had to let go of something.
struct FeedReader<Source: Feed> {
    private enum State {
        case opening(@Sendable () async throws -> Source)
        case open(Source)
        case refused(any Error)
        case ended
    }

    private var state: State

    /// A feed that is opened now: nothing that happens after this line is missed.
    init(opening open: () throws -> Source) {
        do {
            state = .open(try open())
        } catch {
            state = .refused(error)
        }
    }

    /// A feed that is opened by the first read.
    init(later open: @escaping @Sendable () async throws -> Source) {
        state = .opening(open)
    }

    /// The feed, while it is open.
    var source: Source? {
        if case .open(let source) = state { source } else { nil }
    }

    /// The next step; `nil` once the feed ended, which it does for good.
    mutating func next() async throws -> Source.Step? {
        do {
            guard let source = try await opened() else { return nil }
            let step = try await withTaskCancellationHandler {
                try await source.next()
            } onCancel: {
                source.stop()
            }
            if step == nil { state = .ended }
            return step
        } catch {
            state = .ended
            return try ended(by: translated(error))
        }
    }

    private mutating func opened() async throws -> Source? {
        switch state {
        case .opening(let open):
            let source = try await open()
            state = .open(source)
            return source
        case .open(let source): return source
        case .refused(let error): throw error
        case .ended: return nil
        }
    }

    /// A client that was closed and a task that was cancelled are ends, not failures.
    private func ended(by error: any Error) throws -> Source.Step? {
        let isEnd = error is CancellationError || (error as? ChatError)?.kind == .closed
        if isEnd { return nil }
        throw error
    }
}
