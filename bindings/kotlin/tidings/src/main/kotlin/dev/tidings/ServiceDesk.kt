package dev.tidings

import dev.tidings.ffi.CallOutcome
import dev.tidings.ffi.ReconcileAnswer
import dev.tidings.ffi.ServiceAnswer
import dev.tidings.ffi.ServiceCall
import dev.tidings.ffi.ServiceFailure
import dev.tidings.ffi.ServiceReply
import java.util.concurrent.ConcurrentHashMap

/** Turns each call of the library into the method it means, and its result into an answer. */
internal class ServiceDesk(private val service: ChatService) {
    private val sessions = ConcurrentHashMap<Long, ServiceSession>()

    suspend fun answer(call: ServiceCall, reply: ServiceReply) {
        try {
            reply.resolve(perform(call))
        } catch (failed: ServiceException) {
            reply.reject(failed.ffi())
        } catch (_: Throwable) {
            reply.reject(UNKNOWN)
        } finally {
            // The feed of a session stays with the session; the rest of the call is given back.
            if (call !is ServiceCall.Connect) call.destroy()
        }
    }

    private suspend fun perform(call: ServiceCall): ServiceAnswer = when (call) {
        is ServiceCall.CreateConversation ->
            service.createConversation(call.new.native(), call.key?.let(::ClientMessageId)).ffi()
        is ServiceCall.ListConversations ->
            service.listConversations(call.activeOnly, call.cursor)
                .let { ServiceAnswer.Conversations(it.list.map { one -> one.ffi() }, it.next) }
        is ServiceCall.GetConversation ->
            ServiceAnswer.Conversation(service.conversation(ConversationId(call.id)).ffi())
        is ServiceCall.History ->
            service.history(ConversationId(call.id), call.range.native(), call.limit).ffi()
        is ServiceCall.Send ->
            ServiceAnswer.Sent(service.send(call.outgoing.native())?.ffi(), null)
        is ServiceCall.Reconcile -> ServiceAnswer.Reconciled(reconcile(call))
        is ServiceCall.MarkRead ->
            done { service.markRead(ConversationId(call.id), MessageId(call.upTo)) }
        is ServiceCall.DeleteMessage ->
            done { service.deleteMessage(ConversationId(call.id), MessageId(call.message)) }
        is ServiceCall.EditMessage -> ServiceAnswer.MessageChanged(
            service.editMessage(ConversationId(call.id), MessageId(call.message), call.text).ffi(),
        )
        is ServiceCall.StopAnswer -> done { service.stopAnswer(ConversationId(call.id)) }
        is ServiceCall.Archive ->
            done { service.archive(ConversationId(call.id), call.archived) }
        is ServiceCall.Complete ->
            ServiceAnswer.Conversation(service.complete(ConversationId(call.id)).ffi())
        is ServiceCall.DeleteConversation ->
            done { service.deleteConversation(ConversationId(call.id)) }
        is ServiceCall.Connect -> done { connect(call) }
        is ServiceCall.SessionSend -> done { session(call.session).send(call.outgoing.native()) }
        is ServiceCall.SessionProbe -> done { session(call.session).probe() }
        is ServiceCall.SessionStopAnswer -> done { session(call.session).stopAnswer() }
        is ServiceCall.SessionSetTyping -> done { session(call.session).setTyping(call.active) }
        is ServiceCall.SessionAck ->
            done { session(call.session).ack(call.ids.map(::MessageId)) }
        is ServiceCall.SessionClose -> done { sessions.remove(call.session)?.close() }
    }

    private suspend fun reconcile(call: ServiceCall.Reconcile): ReconcileAnswer {
        val found = service.reconcile(call.outgoing.native()) ?: return ReconcileAnswer.NotApplied
        return ReconcileAnswer.Applied(found.ffi())
    }

    private suspend fun connect(call: ServiceCall.Connect) {
        val feed = SessionFeed { event -> call.feed.push(event.ffi()) }
        sessions[call.session] = service.connect(ConversationId(call.id), feed)
    }

    private fun session(number: Long): ServiceSession =
        sessions[number]
            ?: throw ServiceException(FailureKind.Interrupted, outcomeUnknown = false)

    private inline fun done(work: () -> Unit): ServiceAnswer {
        work()
        return ServiceAnswer.Done
    }

    private companion object {
        /** The app threw something of its own: whether it sent anything, nobody knows. */
        val UNKNOWN = ServiceFailure(
            dev.tidings.ffi.FailureKind.Interrupted, CallOutcome.UNKNOWN, true, null,
        )
    }
}
