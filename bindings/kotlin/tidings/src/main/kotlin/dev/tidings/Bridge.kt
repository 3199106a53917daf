package dev.tidings

import dev.tidings.ffi.ServiceCall
import dev.tidings.ffi.ServicePort
import dev.tidings.ffi.ServiceReply
import dev.tidings.ffi.TokenAnswer
import dev.tidings.ffi.TokenReply
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** Where the app's own code runs when the library asks for it: never on the library's threads. */
internal class Bridge {
    private val job: Job = SupervisorJob()
    private val scope = CoroutineScope(job + Dispatchers.IO)

    fun tokens(source: TokenSource): dev.tidings.ffi.TokenSource = TokenBridge(source, scope)

    fun service(service: ChatService): ServicePort = ServiceBridge(service, scope)

    /** No call into the app begins after this; one that neither ends nor yields is left behind. */
    suspend fun close() {
        withTimeoutOrNull(2.seconds) { job.cancelAndJoin() }
    }
}

private class TokenBridge(
    private val source: TokenSource,
    private val scope: CoroutineScope,
) : dev.tidings.ffi.TokenSource {
    override fun requestToken(refresh: Boolean, reply: TokenReply) {
        scope.answering(reply) { answer(refresh, reply) }
    }

    private suspend fun answer(refresh: Boolean, reply: TokenReply) {
        try {
            reply.resolve(source.token(refresh)?.let(TokenAnswer::Token) ?: TokenAnswer.NotNeeded)
        } catch (_: SessionEndedException) {
            reply.resolve(TokenAnswer.SessionEnded)
        } catch (_: Throwable) {
            reply.resolve(TokenAnswer.Unavailable)
        }
    }
}

private class ServiceBridge(
    service: ChatService,
    private val scope: CoroutineScope,
) : ServicePort {
    private val desk = ServiceDesk(service)

    override fun perform(call: ServiceCall, reply: ServiceReply) {
        scope.answering(reply) { desk.answer(call, reply) }
    }
}

/** Runs an answer; the object it answers through is given back in any case, never begun or not. */
private fun CoroutineScope.answering(reply: AutoCloseable, answer: suspend () -> Unit) {
    launch { answer() }.invokeOnCompletion { reply.close() }
}
