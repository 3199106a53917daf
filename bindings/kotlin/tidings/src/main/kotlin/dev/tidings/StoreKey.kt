package dev.tidings

import dev.tidings.ffi.KeyAnswer
import dev.tidings.ffi.KeySource

/**
 * The raw key of an encrypted store: 32 bytes from a true random source, never a passphrase. It
 * prints as nothing; [bytes] are copied.
 */
public class StoreKey(bytes: ByteArray) {
    internal val bytes: ByteArray = bytes.copyOf()

    init {
        require(bytes.size == LENGTH) { "a key has $LENGTH bytes" }
    }

    /** Prints no key. */
    override fun toString(): String = "StoreKey"

    public companion object {
        /** How many bytes a key has. */
        public const val LENGTH: Int = 32
    }
}

/**
 * Gives the key of an encrypted store: out of the device's key store.
 *
 * Asked when the store is opened first and again after a suspension, on a thread of the SDK that may
 * block for as long as the key store takes. Whatever is thrown means that the device is locked: the
 * opening fails with the code `store.locked`, nothing is touched, and it may be tried again.
 */
public fun interface StoreKeySource {
    /** The key; null where the device has none for this store. */
    public fun key(): StoreKey?

    /**
     * The key before this one, while it is being changed: the next opening encrypts the store anew,
     * and from then on the old key may go.
     */
    public fun previousKey(): StoreKey? = null
}

/** The app's source of the store's key, as the library asks it. */
internal class KeyBridge(private val source: StoreKeySource) : KeySource {
    override fun key(previous: Boolean): KeyAnswer = try {
        val key = if (previous) source.previousKey() else source.key()
        key?.let { KeyAnswer.Key(it.bytes) } ?: KeyAnswer.Missing
    } catch (_: Throwable) {
        KeyAnswer.Locked
    }
}
