package dev.tidings

import dev.tidings.ffi.ChatException as FfiException
import dev.tidings.ffi.ErrorKind
import dev.tidings.ffi.InternalException
import dev.tidings.ffi.Problem
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Instant

/** Runs a call into the library; its failures come out as ours. */
internal inline fun <T> calling(call: () -> T): T =
    try {
        call()
    } catch (failed: FfiException.Failed) {
        throw failed.problem.native()
    } catch (_: InternalException) {
        throw bug("panic")
    } catch (gone: IllegalStateException) {
        // A coroutine's cancellation is one too, and stays what it is.
        if (gone is kotlinx.coroutines.CancellationException) throw gone
        throw closed()
    }

internal fun closed(): ChatException =
    ChatException.Closed("the client is closed", ChatException.Facts("closed"))

internal fun bug(code: String): ChatException =
    ChatException.Internal("internal error: $code", ChatException.Facts("internal"))

internal fun Problem.native(): ChatException {
    val facts = ChatException.Facts(code, retryable, span(retryAfterMs), outcomeUnknown, draft)
    return when (kind) {
        ErrorKind.INVALID_INPUT -> ChatException.InvalidInput(field, sentence, facts)
        ErrorKind.SIGN_IN_REQUIRED -> ChatException.SignInRequired(sentence, facts)
        ErrorKind.NOT_ALLOWED -> ChatException.NotAllowed(sentence, facts)
        ErrorKind.NOT_FOUND -> ChatException.NotFound(sentence, facts)
        ErrorKind.CONFLICT ->
            ChatException.Conflict(existing?.let(::ConversationId), sentence, facts)
        ErrorKind.RATE_LIMITED -> ChatException.RateLimited(sentence, facts)
        ErrorKind.TOO_MANY_ACTIVE -> ChatException.TooManyActive(sentence, facts)
        ErrorKind.OFFLINE -> ChatException.Offline(sentence, facts)
        ErrorKind.STORAGE_FULL -> ChatException.StorageFull(sentence, facts)
        ErrorKind.STORAGE_UNAVAILABLE -> ChatException.StorageUnavailable(sentence, facts)
        ErrorKind.CLOSED -> ChatException.Closed(sentence, facts)
        ErrorKind.SERVICE_UNAVAILABLE -> ChatException.ServiceUnavailable(sentence, facts)
        ErrorKind.OUTCOME_UNKNOWN -> ChatException.OutcomeUnknown(sentence, facts)
        ErrorKind.UNSUPPORTED -> ChatException.Unsupported(sentence, facts)
        ErrorKind.NOT_ACTIVE -> ChatException.NotActive(sentence, facts)
        ErrorKind.REJECTED -> ChatException.Rejected(sentence, facts)
        // Coroutines are cancelled by themselves: no call here is given a handle.
        ErrorKind.CANCELLED, ErrorKind.INTERNAL -> ChatException.Internal(sentence, facts)
    }
}

internal fun span(millis: Long?): Duration? = millis?.milliseconds

internal fun moment(millis: Long?): Instant? = millis?.let(Instant::fromEpochMilliseconds)

internal fun dev.tidings.ffi.Role.native(): Role = when (this) {
    dev.tidings.ffi.Role.User -> Role.User
    dev.tidings.ffi.Role.Assistant -> Role.Assistant
    dev.tidings.ffi.Role.System -> Role.System
    dev.tidings.ffi.Role.Function -> Role.Function
    is dev.tidings.ffi.Role.Other -> Role.Other(name)
}

internal fun dev.tidings.ffi.Message.native(): Message = Message(
    id = ClientMessageId(id),
    conversation = ConversationId(conversation),
    role = role.native(),
    text = text,
    state = DeliveryState.entries[state.ordinal],
    own = own,
    serverId = serverId?.let(::MessageId),
    sender = sender?.let(::UserId),
    attempts = attempts,
    createdAt = moment(createdAtMs),
    answers = answers?.let(::ClientMessageId),
    completeness = Completeness.entries[completeness.ordinal],
    deleted = deleted,
    pending = pending?.let { PendingChange.entries[it.ordinal] },
    unread = unread,
    gapAfter = gapAfter,
    revision = revision,
    version = version,
)

internal fun dev.tidings.ffi.TimelineChange.native(): TimelineChange = when (this) {
    is dev.tidings.ffi.TimelineChange.Reset -> TimelineChange.Reset(items.map { it.native() })
    is dev.tidings.ffi.TimelineChange.Insert -> TimelineChange.Insert(index, item.native())
    is dev.tidings.ffi.TimelineChange.Update -> TimelineChange.Update(index, item.native())
    is dev.tidings.ffi.TimelineChange.Remove -> TimelineChange.Remove(index, ClientMessageId(id))
}

internal fun dev.tidings.ffi.Context.native(): Context = Context(kind, id)

internal fun Context.ffi(): dev.tidings.ffi.Context = dev.tidings.ffi.Context(kind, id)

internal fun Map<String, String>.ffi(): List<dev.tidings.ffi.Attribute> =
    map { (name, value) -> dev.tidings.ffi.Attribute(name, value) }

internal fun dev.tidings.ffi.ConversationInfo.native(): ConversationInfo = ConversationInfo(
    id = ConversationId(id),
    title = title,
    archived = archived,
    writable = writable,
    draft = draft,
    persona = persona,
    status = status,
    context = context?.native(),
    participants = participants.map(::UserId),
    attributes = attributes.associate { it.name to it.value },
    lastMessage = lastMessage?.let {
        LastMessage(ClientMessageId(it.id), it.role.native(), it.text, moment(it.atMs))
    },
    createdAt = moment(createdAtMs),
    activityAt = moment(activityAtMs),
    unread = unread,
    stored = stored,
    hasOlder = hasOlder,
    version = version,
)

internal fun dev.tidings.ffi.Reason.native(): Reason =
    Reason(code, sentence, retryable, span(retryAfterMs))

internal fun dev.tidings.ffi.ChangedMessage.native(): ChangedMessage =
    ChangedMessage(message.native(), action?.let(::ClientMessageId))

internal fun dev.tidings.ffi.ChangedConversation.native(): ChangedConversation =
    ChangedConversation(conversation.native(), action?.let(::ClientMessageId))

internal fun dev.tidings.ffi.OutboxItem.native(): OutboxItem = OutboxItem(
    id = ClientMessageId(id),
    conversation = ConversationId(conversation),
    kind = ActionKind.entries[kind.ordinal],
    changes = changes?.let(::ClientMessageId),
    text = text,
    mode = SendMode.entries[mode.ordinal],
    state = DeliveryState.entries[state.ordinal],
    attempt = attempt,
    failures = failures,
    acceptedAt = Instant.fromEpochMilliseconds(acceptedAtMs),
    expiresAt = Instant.fromEpochMilliseconds(expiresAtMs),
    nextAttemptAt = moment(nextAttemptAtMs),
    reason = reason?.native(),
    parked = parked,
)

internal fun dev.tidings.ffi.DeliveryRecord.native(): DeliveryRecord = DeliveryRecord(
    sequence = sequence,
    message = ClientMessageId(message),
    conversation = ConversationId(conversation),
    at = Instant.fromEpochMilliseconds(atMs),
    state = DeliveryState.entries[state.ordinal],
    attempt = attempt,
    nextAttemptAt = moment(nextAttemptAtMs),
    serverId = serverId?.let(::MessageId),
    reason = reason?.native(),
)

internal fun dev.tidings.ffi.DeliveryOutcome.native(): DeliveryOutcome = when (this) {
    is dev.tidings.ffi.DeliveryOutcome.OnServer -> DeliveryOutcome.OnServer(message?.native())
    is dev.tidings.ffi.DeliveryOutcome.Failed -> DeliveryOutcome.Failed(reason.native())
    is dev.tidings.ffi.DeliveryOutcome.Unknown -> DeliveryOutcome.Unknown(reason.native())
    dev.tidings.ffi.DeliveryOutcome.Cancelled -> DeliveryOutcome.Cancelled
}

internal fun dev.tidings.ffi.SearchPage.native(): SearchPage =
    SearchPage(hits.map { it.native() }, next, complete)

private fun dev.tidings.ffi.SearchHit.native(): SearchHit =
    SearchHit(message.native(), snippet.native())

private fun dev.tidings.ffi.Snippet.native(): Snippet {
    val bytes = text.encodeToByteArray()
    // The library counts bytes, a string its own units.
    val units = { byte: Int -> bytes.decodeToString(0, byte.coerceIn(0, bytes.size)).length }
    return Snippet(text, marks.map { units(it.start)..<units(it.end) }, cutBefore, cutAfter)
}

internal fun dev.tidings.ffi.ConnectionStatus.native(): ConnectionStatus = ConnectionStatus(
    state = ConnectionState.entries[state.ordinal],
    transport = Transport.entries[transport.ordinal],
    light = Light.entries[light.ordinal],
    retryAt = moment(retryAtMs),
    reason = reason,
)

internal fun dev.tidings.ffi.ClientEvent.native(): ClientEvent = when (this) {
    is dev.tidings.ffi.ClientEvent.Connection ->
        ClientEvent.Connection(ConversationId(conversation), status.native())
    is dev.tidings.ffi.ClientEvent.Stream -> ClientEvent.Stream(
        ConversationId(conversation),
        ClientMessageId(id),
        StreamPhase.entries[phase.ordinal],
        offset,
        text,
    )
    is dev.tidings.ffi.ClientEvent.Typing ->
        ClientEvent.Typing(ConversationId(conversation), user?.let(::UserId), active)
    is dev.tidings.ffi.ClientEvent.Presence -> ClientEvent.Presence(
        ConversationId(conversation), UserId(user), online, moment(lastSeenMs),
    )
    is dev.tidings.ffi.ClientEvent.Receipt -> ClientEvent.Receipt(
        ConversationId(conversation), UserId(user), MessageId(upTo), read,
    )
    is dev.tidings.ffi.ClientEvent.Sync -> ClientEvent.Sync(
        ConversationId(conversation), SyncPhase.entries[phase.ordinal], fetched,
    )
    is dev.tidings.ffi.ClientEvent.Cooldown ->
        ClientEvent.Cooldown(Instant.fromEpochMilliseconds(untilMs), scope)
    is dev.tidings.ffi.ClientEvent.ConversationBound ->
        ClientEvent.ConversationBound(ConversationId(local), ConversationId(conversation))
    dev.tidings.ffi.ClientEvent.SignInRequired -> ClientEvent.SignInRequired
    is dev.tidings.ffi.ClientEvent.DraftRestored ->
        ClientEvent.DraftRestored(ConversationId(conversation), ClientMessageId(id))
    is dev.tidings.ffi.ClientEvent.SendTroubled ->
        ClientEvent.SendTroubled(ConversationId(conversation), ClientMessageId(id))
    is dev.tidings.ffi.ClientEvent.Discontinuity -> ClientEvent.Discontinuity(missed)
    is dev.tidings.ffi.ClientEvent.StoreTroubled -> ClientEvent.StoreTroubled(code)
    is dev.tidings.ffi.ClientEvent.Unknown ->
        ClientEvent.Unknown(conversation?.let(::ConversationId), name)
}

internal fun dev.tidings.ffi.Capabilities.native(): Capabilities = Capabilities(
    serverOrder = ServerOrder.entries[serverOrder.ordinal],
    scope = SessionScope.entries[scope.ordinal],
    idempotentSend = idempotentSend,
    idempotentCreate = idempotentCreate,
    autoResend = autoResend,
    sendOverSocket = sendOverSocket,
    readyFrame = readyFrame,
    resume = resume,
    streaming = streaming,
    stop = stop,
    oneTurnAtATime = oneTurnAtATime,
    receipts = receipts,
    readMarker = readMarker,
    typing = typing,
    presence = presence,
    contexts = contexts,
    edit = edit,
    delete = delete,
    audit = audit,
    archive = archive,
    complete = complete,
    deleteConversation = deleteConversation,
    historyPaging = historyPaging,
    maxText = maxText,
    pollFloor = pollFloorMs.milliseconds,
    probeFloor = probeFloorMs.milliseconds,
)

internal fun Capabilities.ffi(): dev.tidings.ffi.Capabilities = dev.tidings.ffi.Capabilities(
    serverOrder = dev.tidings.ffi.ServerOrder.entries[serverOrder.ordinal],
    scope = dev.tidings.ffi.SessionScope.entries[scope.ordinal],
    idempotentSend = idempotentSend,
    idempotentCreate = idempotentCreate,
    autoResend = autoResend,
    sendOverSocket = sendOverSocket,
    readyFrame = readyFrame,
    resume = resume,
    streaming = streaming,
    stop = stop,
    oneTurnAtATime = oneTurnAtATime,
    receipts = receipts,
    readMarker = readMarker,
    typing = typing,
    presence = presence,
    contexts = contexts,
    edit = edit,
    delete = delete,
    audit = audit,
    archive = archive,
    complete = complete,
    deleteConversation = deleteConversation,
    historyPaging = historyPaging,
    maxText = maxText,
    pollFloorMs = pollFloor.inWholeMilliseconds,
    probeFloorMs = probeFloor.inWholeMilliseconds,
)

internal fun ClientOptions.ffi(bridge: Bridge): dev.tidings.ffi.ClientOptions =
    dev.tidings.ffi.ClientOptions(
        backend = backend.ffi(bridge),
        store = store.ffi(),
        tokens = tokens.ffi(bridge),
        settings = settings.settings(),
    )

private fun Backend.ffi(bridge: Bridge): dev.tidings.ffi.Backend = when (this) {
    is Backend.Consultations -> dev.tidings.ffi.Backend.Consultations(
        dev.tidings.ffi.ConsultationsOptions(
            origin = origin,
            socketOrigin = socketOrigin,
            apiKey = apiKey,
            socketAuth = dev.tidings.ffi.SocketAuth.entries[socketAuth.ordinal],
            dialect = dev.tidings.ffi.Dialect.entries[dialect.ordinal],
            trust = trust?.ffi(),
            personas = personas,
            extensions = extensions,
        ),
    )
    is Backend.SocketIo -> dev.tidings.ffi.Backend.SocketIo(
        dev.tidings.ffi.SocketIoOptions(
            origin, socketOrigin, apiKey, account, trust?.ffi(), settings.settings(),
        ),
    )
    is Backend.Custom ->
        dev.tidings.ffi.Backend.Custom(bridge.service(service), capabilities.ffi())
}

private fun Map<String, String>.settings(): List<dev.tidings.ffi.SettingValue> =
    map { (name, value) -> dev.tidings.ffi.SettingValue(name, value) }

private fun TrustRoots.ffi(): dev.tidings.ffi.TrustRoots = when (this) {
    TrustRoots.Platform -> dev.tidings.ffi.TrustRoots.Platform
    TrustRoots.BuiltIn -> dev.tidings.ffi.TrustRoots.BuiltIn
    is TrustRoots.Custom -> dev.tidings.ffi.TrustRoots.Custom(pem)
}

private fun Tokens.ffi(bridge: Bridge): dev.tidings.ffi.Tokens = when (this) {
    Tokens.None -> dev.tidings.ffi.Tokens.None
    is Tokens.Fixed -> dev.tidings.ffi.Tokens.Fixed(token)
    is Tokens.Source -> dev.tidings.ffi.Tokens.Source(bridge.tokens(source))
}

private fun Store.ffi(): dev.tidings.ffi.Store = when (this) {
    is Store.File -> dev.tidings.ffi.Store.File(
        dev.tidings.ffi.StoreOptions(
            path = path,
            shared = shared,
            passive = passive,
            barrier = barrier,
            busyTimeoutMs = busyTimeout.inWholeMilliseconds,
            keys = keys?.let(::KeyBridge),
        ),
    )
    Store.Memory -> dev.tidings.ffi.Store.Memory
}
