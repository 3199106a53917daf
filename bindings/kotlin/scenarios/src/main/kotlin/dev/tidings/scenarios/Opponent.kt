package dev.tidings.scenarios

import dev.tidings.Backend
import java.io.File
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.booleanOrNull
import kotlinx.serialization.json.contentOrNull

/** The backend that a scenario is played against. */
internal sealed interface Opponent {
    /** Whether messages are answered. */
    val answers: Boolean

    /** The context of a conversation that a scenario gives none. */
    fun contextOf(name: String?): String?

    /** How it is reached. */
    fun backend(origin: String, extensions: Boolean): Backend

    /** The reference backend: an assistant answers everything. */
    data object Reference : Opponent {
        override val answers = true

        override fun contextOf(name: String?): String? = null

        override fun backend(origin: String, extensions: Boolean): Backend =
            Backend.Consultations(origin, extensions = extensions)
    }

    /** Channels over Socket.IO, as the file beside the scenarios describes them. */
    class SocketIo(private val told: JsonObject) : Opponent {
        override val answers = (told["answers"] as? JsonPrimitive)?.booleanOrNull ?: true

        override fun contextOf(name: String?): String? = text("context")?.let { "$it/${name ?: "b"}" }

        override fun backend(origin: String, extensions: Boolean): Backend =
            Backend.SocketIo(origin, account = text("account"), settings = texts(told["settings"]))

        private fun text(key: String): String? = (told[key] as? JsonPrimitive)?.contentOrNull
    }

    companion object {
        /** By its name, as described beside the scenario; the reference backend where there is none. */
        fun named(name: String?, scenario: File): Opponent = when (name) {
            null -> Reference
            "socketio" -> {
                val file = scenario.resolveSibling("$name/backend.json")
                SocketIo(Json.parseToJsonElement(file.readText()) as JsonObject)
            }
            else -> throw Stuck("there is no backend $name")
        }
    }
}
