import Foundation
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The reference backend as a process of its own, on free loopback ports; ended by its own id.
final class BackendProcess: @unchecked Sendable {
    let origin: URL
    private let admin: URL
    private let process: Process

    init(_ options: [String] = []) throws {
        let path = try #require(
            ProcessInfo.processInfo.environment["TIDINGS_BACKEND"],
            "TIDINGS_BACKEND names the program; `cargo xtask test` sets it")
        process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["--listen", "127.0.0.1:0"] + options
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let words = try #require(firstLine(of: output)).split(separator: " ")
        origin = try #require(URL(string: String(words[2])))
        admin = try #require(URL(string: String(words[6])))
    }

    /// Asks its admin endpoint; `body` is JSON.
    @discardableResult
    func ask(_ path: String, _ body: String? = nil) async throws -> Data {
        var request = URLRequest(url: admin.appendingPathComponent(path))
        if let body {
            request.httpMethod = "POST"
            request.httpBody = Data(body.utf8)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        try #require((response as? HTTPURLResponse)?.statusCode ?? 0 < 300)
        return data
    }

    /// The texts that the server has of this conversation, in its order, as (role, text).
    func messages(in conversation: String) async throws -> [(role: String, text: String)] {
        struct Row: Decodable {
            let role: String
            let content: String
        }
        struct Rows: Decodable { let messages: [Row] }
        let data = try await ask("admin/messages/\(conversation)")
        let rows =
            try (try? JSONDecoder().decode([Row].self, from: data))
            ?? JSONDecoder().decode(Rows.self, from: data).messages
        return rows.map { ($0.role, $0.content) }
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// The first line a program prints, or what it printed before it ended.
func firstLine(of pipe: Pipe) -> String? {
    var line = Data()
    while true {
        let more = pipe.fileHandleForReading.readData(ofLength: 1)
        guard let byte = more.first else { return nil }
        if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
        line.append(byte)
    }
}

/// A folder that goes with the test.
final class Folder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }
}
