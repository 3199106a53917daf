package dev.tidings

import kotlin.time.Duration

/**
 * A failed call, sorted by what an app does about it.
 *
 * @property code the stable code; the manual lists them, the wording of [message] is not stable
 * @property retryable whether the same call may succeed later
 * @property retryAfter how long the server asked to wait
 * @property outcomeUnknown whether nobody knows if it took effect; history will tell
 * @property draft the text that was not sent, where the send was direct
 */
public sealed class ChatException(sentence: String, facts: Facts) : Exception(sentence) {
    public val code: String = facts.code
    public val retryable: Boolean = facts.retryable
    public val retryAfter: Duration? = facts.retryAfter
    public val outcomeUnknown: Boolean = facts.outcomeUnknown
    public val draft: String? = facts.draft

    /** What every failure carries. */
    public data class Facts(
        val code: String,
        val retryable: Boolean = false,
        val retryAfter: Duration? = null,
        val outcomeUnknown: Boolean = false,
        val draft: String? = null,
    ) {
        /** Prints no draft. */
        override fun toString(): String = "Facts($code)"
    }

    /** Fix the named input. */
    public class InvalidInput(public val field: String?, sentence: String, facts: Facts) :
        ChatException(sentence, facts)

    /** Ask the user to sign in. */
    public class SignInRequired(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** The account may not do this. */
    public class NotAllowed(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** There is no such thing. */
    public class NotFound(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** It exists already; [existing] where the server named it. */
    public class Conflict(
        public val existing: ConversationId?,
        sentence: String,
        facts: Facts,
    ) : ChatException(sentence, facts)

    /** Wait [retryAfter], then try again. */
    public class RateLimited(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** The account's cap on active conversations is reached. */
    public class TooManyActive(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** No network. */
    public class Offline(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** Free some space; nothing was stored. */
    public class StorageFull(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** The store cannot be used. */
    public class StorageUnavailable(sentence: String, facts: Facts) :
        ChatException(sentence, facts)

    /** The client was closed. */
    public class Closed(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** The service failed. */
    public class ServiceUnavailable(sentence: String, facts: Facts) :
        ChatException(sentence, facts)

    /** Nobody knows whether it happened; history will tell. */
    public class OutcomeUnknown(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** This backend cannot do that. */
    public class Unsupported(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** The conversation takes no messages any more. */
    public class NotActive(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** The server turned it down. */
    public class Rejected(sentence: String, facts: Facts) : ChatException(sentence, facts)

    /** A bug, of the SDK or of what the app gave it: report it with its [code]. */
    public class Internal(sentence: String, facts: Facts) : ChatException(sentence, facts)
}
