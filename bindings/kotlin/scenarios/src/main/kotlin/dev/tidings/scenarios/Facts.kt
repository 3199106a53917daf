package dev.tidings.scenarios

import dev.tidings.ClientEvent
import dev.tidings.ConnectionStatus
import dev.tidings.ConversationInfo
import dev.tidings.Message
import dev.tidings.PendingChange
import dev.tidings.Role
import dev.tidings.Transport

/** A text between quotes, on one line. */
internal fun quoted(text: String): String =
    "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\""

/** An event's name; pieces of an answer are all alike. */
internal fun ClientEvent.named(): String = when (this) {
    is ClientEvent.Connection -> "connection ${status.told()}"
    is ClientEvent.Stream -> "stream ${phase.name.lowercase()}"
    is ClientEvent.Typing -> "typing"
    is ClientEvent.Sync -> "sync ${phase.name.lowercase()}"
    is ClientEvent.Cooldown -> "cooldown $scope"
    is ClientEvent.Unknown -> "unknown $name"
    is ClientEvent.ConversationBound -> "conversation_bound"
    ClientEvent.SignInRequired -> "sign_in_required"
    is ClientEvent.DraftRestored -> "draft_restored"
    is ClientEvent.SendTroubled -> "send_troubled"
    else -> "other"
}

/** A connection: its state, or that it polls, whatever the state is meanwhile; and its light. */
internal fun ConnectionStatus.told(): String {
    val word = if (transport == Transport.POLLING) "polling" else state.name.lowercase()
    return "$word ${light.name.lowercase()}"
}

/** One row of a history, without its name. */
internal fun Message.told(withText: Boolean): String {
    val words = mutableListOf(role.named(), state.name.lowercase(), completeness.name.lowercase())
    if (own) words += "own"
    if (deleted) words += "deleted"
    if (unread) words += "unread"
    if (gapAfter) words += "gap"
    if (pending == PendingChange.EDIT) words += "pending-edit"
    if (pending == PendingChange.DELETE) words += "pending-delete"
    if (withText || own) words += quoted(text)
    return words.joinToString(" ")
}

private fun Role.named(): String = when (this) {
    Role.User -> "user"
    Role.Assistant -> "assistant"
    Role.System -> "system"
    Role.Function -> "function"
    is Role.Other -> name
}

internal fun ConversationInfo.told(): String {
    val words = mutableListOf("unread $unread")
    if (archived) words += "archived"
    if (!writable) words += "closed"
    draft?.let { words += "draft ${quoted(it)}" }
    return words.joinToString(" ")
}
