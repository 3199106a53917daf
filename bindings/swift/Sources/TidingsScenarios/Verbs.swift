import Tidings

private let done = ["done"]

extension Stage {
    /// Performs one step. A failed call of the SDK is a fact like others and goes into the trace.
    func perform(_ step: Step, _ number: Int) async throws -> [String] {
        do {
            if let lines = try await change(step, number) { return lines }
            if let lines = try await talk(step) { return lines }
            if let lines = try await whole(step) { return lines }
            return try await look(step)
        } catch let error as ChatError {
            let draft = error.draft.map { " draft \(quoted($0))" } ?? ""
            return ["error \(error.code)\(draft)"]
        }
    }

    private func change(_ step: Step, _ number: Int) async throws -> [String]? {
        switch step.verb {
        case "admin": _ = try await askAdmin(step.text("path"), step.json("body"))
        case "other_device":
            let body = try step.json("body") ?? ""
            for _ in 0..<step.number("times", 1) {
                _ = try await askAsOther(step.text("path"), body)
            }
        case "kill":
            Player.say("\(step.label(number)): gone")
            try kill()
        case "reopen": try await reopen()
        case "shutdown": try await leave()
        case "background":
            try await client.background(deadline: .milliseconds(step.number("ms", 0)))
        case "foreground": try client.foreground()
        case "network_changed":
            let changes: [String: NetworkChange] = ["up": .up, "down": .down]
            try client.networkChanged(changes[step.text("is")] ?? .changed)
        default: return nil
        }
        return done
    }

    private func talk(_ step: Step) async throws -> [String]? {
        switch step.verb {
        case "create": return [try await create(step)]
        case "begin":
            give(try step.text("as"), try await client.beginConversation(new(step)).id.rawValue)
            return ["begun"]
        case "open":
            open[try step.text("in")] = try client.open(conversation(step.text("in")))
            return done
        case "leave":
            open.removeValue(forKey: try step.text("in"))?.leave()
            return done
        case "send": return [try await send(step)]
        case "retry":
            try await client.retry(message(step.text("of")))
            return ["queued"]
        case "cancel":
            try await client.cancel(message(step.text("of")))
            return ["cancelled"]
        case "cancel_action":
            try await client.cancelAction(message(step.text("of")))
            return ["cancelled"]
        case "edit":
            let id = try message(step.text("of"))
            return waiting(step, try await client.edit(id, text: step.text("text")).action)
        case "delete":
            return waiting(step, try await client.delete(message(step.text("of"))).action)
        default: return nil
        }
    }

    private func new(_ step: Step) -> NewConversation {
        let given = step.maybe("context") ?? opponent.context(of: step.maybe("as"))
        let both = given?
            .split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            .map(String.init)
        let context = both.map { Context(kind: $0[0], id: $0.last.flatMap { $0.isEmpty ? nil : $0 }) }
        return NewConversation(persona: step.maybe("persona") ?? "nutritionist", context: context)
    }

    private func create(_ step: Step) async throws -> String {
        let made = try await client.createConversation(new(step))
        give(try step.text("as"), made.id.rawValue)
        return made.existed ? "existed" : "created"
    }

    private func send(_ step: Step) async throws -> String {
        let name = try step.text("as")
        let key = id(name) == name ? try client.mintMessageID() : message(name)
        give(name, key.rawValue)
        let text = String(repeating: try step.text("text"), count: step.number("times", 1))
        try await closed(step).send(
            text, mode: step.maybe("mode") == "direct" ? .direct : .durable, id: key)
        return "accepted"
    }

    /// Gives the action its name; says what waits.
    private func waiting(_ step: Step, _ action: MessageID?) -> [String] {
        guard let action else { return done }
        if let name = step.maybe("as") { give(name, action.rawValue) }
        return ["accepted"]
    }

    /// The conversation of a step, whether it is open or not.
    func closed(_ step: Step) throws -> Conversation {
        client.closedConversation(conversation(try step.text("in")))
    }

    private func whole(_ step: Step) async throws -> [String]? {
        switch step.verb {
        case "stop": try await closed(step).stopAnswer()
        case "read": try await closed(step).markRead()
        case "draft": try await closed(step).saveDraft(step.maybe("text"))
        case "archive": try await closed(step).archive(step.flag("is", true))
        case "complete":
            try await closed(step).complete()
            return ["accepted"]
        case "delete_conversation":
            try await client.deleteConversation(conversation(step.text("in")))
        default: return nil
        }
        return done
    }
}
