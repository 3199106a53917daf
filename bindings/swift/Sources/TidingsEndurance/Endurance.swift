import Foundation
import Tidings
import TidingsTesting

/// Opens and closes clients and reads events, as often as it is told, and ends with a failure where
/// memory grows by more than a mebibyte after the first tenth: `10000`. Or only says what an event
/// costs: `events 100000`.
@main
struct Endurance {
    private static let growth = 1 << 20
    /// As many as a session and a reader keep at a time.
    private static let batch = 500

    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "events", let count = arguments.last.flatMap({ Int($0) }) {
            return try await readEvents(count)
        }
        let rounds = arguments.first.flatMap { Int($0) } ?? 300
        try await openAndClose(rounds)
        try await readEvents(rounds * 10)
    }

    private static func openAndClose(_ rounds: Int) async throws {
        var early = 0
        for round in 1...rounds {
            let client = try await ChatClient(.fake(FakeBackend()))
            let chat = try client.open(try await client.createConversation().id)
            for try await _ in chat.timeline { break }
            chat.leave()
            try await client.shutdown()
            if round == rounds / 10 { early = resident() }
        }
        check("open and close", rounds, early)
    }

    private static func readEvents(_ count: Int) async throws {
        let backend = FakeBackend()
        let client = try await ChatClient(.fake(backend))
        let chat = try client.open(try await client.createConversation().id)
        _ = try await first(of: chat.connection) { $0.state == .live }
        var events = client.events.makeAsyncIterator()
        var (read, early) = (0, 0)
        var started = ContinuousClock.now
        while read < count {
            if read == count / 10 { started = ContinuousClock.now }
            for number in 0..<batch {
                await backend.setTyping("u1", number % 2 == 0, in: chat.id)
            }
            let goal = read + batch
            while read < goal, let event = try await events.next() {
                if case .typing = event { read += 1 }
            }
            if read == count / 10 { early = resident() }
        }
        let each = (ContinuousClock.now - started) / (read - count / 10)
        print("cost of an event: \(Int(each / .nanoseconds(1))) ns")
        try await client.shutdown()
        check("events", count, early)
    }

    private static func check(_ name: String, _ rounds: Int, _ early: Int) {
        let late = resident()
        print("\(name): \(rounds) rounds, grown by \((late - early) / 1024) KiB")
        if late - early > growth { exit(1) }
    }

    /// Bytes of this process that are in memory; nothing where the system does not say.
    private static func resident() -> Int {
        let told = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        let pages = told?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (pages ?? 0) * 4096
    }
}
