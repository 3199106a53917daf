import Foundation
import Tidings
import TidingsTesting

/// What ends a player: a scenario that is wrong, or an event that never came.
struct Stuck: Error {
    let why: String

    init(_ why: String) {
        self.why = why
    }
}

/// Plays one golden scenario and prints its trace: `SCENARIO ORIGIN ADMIN FOLDER FROM [BACKEND]`, as
/// the other players do. The format is described in `tests/scenarios/README.md`.
@main
@MainActor
struct Player {
    static func main() async {
        let arguments = CommandLine.arguments
        guard (6...7).contains(arguments.count), let origin = URL(string: arguments[2]),
            let admin = URL(string: arguments[3]), let from = Int(arguments[5])
        else { end("usage: SCENARIO ORIGIN ADMIN FOLDER FROM [BACKEND]", 2) }
        do {
            let scenario = try Scenario(file: arguments[1])
            let folder = URL(fileURLWithPath: arguments[4])
            let name = arguments.count > 6 ? arguments[6] : nil
            let opponent = try Opponent(named: name, beside: arguments[1])
            let stage = Stage(
                scenario, against: opponent, at: origin, admin: admin, folder: folder)
            try await play(scenario, on: stage, from: from)
        } catch let stuck as Stuck {
            end(stuck.why, 1)
        } catch {
            end("\(error)", 1)
        }
    }

    private static func play(_ scenario: Scenario, on stage: Stage, from: Int) async throws {
        if from > 0 { try stage.takeOver() }
        try await stage.start()
        if from == 0, let lacking = try scenario.needs.first(where: { try !stage.has($0) }) {
            return say("skipped: the backend lacks \(lacking)")
        }
        for (number, step) in scenario.steps.enumerated().dropFirst(from) {
            stage.next = number + 1
            let lines: [String]
            do {
                lines = try await within(.seconds(60)) { try await stage.perform(step, number) }
            } catch is NothingCame {
                throw Stuck("\(step.label(number)): nothing came")
            }
            say("\(step.label(number)): \(lines[0])")
            for line in lines.dropFirst() { say("  \(line)") }
        }
        try await stage.leave()
    }

    static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private static func end(_ line: String, _ code: Int32) -> Never {
        FileHandle.standardError.write(Data("\(line)\n".utf8))
        exit(code)
    }
}
