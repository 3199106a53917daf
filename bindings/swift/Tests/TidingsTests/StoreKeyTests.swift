import Foundation
import Testing
import Tidings

/// A keychain with one key, whose device may be locked.
private struct Keychain: StoreKeySource {
    struct Locked: Error {}

    var byte: UInt8
    var isLocked = false

    func key() throws -> StoreKey? {
        if isLocked { throw Locked() }
        return StoreKey(Data(repeating: byte, count: StoreKey.length))
    }
}

/// The library with the cipher is one of its own; the same tests run with both.
@Suite struct StoreKeyTests {
    private let hasCipher = ProcessInfo.processInfo.environment["TIDINGS_CIPHER"] != nil

    @Test func keyOpensItsStoreAloneAndIsRefusedWhereThereIsNoCipher() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "chat.db")
        guard hasCipher else {
            #expect(await refusal(file, Keychain(byte: 1)) == "store.no_cipher")
            #expect(!FileManager.default.fileExists(atPath: file.path))
            return
        }
        #expect(await refusal(file, Keychain(byte: 1)) == nil)
        #expect(await refusal(file, Keychain(byte: 2)) == "store.wrong_key")
        #expect(await refusal(file, nil) == "store.no_key")
        #expect(await refusal(file, Keychain(byte: 1, isLocked: true)) == "store.locked")
        #expect(await refusal(file, Keychain(byte: 1)) == nil)
    }

    @Test func keyHasItsLengthAndPrintsAsNothing() throws {
        #expect(StoreKey(Data(repeating: 77, count: 31)) == nil)
        let key = try #require(StoreKey(Data(repeating: 77, count: 32)))
        var dumped = "\(key)"
        dump(key, to: &dumped)
        #expect(!dumped.contains("77") && !dumped.contains("bytes"))
    }

    /// The code with which the store does not open.
    private func refusal(_ file: URL, _ keys: Keychain?) async -> String? {
        let backend = Backend.consultations(URL(string: "http://127.0.0.1:9")!)
        let store = Store.file(file, Store.FileOptions(keys: keys))
        do {
            try await ChatClient(ChatOptions(backend: backend, store: store)).shutdown()
            return nil
        } catch {
            return (error as? ChatError)?.code ?? "\(error)"
        }
    }
}
