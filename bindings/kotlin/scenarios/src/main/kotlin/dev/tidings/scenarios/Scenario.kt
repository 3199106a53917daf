package dev.tidings.scenarios

import java.io.File
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.booleanOrNull
import kotlinx.serialization.json.intOrNull

/** A scenario as its file has it. */
internal class Scenario private constructor(all: JsonObject) {
    val needs: List<String> = list(all["needs"])
    val extensions: Boolean = (all["extensions"] as? JsonPrimitive)?.booleanOrNull ?: false
    val tokens: List<String> = list(all["tokens"])
    val settings: Map<String, String> = texts(all["settings"])
    val steps: List<Step> = (all["steps"] as JsonArray).map { Step(it as JsonObject) }

    companion object {
        fun read(file: File): Scenario =
            Scenario(Json.parseToJsonElement(file.readText()) as JsonObject)

        private fun list(of: JsonElement?): List<String> =
            (of as? JsonArray).orEmpty().map { (it as JsonPrimitive).content }
    }
}

/** Texts by their key. */
internal fun texts(of: JsonElement?): Map<String, String> =
    (of as? JsonObject).orEmpty().mapValues { (it.value as JsonPrimitive).content }

/** One step. */
internal class Step(private val json: JsonObject) {
    val verb: String get() = text("do")

    /** Its line in the trace begins with this. */
    fun label(number: Int): String {
        val named = listOf("as", "of", "in").firstNotNullOfOrNull { maybe(it) }
        return "${number + 1} $verb" + (named?.let { " $it" } ?: "")
    }

    fun maybe(key: String): String? =
        (json[key] as? JsonPrimitive)?.takeIf { it.isString }?.content

    fun text(key: String): String = maybe(key) ?: throw Stuck("the step lacks $key")

    fun number(key: String, default: Int): Int = (json[key] as? JsonPrimitive)?.intOrNull ?: default

    fun flag(key: String, default: Boolean): Boolean =
        (json[key] as? JsonPrimitive)?.booleanOrNull ?: default

    /** A part of it as JSON text, where it is there. */
    fun json(key: String): String? = json[key]?.toString()
}
