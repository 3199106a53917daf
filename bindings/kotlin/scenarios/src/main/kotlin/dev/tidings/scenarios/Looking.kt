package dev.tidings.scenarios

import dev.tidings.Completeness
import dev.tidings.Conversation
import dev.tidings.DeliveryOutcome
import dev.tidings.Message
import dev.tidings.Role
import dev.tidings.applying
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.mapNotNull
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** Steps that wait for something, or look at something. */
internal suspend fun Stage.look(step: Step): List<String> = when (step.verb) {
    "delivered" -> listOf(client.waitForDelivery(message(step.text("of"))).told())
    "state" -> listOf(state(step))
    "answered" -> listOf(answered(step))
    "connection" -> listOf(connection(step))
    "event" -> {
        awaitNext(step.text("is"))
        listOf(step.text("is"))
    }
    "outbox" -> outbox(step)
    "refreshes" -> listOf(refreshes.get().toString())
    "refresh" -> listOf("${client.refreshConversations().listed} listed")
    "catch_up" -> {
        client.catchUp(conversation(step.text("in")))
        listOf("done")
    }
    "synchronise" -> {
        client.synchronise(conversation(step.text("in")))
        listOf("done")
    }
    "load_older" ->
        listOf(if (client.loadOlder(conversation(step.text("in")))) "more" else "all")
    "conversation" -> listOf(conversationOf(step))
    "history" -> history(step)
    "search" -> search(step)
    "server" -> server(step)
    else -> throw Stuck("there is no verb ${step.verb}")
}

private fun DeliveryOutcome.told(): String = when (this) {
    is DeliveryOutcome.OnServer -> "on the server"
    is DeliveryOutcome.Failed -> "failed ${reason.code}"
    is DeliveryOutcome.Unknown -> "unknown ${reason.code}"
    DeliveryOutcome.Cancelled -> "cancelled"
}

private fun Stage.opened(step: Step): Conversation =
    open[step.text("in")] ?: throw Stuck("${step.text("in")} is not open")

private suspend fun Stage.state(step: Step): String =
    client.message(message(step.text("of"))).mapNotNull { it?.state?.name?.lowercase() }
        .first { it == step.text("is") }

/** Whole, or ended by someone; an answer that broke off is still to be completed. */
private val ENDED = setOf(Completeness.COMPLETE, Completeness.FAILED, Completeness.STOPPED)

private suspend fun Stage.answered(step: Step): String {
    if (!opponent.answers) return "nobody answers here"
    val times = step.number("times", 1)
    var rows = emptyList<Message>()
    opened(step).timeline(window = 200).first { changes ->
        rows = rows.applying(changes)
        rows.count { it.role == Role.Assistant && it.completeness in ENDED } >= times
    }
    return times.toString()
}

private suspend fun Stage.connection(step: Step): String =
    opened(step).connection.first { it.told().substringBefore(' ') == step.text("is") }.told()

private suspend fun Stage.outbox(step: Step): List<String> {
    val items = client.outbox.first { it.size == step.number("is", 0) }
    return listOf("${items.size}") + items.map { item ->
        item.kind.traced() + if (item.text.isEmpty()) "" else " ${quoted(item.text)}"
    }
}

private fun dev.tidings.ActionKind.traced(): String = when (this) {
    dev.tidings.ActionKind.MARK_READ -> "read"
    else -> name.lowercase()
}

private suspend fun Stage.conversationOf(step: Step): String {
    val name = step.text("in")
    val row = client.conversation(conversation(name)) ?: return "none"
    // One that was begun on this device goes by the server's name once it has one.
    give(name, row.id.value)
    return row.told()
}

private suspend fun Stage.history(step: Step): List<String> {
    val page = client.history(
        conversation(step.text("in")), limit = 200, includeDeleted = step.flag("deleted", false),
    )
    val withText = step.flag("text", true)
    return listOf("${page.messages.size}") +
        page.messages.map { "${name(it.id.value)} ${it.told(withText)}" }
}

private suspend fun Stage.search(step: Step): List<String> {
    val page = client.search(
        step.text("query"),
        step.maybe("in")?.let { conversation(it) },
        limit = step.number("limit", 50),
    )
    val more = if (page.next != null) " and more" else ""
    return listOf("${page.hits.size}$more") + page.hits.map { hit ->
        val found = hit.snippet.marks.joinToString(" ") { quoted(hit.snippet.text.substring(it)) }
        "${quoted(hit.snippet.text)} $found"
    }
}

private fun Stage.server(step: Step): List<String> {
    val told = askAdmin("/admin/messages/${conversation(step.text("in"))}", null)
    val rows = (Json.parseToJsonElement(told) as JsonObject)["messages"] as JsonArray
    val own = rows.map { it as JsonObject }
        .filter { (it["deleted"] as? JsonPrimitive)?.content != "true" }
        .filter { (it["role"] as JsonPrimitive).content == "user" }
        .map { quoted((it["content"] as JsonPrimitive).content) }
    return listOf("${own.size}") + own
}
