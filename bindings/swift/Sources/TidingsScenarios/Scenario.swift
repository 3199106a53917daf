import Foundation

/// A scenario as its file has it.
struct Scenario: Sendable {
    let needs: [String]
    let extensions: Bool
    let settings: [String: String]
    let tokens: [String]
    let steps: [Step]

    init(file: String) throws {
        let all = try JSON(file: URL(fileURLWithPath: file))
        needs = all["needs"]?.texts ?? []
        extensions = all["extensions"]?.flag ?? false
        tokens = all["tokens"]?.texts ?? []
        settings = all["settings"]?.map.compactMapValues(\.text) ?? [:]
        steps = (all["steps"]?.list ?? []).map(Step.init(json:))
    }
}

/// One step.
struct Step: Sendable {
    let json: JSON

    var verb: String { maybe("do") ?? "" }

    /// Its line in the trace begins with this.
    func label(_ number: Int) -> String {
        let named = ["as", "of", "in"].lazy.compactMap { maybe($0) }.first
        return "\(number + 1) \(verb)" + (named.map { " \($0)" } ?? "")
    }

    func maybe(_ key: String) -> String? { json[key]?.text }

    func text(_ key: String) throws -> String {
        guard let text = maybe(key) else { throw Stuck("the step lacks \(key)") }
        return text
    }

    func number(_ key: String, _ standard: Int) -> Int { json[key]?.number ?? standard }

    func flag(_ key: String, _ standard: Bool) -> Bool { json[key]?.flag ?? standard }

    /// A part of it as JSON text, where it is there.
    func json(_ key: String) throws -> String? {
        try json[key].map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    }
}

/// Any JSON.
enum JSON: Codable, Sendable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([JSON])
    case map([String: JSON])
    case nothing

    init(file: URL) throws {
        self = try JSONDecoder().decode(JSON.self, from: Data(contentsOf: file))
    }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .nothing
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? value.decode(Int.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSON].self) {
            self = .list(list)
        } else {
            self = .map(try value.decode([String: JSON].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .text(let text): try value.encode(text)
        case .number(let number): try value.encode(number)
        case .flag(let flag): try value.encode(flag)
        case .list(let list): try value.encode(list)
        case .map(let map): try value.encode(map)
        case .nothing: try value.encodeNil()
        }
    }

    subscript(key: String) -> JSON? { map[key] }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Int? { if case .number(let number) = self { number } else { nil } }
    var flag: Bool? { if case .flag(let flag) = self { flag } else { nil } }
    var list: [JSON] { if case .list(let list) = self { list } else { [] } }
    var map: [String: JSON] { if case .map(let map) = self { map } else { [:] } }
    var texts: [String] { list.compactMap(\.text) }
}
