import Foundation
import Tidings

/// Sends one message and prints the answer as it streams:
/// `tidings-example http://127.0.0.1:8080 chat.db "What should I eat before a run?"`.
///
/// Run it again with the same file after a kill: what was accepted is still sent. A fourth argument
/// names the conversation to go on with.
@main
struct Example {
    static func main() async {
        do {
            try await run(CommandLine.arguments)
        } catch let error as ChatError {
            fail("\(error)", code: 1)
        } catch {
            fail("ended", code: 1)
        }
    }

    private static func run(_ arguments: [String]) async throws {
        guard arguments.count >= 4, let origin = URL(string: arguments[1]) else {
            fail("usage: tidings-example ORIGIN STORE TEXT [CONVERSATION]", code: 2)
        }
        let store = Store.file(URL(fileURLWithPath: arguments[2]))
        let client = try await ChatClient(
            ChatOptions(backend: .consultations(origin), store: store))
        let id = try await conversation(of: client, arguments.dropFirst(4).first)
        let chat = try client.open(id)
        let sent = try await chat.send(arguments[3])
        say("accepted \(sent.id) in \(id)")
        try await printAnswer(to: sent, in: chat)
        try await client.shutdown()
    }

    private static func conversation(
        of client: ChatClient, _ given: String?
    ) async throws -> ConversationID {
        if let given { return ConversationID(rawValue: given) }
        return try await client.createConversation(NewConversation(persona: "nutritionist")).id
    }

    /// Follows the store, so it does not matter which way the answer comes.
    private static func printAnswer(to sent: Message, in chat: Conversation) async throws {
        var messages: [Message] = []
        var printed = ""
        for try await changes in chat.timeline {
            changes.forEach { messages.apply($0) }
            guard let place = messages.firstIndex(where: { $0.id == sent.id }),
                let answer = messages[place...].first(where: { $0.role == .assistant })
            else { continue }
            if answer.text.hasPrefix(printed) {
                print(answer.text.dropFirst(printed.count), terminator: "")
                fflush(nil)
                printed = answer.text
            }
            if answer.completeness != .streaming { return print() }
        }
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private static func fail(_ line: String, code: Int32) -> Never {
        FileHandle.standardError.write(Data("\(line)\n".utf8))
        exit(code)
    }
}
