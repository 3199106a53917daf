public import Foundation

/// The raw key of an encrypted store: 32 bytes from a true random source, never a passphrase. It
/// prints as nothing.
public struct StoreKey: Sendable {
    let bytes: Data

    /// How many bytes a key has.
    public static let length = 32

    /// The key of these bytes; `nil` where their number is another one.
    public init?(_ bytes: Data) {
        guard bytes.count == Self.length else { return nil }
        self.bytes = bytes
    }
}

extension StoreKey: CustomReflectable, CustomStringConvertible {
    public var customMirror: Mirror { Mirror(self, children: []) }
    public var description: String { "StoreKey" }
}

/// Gives the key of an encrypted store: out of the keychain.
///
/// Asked when the store is opened first and again after a suspension, on a thread of the SDK that
/// may block for as long as the keychain takes. Whatever is thrown means that the device is locked:
/// the opening fails with the code `store.locked`, nothing is touched, and it may be tried again.
public protocol StoreKeySource: Sendable {
    /// The key; `nil` where the device has none for this store.
    func key() throws -> StoreKey?

    /// The key before this one, while it is being changed: the next opening encrypts the store anew,
    /// and from then on the old key may go.
    func previousKey() throws -> StoreKey?
}

extension StoreKeySource {
    /// None: the key is not being changed.
    public func previousKey() throws -> StoreKey? { nil }
}
