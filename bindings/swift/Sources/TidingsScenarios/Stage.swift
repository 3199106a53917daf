import Foundation
import Tidings

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What a scenario is played on: the client, the names it gave, and what it has seen.
@MainActor
final class Stage {
    private(set) var client: ChatClient!
    var open: [String: Conversation] = [:]
    /// The step that follows the one under way.
    var next = 0
    let tokens: Wallet
    private(set) var seen = Seen()
    let opponent: Opponent
    private let scenario: Scenario
    private let origin: URL
    private let admin: URL
    private let folder: URL
    private var names: [String: String] = [:]

    init(
        _ scenario: Scenario, against opponent: Opponent, at origin: URL, admin: URL, folder: URL
    ) {
        self.scenario = scenario
        self.opponent = opponent
        self.origin = origin
        self.admin = admin
        self.folder = folder
        tokens = Wallet(scenario.tokens)
    }

    func start() async throws {
        let client = try await ChatClient(
            ChatOptions(
                backend: opponent.backend(at: origin, extensions: scenario.extensions),
                store: .file(folder.appendingPathComponent("chat.db")),
                tokens: scenario.tokens.isEmpty ? .none : .provider(tokens),
                settings: scenario.settings))
        self.client = client
        let seen = Seen()
        self.seen = seen
        // Made here, it listens before the next step.
        var events = client.events.makeAsyncIterator()
        Task.detached {
            while let event = try? await events.next() { await seen.add(named(event)) }
        }
    }

    // One match.
    func has(_ need: String) throws -> Bool {
        let can = try client.capabilities
        return switch need {
        case "streaming": can.streaming
        case "stop": can.stop
        case "edit": can.edit
        case "delete": can.delete
        case "contexts": can.contexts
        case "complete": can.complete
        case "delete_conversation": can.deleteConversation
        case "read_marker": can.readMarker
        case "idempotent_send": can.idempotentSend
        default: false
        }
    }

    func leave() async throws {
        open.values.forEach { $0.leave() }
        open = [:]
        try await client.shutdown()
    }

    func reopen() async throws {
        try await leave()
        try await start()
    }

    /// Leaves to the next player what it needs, and goes without a word.
    func kill() throws -> Never {
        let left = JSON.map(["next": .number(next), "names": .map(names.mapValues { .text($0) })])
        try JSONEncoder().encode(left).write(to: folder.appendingPathComponent("left.json"))
        Foundation.kill(getpid(), SIGKILL)
        exit(137)
    }

    func takeOver() throws {
        let data = try Data(contentsOf: folder.appendingPathComponent("left.json"))
        let left = try JSONDecoder().decode(JSON.self, from: data)
        names = left["names"]?.map.compactMapValues(\.text) ?? [:]
    }

    // MARK: Names

    func give(_ name: String, _ id: String) {
        names[name] = id
    }

    /// The id behind a name; what has none is taken as it is.
    func id(_ name: String) -> String { names[name] ?? name }

    /// The name of an id: the scenario's, or a number in the order of appearance.
    func name(of id: String) -> String {
        let known = names.sorted { $0.key < $1.key }.first { $0.value == id }
        if let known { return known.key }
        let fresh = "#\(1 + names.keys.filter { $0.hasPrefix("#") }.count)"
        give(fresh, id)
        return fresh
    }

    func conversation(_ name: String) -> ConversationID { ConversationID(rawValue: id(name)) }

    func message(_ name: String) -> MessageID { MessageID(rawValue: id(name)) }

    // MARK: The server

    func askAdmin(_ path: String, _ body: String?) async throws -> Data {
        try await ask(admin, path, body, nil)
    }

    func askAsOther(_ path: String, _ body: String) async throws -> Data {
        try await ask(origin, path, body, scenario.tokens.last)
    }

    private func ask(
        _ base: URL, _ path: String, _ body: String?, _ token: String?
    ) async throws -> Data {
        guard let url = URL(string: base.absoluteString + withIDs(path)) else {
            throw Stuck("\(path) is no path")
        }
        var request = URLRequest(url: url)
        if let body {
            request.httpMethod = "POST"
            request.httpBody = Data(withIDs(body).utf8)
        }
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard (200..<300).contains(status) else { throw Stuck("\(path): \(status)") }
        return data
    }

    /// `$name` stands for an id; the longest name first, as one may begin with another.
    private func withIDs(_ text: String) -> String {
        names.keys.sorted { $0.count > $1.count }.reduce(text) { all, name in
            all.replacingOccurrences(of: "$\(name)", with: id(name))
        }
    }
}

/// The app's tokens: one after the other, and then the session is over.
actor Wallet: TokenProvider {
    private(set) var refreshes = 0
    private let tokens: [String]

    init(_ tokens: [String]) {
        self.tokens = tokens
    }

    func token(refresh: Bool) throws -> String? {
        if refresh { refreshes += 1 }
        guard tokens.indices.contains(refreshes) else { throw TokenFailure.signInRequired }
        return tokens[refreshes]
    }
}

/// The events since a client started, each named, in order.
actor Seen {
    private var names: [String] = []
    private var waiting: CheckedContinuation<Void, Never>?

    func add(_ name: String) {
        names.append(name)
        waiting?.resume()
        waiting = nil
    }

    /// Waits for an event of this name, and forgets it with all before it.
    func awaitNext(_ name: String) async {
        while true {
            if let place = names.firstIndex(of: name) {
                names.removeFirst(place + 1)
                return
            }
            names = []
            await withCheckedContinuation { waiting = $0 }
        }
    }
}
