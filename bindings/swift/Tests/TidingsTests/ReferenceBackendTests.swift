import Foundation
import Testing
import Tidings
import TidingsTesting

/// The whole SDK against the reference backend, over loopback.
@Suite(.timeLimit(.minutes(3))) struct ReferenceBackendTests {
    @Test("an answer is streamed onto one row that keeps its key")
    func answerIsStreamed() async throws {
        let backend = try BackendProcess(["--word-delay", "5ms"])
        let (client, chat) = try await start(backend)
        var events = client.events.makeAsyncIterator()
        try await chat.send("ping 42 long")
        var pieces: [StreamProgress] = []
        while let event = try await events.next() {
            guard case .stream(_, let progress) = event else { continue }
            if progress.phase == .completed { break }
            if progress.phase == .delta { pieces.append(progress) }
        }
        let answer = try await finished(in: chat)
        #expect(pieces.count > 1)
        #expect(Set(pieces.map(\.message)) == [answer.id])
        #expect(answer.text.contains("ping 42"))
        try await client.shutdown()
    }

    @Test("a cut that forbids sockets is survived by polling")
    func cutIsSurvivedByPolling() async throws {
        let backend = try BackendProcess(["--word-delay", "1ms"])
        let (client, chat) = try await start(backend)
        _ = try await first(of: chat.connection) { $0.state == .live }
        try await backend.ask("admin/network", #"{"mode": "no_websocket"}"#)
        let status = try await first(of: chat.connection) { $0.transport == .polling }
        #expect(status.light == .yellow)
        try await chat.send("ping 43")
        #expect(try await finished(in: chat).text.contains("ping 43"))
        try await client.shutdown()
    }

    @Test("what a killed process had accepted is delivered once by the next one")
    func killedProcessLosesNothing() async throws {
        let (backend, folder) = (try BackendProcess(), try Folder())
        let file = folder.url.appendingPathComponent("chat.db")
        let (client, chat) = try await start(backend, .file(file))
        try await client.shutdown()
        try await backend.ask("admin/network", #"{"mode": "refuse"}"#)

        let accepted = try acceptAndKill(backend.origin, file, chat.id, "survive the kill")

        try await backend.ask("admin/network", #"{"mode": "up"}"#)
        let (again, _) = try await start(backend, .file(file), chat.id)
        let outcome = try await within(.seconds(60)) {
            try await again.waitForDelivery(of: accepted)
        }
        guard case .onServer = outcome else {
            Issue.record("not delivered")
            return
        }
        let rows = try await backend.messages(in: chat.id.rawValue)
        #expect(rows.filter { $0.text == "survive the kill" }.count == 1)
        try await again.shutdown()
    }

    @Test("a cancelled send leaves one message, delivered once")
    func cancelledSendLeavesOneMessage() async throws {
        let backend = try BackendProcess(["--word-delay", "1ms"])
        let (client, chat) = try await start(backend)
        // Each of these is cancelled at another moment: before, while and after it is accepted.
        for number in 0..<20 {
            let id = try client.mintMessageID()
            let task = Task { try await chat.send("cancelled \(number)", id: id) }
            for _ in 0..<number { await Task.yield() }
            task.cancel()
            _ = try? await task.value
            // Sent again under its key it is the same message, whatever became of the first try.
            let sent = try await chat.send("cancelled \(number)", id: id)
            #expect(sent.id == id)
            _ = try await within(.seconds(60)) { try await client.waitForDelivery(of: id) }
        }
        let rows = try await backend.messages(in: chat.id.rawValue)
        for number in 0..<20 {
            #expect(rows.filter { $0.text == "cancelled \(number)" }.count == 1)
        }
        try await client.shutdown()
    }

    @Test("an error has its stable code and no text")
    func errorHasItsCode() async throws {
        let backend = try BackendProcess()
        let (client, chat) = try await start(backend)
        await #expect {
            try await chat.send("   ")
        } throws: {
            let error = $0 as? ChatError
            return error?.code == "send.blank" && error?.kind == .invalidInput
        }
        try await client.shutdown()
        await #expect {
            try await chat.send("too late")
        } throws: {
            ($0 as? ChatError)?.kind == .closed
        }
    }

    @Test("a refused token is replaced by the app's provider, once for all who wait")
    func refusedTokenIsReplaced() async throws {
        let backend = try BackendProcess(["--token", "good=me"])
        let tokens = Provider(first: "stale", then: .success("good"))
        let client = try await ChatClient(
            ChatOptions(
                backend: .consultations(backend.origin), store: .memory, tokens: .provider(tokens)))
        let new = NewConversation(persona: "nutritionist")
        let created = try await client.createConversation(new)
        #expect(created.conversation.isWritable)
        #expect(await tokens.refreshes == 1)
        try await client.shutdown()
    }

    @Test("a provider that says the session has ended is told to the user")
    func endedSessionIsTold() async throws {
        let backend = try BackendProcess(["--token", "good=me"])
        let tokens = Provider(first: "stale", then: .failure(TokenFailure.signInRequired))
        let client = try await ChatClient(
            ChatOptions(
                backend: .consultations(backend.origin), store: .memory, tokens: .provider(tokens)))
        await #expect {
            try await client.createConversation(NewConversation(persona: "nutritionist"))
        } throws: {
            ($0 as? ChatError)?.kind == .signInRequired
        }
        try await client.shutdown()
    }

    private func start(
        _ backend: BackendProcess, _ store: Store = .memory, _ id: ConversationID? = nil
    ) async throws -> (ChatClient, Conversation) {
        let options = ChatOptions(
            backend: .consultations(backend.origin), store: store,
            settings: ["poll.active": "1s"])
        let client = try await ChatClient(options)
        let new = NewConversation(persona: "nutritionist")
        let given = if let id { id } else { try await client.createConversation(new).id }
        return (client, try client.open(given))
    }

    /// The newest message once it is a whole answer.
    private func finished(in chat: Conversation) async throws -> Message {
        try await within(.seconds(60)) {
            var messages: [Message] = []
            for try await changes in chat.timeline {
                for change in changes {
                    let isFitting = messages.apply(change)
                    #expect(isFitting)
                }
                if let last = messages.last, last.role == .assistant, last.completeness == .complete
                {
                    return last
                }
            }
            throw NothingCame(limit: .seconds(60))
        }
    }

    /// Runs the example until it has said that the message is accepted, then kills it.
    private func acceptAndKill(
        _ origin: URL, _ file: URL, _ conversation: ConversationID, _ text: String
    ) throws -> MessageID {
        let process = Process()
        process.executableURL = example
        process.arguments = [origin.absoluteString, file.path, text, conversation.rawValue]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let line = firstLine(of: output)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let words = try #require(line).split(separator: " ")
        try #require(words.first == "accepted")
        return MessageID(rawValue: String(words[1]))
    }

    /// Products lie beside the bundle of the tests.
    private var example: URL {
        #if os(macOS)
            let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
            let here = bundle?.bundleURL ?? Bundle.main.bundleURL
        #else
            let here = URL(fileURLWithPath: CommandLine.arguments[0])
        #endif
        return here.deletingLastPathComponent().appendingPathComponent("tidings-example")
    }
}

/// Gives one token until it is asked for a newer one.
private actor Provider: TokenProvider {
    private(set) var refreshes = 0
    private let first: String
    private let then: Result<String, any Error>

    init(first: String, then: Result<String, any Error>) {
        self.first = first
        self.then = then
    }

    func token(refresh: Bool) throws -> String? {
        if refresh { refreshes += 1 }
        return refreshes > 0 ? try then.get() : first
    }
}
