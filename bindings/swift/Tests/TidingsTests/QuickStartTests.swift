import Testing

// quick start
import Foundation
import Tidings

/// What the README shows, compiled; never run, since nobody is at that address.
private func quickStart() async throws {
    let backend = Backend.consultations(URL(string: "https://chat.example.com")!)
    let file = URL(fileURLWithPath: "chat.db")
    let client = try await ChatClient(
        ChatOptions(backend: backend, store: .file(file), tokens: .fixed("token from your sign-in")))

    let created = try await client.createConversation(NewConversation(persona: "nutritionist"))
    let chat = try client.open(created.id)
    try await chat.send("What should I eat before a run?")  // on disk when this returns

    var messages: [Message] = []
    for try await changes in chat.timeline {
        for change in changes { messages.apply(change) }  // a reset first, then changes
        print(messages.last?.text ?? "")
    }
}
// end of the quick start

@Suite struct QuickStartTests {
    @Test("the README shows the quick start that is compiled")
    func readmeShowsWhatIsCompiled() throws {
        let here = URL(fileURLWithPath: #filePath)
        let package = here.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let readme = try String(
            contentsOf: package.appendingPathComponent("README.md"), encoding: .utf8)
        let source = try String(contentsOf: here, encoding: .utf8)
        let shown = lines(readme, after: "```swift", until: "```")
        let compiled = lines(source, after: "// quick start", until: "// end of the quick start")
            .filter { !$0.hasPrefix("///") && !$0.hasPrefix("private func") }
        #expect(shown.count > 10)
        #expect(shown == compiled)
    }

    /// The lines between two others, without indentation, blank ones and lone braces.
    private func lines(_ text: String, after first: String, until last: String) -> [String] {
        let all = text.split(separator: "\n", omittingEmptySubsequences: false)
        let body = all.drop { $0 != first }.dropFirst().prefix { $0 != last }
        return body.map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty && $0 != "}" }
    }
}
