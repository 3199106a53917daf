import Foundation
internal import TidingsFFI

extension SendMode {
    init(boundary mode: TidingsFFI.SendMode) {
        switch mode {
        case .durable: self = .durable
        case .direct: self = .direct
        }
    }

    var boundary: TidingsFFI.SendMode {
        switch self {
        case .durable: .durable
        case .direct: .direct
        }
    }
}

extension Reason {
    init(boundary reason: TidingsFFI.Reason) {
        self.init(
            code: reason.code,
            sentence: reason.sentence,
            isRetryable: reason.retryable,
            retryAfter: Duration(milliseconds: reason.retryAfterMs)
        )
    }
}

extension ActionKind {
    init(boundary kind: TidingsFFI.ActionKind) {
        switch kind {
        case .send: self = .send
        case .create: self = .create
        case .complete: self = .complete
        case .edit: self = .edit
        case .delete: self = .delete
        case .markRead: self = .markRead
        case .archive: self = .archive
        case .stop: self = .stop
        }
    }
}

extension OutboxEntry {
    init(boundary entry: TidingsFFI.OutboxItem) {
        self.init(
            id: MessageID(rawValue: entry.id),
            conversation: ConversationID(rawValue: entry.conversation),
            kind: ActionKind(boundary: entry.kind),
            changes: entry.changes.map(MessageID.init(rawValue:)),
            text: entry.text,
            mode: SendMode(boundary: entry.mode),
            state: DeliveryState(boundary: entry.state),
            attempt: Int(entry.attempt),
            failures: Int(entry.failures),
            acceptedAt: Date(milliseconds: entry.acceptedAtMs),
            expiresAt: Date(milliseconds: entry.expiresAtMs),
            nextAttemptAt: Date(milliseconds: entry.nextAttemptAtMs),
            reason: entry.reason.map(Reason.init(boundary:)),
            isParked: entry.parked
        )
    }
}

extension DeliveryRecord {
    init(boundary record: TidingsFFI.DeliveryRecord) {
        self.init(
            id: record.sequence,
            message: MessageID(rawValue: record.message),
            conversation: ConversationID(rawValue: record.conversation),
            at: Date(milliseconds: record.atMs),
            state: DeliveryState(boundary: record.state),
            attempt: Int(record.attempt),
            nextAttemptAt: Date(milliseconds: record.nextAttemptAtMs),
            serverID: record.serverId.map(ServerMessageID.init(rawValue:)),
            reason: record.reason.map(Reason.init(boundary:))
        )
    }
}

extension DeliveryOutcome {
    init(boundary outcome: TidingsFFI.DeliveryOutcome) {
        switch outcome {
        case .onServer(let message): self = .onServer(message.map(Message.init(boundary:)))
        case .failed(let reason): self = .failed(Reason(boundary: reason))
        case .unknown(let reason): self = .unknown(Reason(boundary: reason))
        case .cancelled: self = .cancelled
        }
    }
}

extension MessageStory {
    init(boundary story: TidingsFFI.MessageStory) {
        self.init(
            message: story.message.map(Message.init(boundary:)),
            outbox: story.outbox.map(OutboxEntry.init(boundary:)),
            records: story.records.map(DeliveryRecord.init(boundary:))
        )
    }
}
