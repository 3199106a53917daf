package dev.tidings.testing

import dev.tidings.Backend
import dev.tidings.Capabilities
import dev.tidings.ChatClient
import dev.tidings.ClientMessageId
import dev.tidings.ClientOptions
import dev.tidings.ConversationId
import dev.tidings.DeliveryState
import dev.tidings.Message
import dev.tidings.Role
import dev.tidings.ServerOrder
import dev.tidings.Store

/** What a [FakeChatService] can do. */
public val FAKE_CAPABILITIES: Capabilities = Capabilities(
    serverOrder = ServerOrder.SEQUENCE,
    idempotentSend = true,
)

/** Delays short enough for a test; nothing else differs from what ships. */
public val QUICK_SETTINGS: Map<String, String> = mapOf(
    "reconnect.base" to "50ms",
    "reconnect.max" to "200ms",
    "send.base" to "50ms",
    "send.max" to "200ms",
    "poll.active" to "1s",
    "poll.recent" to "1s",
    "poll.idle" to "1s",
)

/** A real client over a fake backend, in memory. */
public suspend fun testClient(service: FakeChatService = FakeChatService()): ChatClient =
    ChatClient.start(
        ClientOptions(
            backend = Backend.Custom(service, FAKE_CAPABILITIES),
            store = Store.Memory,
            settings = QUICK_SETTINGS,
        ),
    )

/** A message for a preview or a test of a screen. */
public fun aMessage(
    text: String,
    role: Role = Role.Assistant,
    state: DeliveryState = DeliveryState.SENT,
    id: String = "preview-$text",
    conversation: ConversationId = ConversationId("preview"),
): Message = Message(
    id = ClientMessageId(id),
    conversation = conversation,
    role = role,
    text = text,
    state = state,
    own = role == Role.User,
)
