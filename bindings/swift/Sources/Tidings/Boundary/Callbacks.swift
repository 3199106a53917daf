import Foundation

/// A value behind a lock that is held for a moment, and never over a call into the app.
final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) {
        self.value = value
    }

    func callAsFunction<Answer>(_ change: (inout Value) -> Answer) -> Answer {
        lock.lock()
        defer { lock.unlock() }
        return change(&value)
    }
}

/// The tasks in which one client calls the app: none begins after ``close()`` has returned, and
/// those under way are cancelled and waited for.
final class Callbacks: Sendable {
    private struct State {
        var isClosed = false
        var count = 0
        var running: [Int: Task<Void, Never>] = [:]
    }

    /// As long as the core waits for a call into the app when a client ends.
    private static let patience = Duration.seconds(2)

    private let state = Locked(State())

    /// Calls the app from a task of its own; after the end it does not, and whoever waits for an
    /// answer finds that there is none.
    func start(_ work: @escaping @Sendable () async -> Void) {
        state { state in
            guard !state.isClosed else { return }
            let number = state.count
            state.count += 1
            state.running[number] = Task {
                await work()
                self.state { _ = $0.running.removeValue(forKey: number) }
            }
        }
    }

    /// Cancels what is under way and waits for it, though not for ever: an app that ignores being
    /// cancelled, or closes from inside a call, must not hang.
    func close() async {
        let running = state { state in
            state.isClosed = true
            return Array(state.running.values)
        }
        guard !running.isEmpty else { return }
        running.forEach { $0.cancel() }
        let (ended, end) = AsyncStream<Void>.makeStream()
        let all = Task {
            for task in running { await task.value }
            end.finish()
        }
        let limit = Task {
            try? await Task.sleep(for: Self.patience)
            end.finish()
        }
        for await _ in ended {}
        all.cancel()
        limit.cancel()
    }
}
