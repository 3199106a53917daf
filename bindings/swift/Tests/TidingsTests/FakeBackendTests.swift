import Foundation
import Testing
import Tidings
import TidingsTesting

/// The core with a backend that is written in Swift: the boundary in both directions.
@Suite(.timeLimit(.minutes(3))) struct FakeBackendTests {
    @Test("a message is answered by a backend of the app's own")
    func messageIsAnswered() async throws {
        let backend = FakeBackend { ["You said: ", $0.text] }
        let (client, chat) = try await start(backend)
        try await chat.send("hello")
        let answer = try await first(of: chat.timeline) { changes in
            changes.contains { $0.messages.contains { $0.text == "You said: hello" } }
        }
        #expect(!answer.isEmpty)
        #expect(await backend.messages(in: chat.id).map(\.text) == ["hello", "You said: hello"])
        try await client.shutdown()
    }

    @Test("a lost receipt is settled under the same key, once")
    func lostReceiptIsSettledOnce() async throws {
        let backend = FakeBackend()
        let (client, chat) = try await start(backend)
        await backend.loseNextReceipt()
        let sent = try await chat.send("only once")
        _ = try await within(.seconds(60)) { try await client.waitForDelivery(of: sent.id) }
        #expect(await backend.messages(in: chat.id).map(\.text) == ["only once"])
        try await client.shutdown()
    }

    @Test("cancelling the wait for a message on the wire leaves it to be delivered once")
    func cancelledWaitLeavesTheMessage() async throws {
        let backend = FakeBackend()
        let (client, chat) = try await start(backend)
        await backend.hold()
        let id = try client.mintMessageID()
        let sending = Task { try await chat.send("in flight", mode: .direct, id: id) }
        while await backend.held == 0 { await Task.yield() }
        sending.cancel()
        await #expect(throws: CancellationError.self) { try await sending.value }
        await backend.release()
        _ = try await within(.seconds(60)) { try await client.waitForDelivery(of: id) }
        #expect(await backend.messages(in: chat.id).map(\.text) == ["in flight"])
        try await client.shutdown()
    }

    @Test("what is sent without a network waits, and goes out when there is one")
    func offlineMessageGoesOutLater() async throws {
        let backend = FakeBackend()
        let (client, chat) = try await start(backend)
        await backend.setReachable(false)
        let sent = try await chat.send("later")
        #expect(sent.state == .queued || sent.state == .sending)
        await backend.setReachable(true)
        try client.networkChanged(.up)
        _ = try await within(.seconds(60)) { try await client.waitForDelivery(of: sent.id) }
        #expect(await backend.messages(in: chat.id).map(\.text) == ["later"])
        try await client.shutdown()
    }

    @Test("after the client is closed nothing of the app is called and every sequence ends")
    func nothingIsCalledAfterClose() async throws {
        let backend = CountingBackend(FakeBackend())
        let client = try await ChatClient(ChatOptions(backend: .custom(backend), store: .memory))
        let chat = try client.open(try await client.createConversation().id)
        let timeline = Task { for try await _ in chat.timeline {} }
        let events = Task { for try await _ in client.events {} }
        let outbox = Task { for try await _ in client.outboxUpdates {} }
        try await chat.send("one")
        while backend.sends == 0 { await Task.yield() }
        try await client.shutdown()
        let (calls, running) = (backend.calls, backend.running)
        #expect(running == 0)
        try await within(.seconds(60)) {
            try await timeline.value
            try await events.value
            try await outbox.value
        }
        #expect(throws: ChatError.self) { try client.networkChanged(.up) }
        #expect(throws: ChatError.self) { try client.foreground() }
        #expect(backend.calls == calls)
        try await client.shutdown()
    }

    @Test("a backend that never answers does not hold up the end")
    func silentBackendDoesNotHoldUpTheEnd() async throws {
        let backend = FakeBackend()
        let (client, chat) = try await start(backend)
        await backend.hold()
        try await chat.send("never answered")
        while await backend.held == 0 { await Task.yield() }
        try await within(.seconds(60)) { try await client.shutdown() }
        await backend.release()
    }

    @Test("a cancelled task ends its sequence and not the client")
    func cancelledTaskEndsItsSequence() async throws {
        let (client, chat) = try await start(FakeBackend())
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let reader = Task {
            for try await _ in chat.timeline { begin.yield() }
            return "ended"
        }
        for await _ in begun { break }
        reader.cancel()
        #expect(try await within(.seconds(60)) { try await reader.value } == "ended")
        try await chat.send("still works")
        try await client.shutdown()
    }

    @Test("a reader slower than the events is told how many it missed")
    func slowReaderIsTold() async throws {
        let backend = FakeBackend()
        let (client, chat) = try await start(backend)
        _ = try await first(of: chat.connection) { $0.state == .live }
        var events = client.events.makeAsyncIterator()
        for round in 0..<3 {
            for number in 0..<500 {
                await backend.setTyping("someone", number.isMultiple(of: 2), in: chat.id)
            }
            // Once this one is shown, all that came before it has been taken in.
            await backend.post("round \(round)", in: chat.id)
            _ = try await first(of: chat.timeline) { changes in
                changes.contains { $0.messages.contains { $0.text == "round \(round)" } }
            }
        }
        guard case .discontinuity(let missed) = try await events.next() else {
            Issue.record("the loss was not said")
            return
        }
        #expect(missed > 0)
        #expect(try await events.next() != nil)
        try await client.shutdown()
    }

    private func start(_ backend: FakeBackend) async throws -> (ChatClient, Conversation) {
        let client = try await ChatClient(.fake(backend))
        return (client, try client.open(try await client.createConversation().id))
    }
}
