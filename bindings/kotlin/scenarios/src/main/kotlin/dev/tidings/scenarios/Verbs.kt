package dev.tidings.scenarios

import dev.tidings.ChatException
import dev.tidings.ClientMessageId
import dev.tidings.Context
import dev.tidings.NetworkChange
import dev.tidings.NewConversation
import dev.tidings.SendMode
import kotlin.time.Duration.Companion.milliseconds

/** Performs one step. A failed call of the SDK is a fact like others and goes into the trace. */
internal suspend fun Stage.perform(step: Step, number: Int): List<String> = try {
    change(step, number) ?: look(step)
} catch (failed: ChatException) {
    val draft = failed.draft?.let { " draft ${quoted(it)}" } ?: ""
    listOf("error ${failed.code}$draft")
}

private val DONE = listOf("done")

private fun done(@Suppress("UNUSED_PARAMETER") result: Any?): List<String> = DONE

/** Steps that change something; null where it is another. */
private suspend fun Stage.change(step: Step, number: Int): List<String>? = when (step.verb) {
    "admin" -> done(askAdmin(step.text("path"), step.json("body")))
    "other_device" -> {
        repeat(step.number("times", 1)) { askAsOther(step.text("path"), step.json("body") ?: "") }
        DONE
    }
    "kill" -> {
        println("${step.label(number)}: gone")
        done(kill())
    }
    "reopen" -> done(reopen())
    "shutdown" -> done(leave())
    "background" -> done(client.background(step.number("ms", 0).milliseconds))
    "foreground" -> done(client.foreground())
    "network_changed" ->
        done(client.networkChanged(NetworkChange.valueOf(step.text("is").uppercase())))
    else -> talk(step) ?: whole(step)
}

private suspend fun Stage.talk(step: Step): List<String>? = when (step.verb) {
    "create" -> {
        val made = client.createConversation(new(step))
        give(step.text("as"), made.conversation.id.value)
        listOf(if (made.existed) "existed" else "created")
    }
    "begin" -> {
        give(step.text("as"), client.beginConversation(new(step)).id.value)
        listOf("begun")
    }
    "open" -> {
        open[step.text("in")] = client.open(conversation(step.text("in")))
        DONE
    }
    "leave" -> done(open.remove(step.text("in"))?.close())
    "send" -> send(step)
    "retry" -> {
        client.retry(message(step.text("of")))
        listOf("queued")
    }
    "cancel" -> {
        client.cancel(message(step.text("of")))
        listOf("cancelled")
    }
    "cancel_action" -> {
        client.cancelAction(message(step.text("of")))
        listOf("cancelled")
    }
    "edit" -> waiting(step, client.editMessage(message(step.text("of")), step.text("text")).action)
    "delete" -> waiting(step, client.deleteMessage(message(step.text("of"))).action)
    else -> null
}

private fun Stage.new(step: Step): NewConversation {
    val given = step.maybe("context") ?: opponent.contextOf(step.maybe("as"))
    val context = given?.split("/", limit = 2)
    return NewConversation(
        persona = step.maybe("persona") ?: "nutritionist",
        context = context?.let { (kind, id) -> Context(kind, id.ifEmpty { null }) },
    )
}

private suspend fun Stage.send(step: Step): List<String> {
    val name = step.text("as")
    val id = if (id(name) == name) client.mintMessageId() else message(name)
    give(name, id.value)
    val mode = if (step.maybe("mode") == "direct") SendMode.DIRECT else SendMode.DURABLE
    val text = step.text("text").repeat(step.number("times", 1))
    client.send(conversation(step.text("in")), text, mode, id)
    return listOf("accepted")
}

/** Gives the action its name; says what waits. */
private fun Stage.waiting(step: Step, action: ClientMessageId?): List<String> {
    if (action == null) return DONE
    step.maybe("as")?.let { give(it, action.value) }
    return listOf("accepted")
}

private suspend fun Stage.whole(step: Step): List<String>? {
    val id by lazy { conversation(step.text("in")) }
    return when (step.verb) {
        "stop" -> done(client.stopAnswer(id))
        "read" -> done(client.markRead(id))
        "draft" -> done(client.saveDraft(id, step.maybe("text")))
        "archive" -> done(client.archive(id, step.flag("is", true)))
        "complete" -> {
            client.complete(id)
            listOf("accepted")
        }
        "delete_conversation" -> done(client.deleteConversation(id))
        else -> null
    }
}
