import Foundation
import Testing

/// What the sources promise of the surface, beyond what the compiler checks by itself.
@Suite struct SurfaceTests {
    @Test("the generated module is imported internally, so that the compiler keeps it inside")
    func generatedModuleStaysInside() throws {
        let imports = try lines().filter { $0.text.contains("import TidingsFFI") }
        #expect(imports.count > 10)
        #expect(imports.filter { $0.text != "internal import TidingsFFI" }.isEmpty)
    }

    @Test("nothing public says of itself that it is safe without the compiler's proof")
    func nothingPublicIsUnchecked() throws {
        let unproved = try lines().filter { line in
            let marks = ["@unchecked", "nonisolated(unsafe)", "@preconcurrency"]
            return marks.contains { line.text.contains($0) } && !line.text.hasPrefix("final class")
        }
        #expect(unproved.isEmpty)
    }

    /// Every line of the hand-written sources, trimmed.
    private func lines() throws -> [(file: String, text: String)] {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let modules = ["Tidings", "TidingsTesting", "TidingsUI"]
        return try modules.flatMap { module in
            let folder = package.appendingPathComponent("Sources/\(module)").path
            let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
            return try (files ?? []).filter { $0.hasSuffix(".swift") }.flatMap { file in
                let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
                return text.split(separator: "\n").map {
                    (file, $0.trimmingCharacters(in: .whitespaces))
                }
            }
        }
    }
}
