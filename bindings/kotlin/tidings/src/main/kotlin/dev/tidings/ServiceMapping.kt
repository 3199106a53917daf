package dev.tidings

import dev.tidings.ffi.CallOutcome
import dev.tidings.ffi.ServiceAnswer
import dev.tidings.ffi.ServiceFailure

internal fun dev.tidings.ffi.NewConversation.native(): NewConversation = NewConversation(
    persona, context?.native(), attributes.associate { it.name to it.value },
)

internal fun NewConversation.ffi(): dev.tidings.ffi.NewConversation =
    dev.tidings.ffi.NewConversation(persona, context?.ffi(), attributes.ffi())

internal fun dev.tidings.ffi.OutgoingMessage.native(): OutgoingMessage =
    OutgoingMessage(ClientMessageId(id), ConversationId(conversation), text)

internal fun dev.tidings.ffi.HistoryRange.native(): HistoryRange = when (this) {
    dev.tidings.ffi.HistoryRange.Newest -> HistoryRange.Newest
    is dev.tidings.ffi.HistoryRange.After -> HistoryRange.After(cursor)
    is dev.tidings.ffi.HistoryRange.Before -> HistoryRange.Before(cursor)
    is dev.tidings.ffi.HistoryRange.Tail -> HistoryRange.Tail(cursor)
}

private fun Role.ffi(): dev.tidings.ffi.Role = when (this) {
    Role.User -> dev.tidings.ffi.Role.User
    Role.Assistant -> dev.tidings.ffi.Role.Assistant
    Role.System -> dev.tidings.ffi.Role.System
    Role.Function -> dev.tidings.ffi.Role.Function
    is Role.Other -> dev.tidings.ffi.Role.Other(name)
}

internal fun ServerMessage.ffi(): dev.tidings.ffi.ServerMessage = dev.tidings.ffi.ServerMessage(
    id = id.value,
    role = role.ffi(),
    text = text,
    own = own,
    clientId = clientId?.value,
    sender = sender?.value,
    createdAtMs = createdAt?.toEpochMilliseconds(),
    sequence = sequence,
    revision = revision,
    deleted = deleted,
)

internal fun ServerConversation.ffi(): dev.tidings.ffi.ServerConversation =
    dev.tidings.ffi.ServerConversation(
        id = id.value,
        persona = persona,
        status = status,
        title = title,
        context = context?.ffi(),
        createdAtMs = createdAt?.toEpochMilliseconds(),
        updatedAtMs = updatedAt?.toEpochMilliseconds(),
        lastMessageAtMs = lastMessageAt?.toEpochMilliseconds(),
        participants = participants.map { it.value },
        attributes = attributes.ffi(),
        mark = mark,
    )

internal fun ServiceCreated.ffi(): ServiceAnswer =
    ServiceAnswer.Created(conversation.ffi(), messages.map { it.ffi() }, existed)

internal fun ServiceHistory.ffi(): ServiceAnswer =
    ServiceAnswer.History(messages.map { it.ffi() }, older, newer, more, tail)

internal fun ServiceException.ffi(): ServiceFailure = ServiceFailure(
    kind = kind.ffi(),
    outcome = if (outcomeUnknown) CallOutcome.UNKNOWN else CallOutcome.NOT_APPLIED,
    retryable = retryable,
    retryAfterMs = retryAfter?.inWholeMilliseconds,
)

private fun FailureKind.ffi(): dev.tidings.ffi.FailureKind = when (this) {
    FailureKind.Unreachable -> dev.tidings.ffi.FailureKind.Unreachable
    FailureKind.TimedOut -> dev.tidings.ffi.FailureKind.TimedOut
    FailureKind.Interrupted -> dev.tidings.ffi.FailureKind.Interrupted
    FailureKind.SignInRequired -> dev.tidings.ffi.FailureKind.SignInRequired
    FailureKind.NotAllowed -> dev.tidings.ffi.FailureKind.NotAllowed
    FailureKind.NotFound -> dev.tidings.ffi.FailureKind.NotFound
    is FailureKind.Conflict -> dev.tidings.ffi.FailureKind.Conflict(existing?.value)
    FailureKind.RateLimited -> dev.tidings.ffi.FailureKind.RateLimited
    FailureKind.TooManyActive -> dev.tidings.ffi.FailureKind.TooManyActive
    FailureKind.NotActive -> dev.tidings.ffi.FailureKind.NotActive
    FailureKind.Invalid -> dev.tidings.ffi.FailureKind.Invalid
    FailureKind.Unavailable -> dev.tidings.ffi.FailureKind.Unavailable
    FailureKind.Protocol -> dev.tidings.ffi.FailureKind.Protocol
    FailureKind.Unsupported -> dev.tidings.ffi.FailureKind.Unsupported
    FailureKind.CursorRefused -> dev.tidings.ffi.FailureKind.CursorRefused
}

internal fun SessionEvent.ffi(): dev.tidings.ffi.SessionEvent = when (this) {
    SessionEvent.Ready -> dev.tidings.ffi.SessionEvent.Ready
    SessionEvent.Alive -> dev.tidings.ffi.SessionEvent.Alive
    is SessionEvent.Acknowledged ->
        dev.tidings.ffi.SessionEvent.Acknowledged(clientId?.value, message?.ffi())
    is SessionEvent.AnswerDelta -> dev.tidings.ffi.SessionEvent.AnswerDelta(text)
    is SessionEvent.AnswerCompleted -> dev.tidings.ffi.SessionEvent.AnswerCompleted(stopped)
    is SessionEvent.Received -> dev.tidings.ffi.SessionEvent.Received(message.ffi())
    is SessionEvent.Failed ->
        dev.tidings.ffi.SessionEvent.Failed(code, text, refused?.ffi())
    is SessionEvent.Typing -> dev.tidings.ffi.SessionEvent.Typing(user.value, active)
    is SessionEvent.Presence -> dev.tidings.ffi.SessionEvent.Presence(
        user.value, online, lastSeen?.toEpochMilliseconds(),
    )
    is SessionEvent.Receipt ->
        dev.tidings.ffi.SessionEvent.Receipt(user.value, upTo.value, read)
    is SessionEvent.ReadMarker -> dev.tidings.ffi.SessionEvent.ReadMarker(upTo.value)
    is SessionEvent.Unknown -> dev.tidings.ffi.SessionEvent.Unknown(name)
    SessionEvent.Undecodable -> dev.tidings.ffi.SessionEvent.Undecodable
    SessionEvent.Closed -> dev.tidings.ffi.SessionEvent.Closed
}
