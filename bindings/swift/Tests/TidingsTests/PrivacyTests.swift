import Testing
import Tidings
import TidingsTesting

/// What people write, and what opens doors, is in no description.
@Suite struct PrivacyTests {
    @Test("no text, draft, token or key is printed", arguments: secrets)
    func nothingIsPrinted(value: Printed) {
        var dumped = ""
        dump(value.value, to: &dumped)
        for text in [dumped, "\(value.value)", String(reflecting: value.value)] {
            #expect(!text.contains("secret"))
        }
    }

    private static let message = Message.sample("secret", id: "1")

    static let secrets: [Printed] = [
        Printed(message),
        Printed(TimelineChange.insert(index: 0, message)),
        Printed(ChatError(kind: .rateLimited, code: "rate_limited", draft: "secret")),
        Printed(StreamProgress(message: "1", phase: .delta, offset: 0, text: "secret")),
        Printed(
            ServerMessage(id: "1", role: .user, text: "secret", isOwn: true)),
        Printed(Tokens.fixed("secret")),
        Printed(ConsultationsOptions(origin: .init(fileURLWithPath: "/"), apiKey: "secret")),
    ]
}

/// Any value, for a list of arguments.
struct Printed: Sendable, CustomTestStringConvertible {
    let value: any Sendable

    init(_ value: any Sendable) {
        self.value = value
    }

    var testDescription: String { "\(type(of: value))" }
}
