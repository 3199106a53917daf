import Foundation
import Testing
import Tidings
import TidingsTesting

/// What the user does without a network shows at once, waits, and can be taken back.
@Suite(.timeLimit(.minutes(3))) struct ActionTests {
    @Test("a conversation begun offline is written to at once and bound later")
    func begunOffline() async throws {
        let (backend, client) = try await start()
        try await backend.ask("admin/network", #"{"mode": "refuse"}"#)
        let begun = try await client.beginConversation(NewConversation(persona: "nutritionist"))
        let sent = try await client.open(begun.id).send("Before the server knew")
        #expect(try await client.outbox().map(\.kind) == [.create, .send])
        try await online(backend, client)
        guard case .onServer = try await client.waitForDelivery(of: sent.id) else {
            Issue.record("not delivered")
            return
        }
        let bound = try #require(try await client.conversation(begun.id))
        #expect(bound.id != begun.id)
        let rows = try await backend.messages(in: bound.id.rawValue)
        #expect(rows.filter { $0.text == "Before the server knew" }.count == 1)
        try await client.shutdown()
    }

    @Test("an edit and a deletion show at once and are made when they can be")
    func changesShowAtOnce() async throws {
        let (backend, client) = try await start()
        let chat = try client.open(try await client.createConversation(coach).id)
        let sent = try await chat.send("First wording")
        _ = try await client.waitForDelivery(of: sent.id)
        try await backend.ask("admin/network", #"{"mode": "refuse"}"#)

        let edited = try await client.edit(sent.id, text: "Second wording")
        #expect(edited.message.text == "Second wording")
        #expect(edited.message.pending == .edit)
        let waiting = try #require(try await client.outbox().first)
        #expect(waiting.kind == .edit && waiting.changes == sent.id)
        #expect(waiting.id == edited.action)
        let deleted = try await client.delete(sent.id)
        #expect(deleted.message.pending == .delete)
        try await online(backend, client)
        let action = try #require(deleted.action)
        guard case .onServer = try await client.waitForDelivery(of: action) else {
            Issue.record("not deleted")
            return
        }
        let rows = try await backend.messages(in: chat.id.rawValue)
        #expect(!rows.contains { $0.text.hasSuffix("wording") })
        try await client.shutdown()
    }

    @Test("search needs no network, marks what it found and goes on in pages")
    func searchGoesOnInPages() async throws {
        let (backend, client) = try await start()
        let chat = try client.open(try await client.createConversation(coach).id)
        // The coach repeats what it is told: no answer may be found beside the messages.
        try await backend.ask("admin/network", #"{"mode": "refuse"}"#)
        for number in 0..<3 { try await chat.send("Grüße aus dem Süden \(number)") }
        let first = try await client.search(#""aus dem" sud"#, limit: 2)
        #expect(first.hits.count == 2)
        let snippet = try #require(first.hits.first?.snippet)
        #expect(snippet.marks.last.map { snippet.text[$0] } == "Süden")
        let rest = try await client.search(#""aus dem" sud"#, after: first.next, limit: 2)
        #expect(rest.hits.count == 1 && rest.next == nil)
        await #expect {
            _ = try await client.search("sud", after: "nowhere")
        } throws: {
            ($0 as? ChatError)?.field == "after"
        }
        try await client.shutdown()
    }

    @Test("drafts are kept, catching up ends, a suspended store comes back")
    func suspendedStoreComesBack() async throws {
        let (backend, client) = try await start()
        defer { withExtendedLifetime(backend) {} }
        let chat = try client.open(try await client.createConversation(coach).id)
        #expect(try await chat.saveDraft("half a thou").draft == "half a thou")
        #expect(try await chat.saveDraft(nil).draft == nil)
        #expect(try await client.catchUp(deadline: .seconds(30)).isFinished)
        try await client.background()
        await #expect(throws: ChatError.self) { _ = try await client.conversations() }
        try client.foreground()
        for try await list in client.conversationUpdates() {
            if list.contains(where: { $0.id == chat.id }) { break }
        }
        try await client.shutdown()
    }

    private let coach = NewConversation(persona: "nutritionist")
    private let folder: Folder

    init() throws {
        folder = try Folder()
    }

    private func start() async throws -> (BackendProcess, ChatClient) {
        let backend = try BackendProcess(["--word-delay", "1ms", "--extensions", "on"])
        let file = folder.url.appendingPathComponent("chat.db")
        let consultations = ConsultationsOptions(origin: backend.origin, extensions: true)
        let client = try await ChatClient(
            ChatOptions(
                backend: .consultations(consultations), store: .file(file), tokens: .fixed("a")))
        return (backend, client)
    }

    private func online(_ backend: BackendProcess, _ client: ChatClient) async throws {
        try await backend.ask("admin/network", #"{"mode": "up"}"#)
        try client.networkChanged(.up)
    }
}
