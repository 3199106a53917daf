/// Nothing came in time.
public struct NothingCame: Error, CustomStringConvertible {
    /// How long it was waited for.
    public let limit: Duration

    /// Nothing came within this time.
    public init(limit: Duration) {
        self.limit = limit
    }

    public var description: String { "nothing fitting came within \(limit)" }
}

/// The first element that fits, from a fresh iteration of `sequence`.
///
/// The limit is there so that a broken test ends; it is no measure of anything.
public func first<Source: AsyncSequence & Sendable>(
    of sequence: Source,
    within limit: Duration = .seconds(60),
    where fits: @escaping @Sendable (Source.Element) -> Bool = { _ in true }
) async throws -> Source.Element where Source.Element: Sendable {
    try await within(limit) {
        for try await element in sequence where fits(element) { return element }
        throw NothingCame(limit: limit)
    }
}

/// The answer of `work`, which is cancelled when it takes longer than the limit.
public func within<Answer: Sendable>(
    _ limit: Duration, _ work: @escaping @Sendable () async throws -> Answer
) async throws -> Answer {
    try await withThrowingTaskGroup(of: Answer.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw NothingCame(limit: limit)
        }
        defer { group.cancelAll() }
        guard let answer = try await group.next() else { throw NothingCame(limit: limit) }
        return answer
    }
}
