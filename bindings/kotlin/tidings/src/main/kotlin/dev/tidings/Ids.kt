package dev.tidings

/** A message's key on this device for life, minted when the row is first stored. */
@JvmInline
public value class ClientMessageId(public val value: String) {
    override fun toString(): String = value
}

/** The server's name for a message: opaque, never invented. */
@JvmInline
public value class MessageId(public val value: String) {
    override fun toString(): String = value
}

/** The server's name for a conversation. */
@JvmInline
public value class ConversationId(public val value: String) {
    override fun toString(): String = value
}

/** The server's name for a person or a system that writes messages. */
@JvmInline
public value class UserId(public val value: String) {
    override fun toString(): String = value
}
