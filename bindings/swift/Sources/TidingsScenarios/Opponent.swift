import Foundation
import Tidings

/// The backend that a scenario is played against.
enum Opponent: Sendable {
    /// The reference backend: an assistant answers everything.
    case reference
    /// Channels over Socket.IO, as the file beside the scenarios describes them.
    case socketIO(JSON)

    /// By its name, as described beside the scenario; the reference backend where there is none.
    init(named name: String?, beside scenario: String) throws {
        guard let name else {
            self = .reference
            return
        }
        guard name == "socketio" else { throw Stuck("there is no backend \(name)") }
        let folder = URL(fileURLWithPath: scenario).deletingLastPathComponent()
        self = .socketIO(try JSON(file: folder.appendingPathComponent("\(name)/backend.json")))
    }

    /// Whether messages are answered.
    var answers: Bool {
        switch self {
        case .reference: true
        case .socketIO(let told): told["answers"]?.flag ?? true
        }
    }

    /// The context of a conversation that a scenario gives none.
    func context(of name: String?) -> String? {
        guard case .socketIO(let told) = self, let kind = told["context"]?.text else { return nil }
        return "\(kind)/\(name ?? "b")"
    }

    /// How it is reached.
    func backend(at origin: URL, extensions: Bool) -> Backend {
        switch self {
        case .reference:
            .consultations(ConsultationsOptions(origin: origin, extensions: extensions))
        case .socketIO(let told):
            .socketIO(
                SocketIOOptions(
                    origin: origin,
                    account: (told["account"]?.text).map(UserID.init(rawValue:)),
                    settings: told["settings"]?.map.compactMapValues(\.text) ?? [:]))
        }
    }
}
