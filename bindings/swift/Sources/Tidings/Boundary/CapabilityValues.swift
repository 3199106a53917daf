internal import TidingsFFI

extension Capabilities {
    init(boundary can: TidingsFFI.Capabilities) {
        self.init()
        serverOrder = can.serverOrder == .sequence ? .sequence : .historyPosition
        scope = can.scope == .account ? .account : .conversation
        idempotentSend = can.idempotentSend
        idempotentCreate = can.idempotentCreate
        autoResend = can.autoResend
        sendOverSocket = can.sendOverSocket
        readyFrame = can.readyFrame
        resume = can.resume
        streaming = can.streaming
        stop = can.stop
        oneTurnAtATime = can.oneTurnAtATime
        receipts = can.receipts
        readMarker = can.readMarker
        typing = can.typing
        presence = can.presence
        contexts = can.contexts
        edit = can.edit
        delete = can.delete
        audit = can.audit
        archive = can.archive
        complete = can.complete
        deleteConversation = can.deleteConversation
        historyPaging = can.historyPaging
        maxText = Int(can.maxText)
        pollFloor = .milliseconds(can.pollFloorMs)
        probeFloor = .milliseconds(can.probeFloorMs)
    }

    var boundary: TidingsFFI.Capabilities {
        TidingsFFI.Capabilities(
            serverOrder: serverOrder == .sequence ? .sequence : .historyPosition,
            scope: scope == .account ? .account : .conversation,
            idempotentSend: idempotentSend,
            idempotentCreate: idempotentCreate,
            autoResend: autoResend,
            sendOverSocket: sendOverSocket,
            readyFrame: readyFrame,
            resume: resume,
            streaming: streaming,
            stop: stop,
            oneTurnAtATime: oneTurnAtATime,
            receipts: receipts,
            readMarker: readMarker,
            typing: typing,
            presence: presence,
            contexts: contexts,
            edit: edit,
            delete: delete,
            audit: audit,
            archive: archive,
            complete: complete,
            deleteConversation: deleteConversation,
            historyPaging: historyPaging,
            maxText: Int32(clamping: maxText),
            pollFloorMs: pollFloor.milliseconds,
            probeFloorMs: probeFloor.milliseconds
        )
    }
}
