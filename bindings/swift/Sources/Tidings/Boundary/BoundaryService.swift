internal import TidingsFFI

/// A backend of the app's own, as the core asks it: by a plain call, answered by a task.
final class BoundaryService: ServicePort {
    private let backend: any ChatBackend
    private let callbacks: Callbacks
    private let sessions = Locked<[Int64: any BackendSession]>([:])

    init(_ backend: any ChatBackend, _ callbacks: Callbacks) {
        self.backend = backend
        self.callbacks = callbacks
    }

    func perform(call: ServiceCall, reply: ServiceReply) throws {
        callbacks.start { [self] in
            do {
                reply.resolve(answer: try await answer(call))
            } catch {
                reply.reject(failure: ServiceFailure(thrown: error))
            }
        }
    }

    // One match.
    private func answer(_ call: ServiceCall) async throws -> ServiceAnswer {
        switch call {
        case .createConversation(let key, let new):
            let created = try await backend.createConversation(
                NewConversation(boundary: new), key: key.map(MessageID.init(rawValue:)))
            return .created(
                conversation: created.conversation.boundary,
                messages: created.messages.map(\.boundary), existed: created.existed)
        case .listConversations(let activeOnly, let cursor):
            let page = try await backend.conversations(activeOnly: activeOnly, cursor: cursor)
            return .conversations(list: page.conversations.map(\.boundary), next: page.next)
        case .getConversation(let id):
            let conversation = try await backend.conversation(ConversationID(rawValue: id))
            return .conversation(conversation: conversation.boundary)
        case .history(let id, let range, let limit):
            let page = try await backend.history(
                of: ConversationID(rawValue: id), HistoryRange(boundary: range), limit: Int(limit))
            return .history(
                messages: page.messages.map(\.boundary), older: page.older, newer: page.newer,
                more: page.hasMore, tail: page.tail)
        case .send(let outgoing):
            let receipt = try await backend.send(OutgoingMessage(boundary: outgoing))
            return .sent(message: receipt.message?.boundary, answer: receipt.answer?.boundary)
        case .reconcile(let outgoing):
            let found = try await backend.reconcile(OutgoingMessage(boundary: outgoing))
            return .reconciled(found: found.boundary)
        case .markRead(let id, let upTo):
            try await backend.markRead(
                ConversationID(rawValue: id), upTo: ServerMessageID(rawValue: upTo))
        case .deleteMessage(let id, let message):
            try await backend.delete(
                ServerMessageID(rawValue: message), in: ConversationID(rawValue: id))
        case .editMessage(let id, let message, let text):
            let edited = try await backend.edit(
                ServerMessageID(rawValue: message), in: ConversationID(rawValue: id), text: text)
            return .messageChanged(message: edited.boundary)
        case .stopAnswer(let id):
            try await backend.stopAnswer(in: ConversationID(rawValue: id))
        case .archive(let id, let archived):
            try await backend.archive(ConversationID(rawValue: id), archived)
        case .complete(let id):
            let conversation = try await backend.complete(ConversationID(rawValue: id))
            return .conversation(conversation: conversation.boundary)
        case .deleteConversation(let id):
            try await backend.deleteConversation(ConversationID(rawValue: id))
        case .connect(let id, let session, let feed):
            let open = try await backend.connect(
                ConversationID(rawValue: id), events: SessionEvents(feed: feed))
            sessions { $0[session] = open }
        case .sessionSend(let session, let outgoing):
            try await self.session(session).send(OutgoingMessage(boundary: outgoing))
        case .sessionProbe(let session):
            try await self.session(session).probe()
        case .sessionStopAnswer(let session):
            try await self.session(session).stopAnswer()
        case .sessionSetTyping(let session, let active):
            try await self.session(session).setTyping(active)
        case .sessionAck(let session, let ids):
            try await self.session(session).acknowledge(ids.map(ServerMessageID.init(rawValue:)))
        case .sessionClose(let session):
            await sessions { $0.removeValue(forKey: session) }?.close()
        }
        return .done
    }

    private func session(_ number: Int64) throws -> any BackendSession {
        guard let session = sessions({ $0[number] }) else {
            throw BackendFailure(.interrupted, isNotApplied: true)
        }
        return session
    }
}
