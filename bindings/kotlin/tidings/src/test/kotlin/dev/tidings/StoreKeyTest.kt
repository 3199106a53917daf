package dev.tidings

import java.nio.file.Path
import kotlin.io.path.exists
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The library with the cipher is one of its own; the same tests run with both. */
class StoreKeyTest {
    private val hasCipher = System.getenv("TIDINGS_CIPHER") != null

    @Test
    fun keyOpensItsStoreAloneAndIsRefusedWhereThereIsNoCipher(@TempDir folder: Path) = runBlocking {
        val file = folder.resolve("chat.db")
        if (!hasCipher) {
            assertEquals("store.no_cipher", refusal(file, keys(1)))
            assertFalse(file.exists())
            return@runBlocking
        }
        assertNull(refusal(file, keys(1)))
        assertEquals("store.wrong_key", refusal(file, keys(2)))
        assertEquals("store.no_key", refusal(file, null))
        assertEquals("store.locked", refusal(file) { throw AssertionError("the device is locked") })
        assertNull(refusal(file, keys(1)))
    }

    @Test
    fun keyHasItsLengthAndPrintsAsNothing() {
        assertThrows(IllegalArgumentException::class.java) { StoreKey(ByteArray(31)) }
        assertEquals("StoreKey", StoreKey(ByteArray(32) { 77 }).toString())
    }

    private fun keys(byte: Byte) = StoreKeySource { StoreKey(ByteArray(StoreKey.LENGTH) { byte }) }

    /** The code with which the store does not open. */
    private suspend fun refusal(file: Path, keys: StoreKeySource?): String? {
        val backend = Backend.Consultations("http://127.0.0.1:9")
        val options = ClientOptions(backend, Store.File(file.toString(), keys = keys))
        return try {
            ChatClient.start(options).shutdown()
            null
        } catch (failed: ChatException) {
            failed.code
        }
    }
}
