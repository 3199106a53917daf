// quick start
import dev.tidings.*

suspend fun hello() {
    val options = ClientOptions(
        backend = Backend.Consultations("https://chat.example.com"),
        store = Store.File("chat.db"),
        tokens = Tokens.Fixed("token from your sign-in"),
    )
    ChatClient.start(options).use { client ->
        val created = client.createConversation(NewConversation(persona = "nutritionist"))
        client.open(created.conversation.id).use { chat ->
            chat.send("What should I eat before a run?") // on disk when this returns
            chat.timeline().collect { changes -> println(changes) } // a reset, then differences
        }
    }
}
// end of the quick start

class QuickStartTest {
    /** What the README shows is compiled here; never run, since nobody is at that address. */
    @org.junit.jupiter.api.Test
    fun `the README shows the quick start that is compiled`() {
        val here = java.io.File("src/test/kotlin/dev/tidings/QuickStartTest.kt").readLines()
        val readme = java.io.File("../README.md").readLines()
        val shown = readme.between("```kotlin", "```")
        org.junit.jupiter.api.Assertions.assertTrue(shown.size > 10)
        org.junit.jupiter.api.Assertions.assertEquals(
            shown, here.between("// quick start", "// end of the quick start"),
        )
    }

    private fun List<String>.between(first: String, last: String): List<String> =
        dropWhile { it != first }.drop(1).takeWhile { it != last }
}
