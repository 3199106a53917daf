internal import TidingsFFI

/// The app's source of tokens, as the core asks it: by a plain call, answered by a task.
final class BoundaryTokens: TokenSource {
    private let provider: any TokenProvider
    private let callbacks: Callbacks

    init(_ provider: any TokenProvider, _ callbacks: Callbacks) {
        self.provider = provider
        self.callbacks = callbacks
    }

    func requestToken(refresh: Bool, reply: TokenReply) throws {
        callbacks.start { [provider] in
            do {
                let token = try await provider.token(refresh: refresh)
                reply.resolve(answer: token.map { .token(token: $0) } ?? .notNeeded)
            } catch {
                let isOver = error as? TokenFailure == .signInRequired
                reply.resolve(answer: isOver ? .sessionEnded : .unavailable)
            }
        }
    }
}
