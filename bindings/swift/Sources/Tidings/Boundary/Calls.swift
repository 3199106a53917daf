internal import TidingsFFI

/// Makes one call of the core with the manners of Swift.
///
/// A cancelled task ends the wait with `CancellationError`; what the core had begun goes on. A task
/// that is cancelled already asks for nothing.
func call<Answer: Sendable>(
    _ operation: (CancelHandle) async throws -> Answer
) async throws -> Answer {
    try Task.checkCancellation()
    let handle = CancelHandle()
    return try await withTaskCancellationHandler {
        do {
            return try await operation(handle)
        } catch {
            throw translated(error)
        }
    } onCancel: {
        handle.cancel()
    }
}

/// Makes a short call that is not worth cancelling.
func shortCall<Answer: Sendable>(_ operation: () async throws -> Answer) async throws -> Answer {
    do {
        return try await operation()
    } catch {
        throw translated(error)
    }
}

/// Makes a call that answers at once.
func callAtOnce<Answer>(_ operation: () throws -> Answer) throws -> Answer {
    do {
        return try operation()
    } catch {
        throw translated(error)
    }
}

/// What the generated part threw, in the words of this package.
func translated(_ error: any Error) -> any Error {
    if case TidingsFFI.ChatError.Failed(let problem) = error, problem.kind == .cancelled {
        return CancellationError()
    }
    return ChatError(boundary: error)
}
