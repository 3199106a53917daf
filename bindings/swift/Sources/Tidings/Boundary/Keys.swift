internal import TidingsFFI

/// The app's source of the store's key, as the core asks it.
final class BoundaryKeys: KeySource {
    private let source: any StoreKeySource

    init(_ source: any StoreKeySource) {
        self.source = source
    }

    func key(previous: Bool) throws -> KeyAnswer {
        do {
            let key = try previous ? source.previousKey() : source.key()
            return key.map { .key(bytes: $0.bytes) } ?? .missing
        } catch {
            return .locked
        }
    }
}
