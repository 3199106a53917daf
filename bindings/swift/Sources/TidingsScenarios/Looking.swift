import Foundation
import Tidings

extension Stage {
    /// Steps that wait for something, or look at something.
    func look(_ step: Step) async throws -> [String] {
        switch step.verb {
        case "delivered":
            return [told(try await client.waitForDelivery(of: message(step.text("of"))))]
        case "state": return [try await state(step)]
        case "answered": return [try await answered(step)]
        case "connection": return [try await connection(step)]
        case "event":
            await seen.awaitNext(try step.text("is"))
            return [try step.text("is")]
        case "outbox": return try await outbox(step)
        case "refreshes": return ["\(await tokens.refreshes)"]
        case "refresh": return ["\(try await client.refreshConversations()) listed"]
        case "catch_up", "synchronise":
            try await closed(step).synchronise(whole: step.verb == "synchronise")
            return ["done"]
        case "load_older": return [try await closed(step).loadOlder() ? "more" : "all"]
        case "conversation": return [try await details(step)]
        case "history": return try await history(step)
        case "search": return try await search(step)
        case "server": return try await server(step)
        default: throw Stuck("there is no verb \(step.verb)")
        }
    }

    private func opened(_ step: Step) throws -> Conversation {
        let name = try step.text("in")
        guard let chat = open[name] else { throw Stuck("\(name) is not open") }
        return chat
    }

    private func state(_ step: Step) async throws -> String {
        let wanted = try step.text("is")
        for try await row in client.messageUpdates(message(try step.text("of"))) {
            if row?.state.rawValue == wanted { return wanted }
        }
        throw Stuck("the client ended")
    }

    private func answered(_ step: Step) async throws -> String {
        guard opponent.answers else { return "nobody answers here" }
        let times = step.number("times", 1)
        var rows: [Message] = []
        for try await changes in try opened(step).timeline(window: 200) {
            changes.forEach { rows.apply($0) }
            // Whole, or ended by someone; one that broke off is still to be completed.
            let ended: [Completeness] = [.complete, .failed, .stopped]
            let answers = rows.filter { $0.role == .assistant && ended.contains($0.completeness) }
            if answers.count >= times { return "\(times)" }
        }
        throw Stuck("the client ended")
    }

    private func connection(_ step: Step) async throws -> String {
        let wanted = try step.text("is")
        for try await status in try opened(step).connection {
            let line = told(status)
            if line.split(separator: " ").first.map(String.init) == wanted { return line }
        }
        throw Stuck("the client ended")
    }

    private func outbox(_ step: Step) async throws -> [String] {
        for try await items in client.outboxUpdates where items.count == step.number("is", 0) {
            return ["\(items.count)"]
                + items.map { item in
                    let kind = item.kind == .markRead ? "read" : item.kind.rawValue
                    return kind + (item.text.isEmpty ? "" : " \(quoted(item.text))")
                }
        }
        throw Stuck("the client ended")
    }

    private func details(_ step: Step) async throws -> String {
        let name = try step.text("in")
        guard let row = try await client.conversation(conversation(name)) else { return "none" }
        // One that was begun on this device goes by the server's name once it has one.
        give(name, row.id.rawValue)
        return told(row)
    }

    private func history(_ step: Step) async throws -> [String] {
        let page = try await closed(step).history(
            limit: 200, includeDeleted: step.flag("deleted", false))
        let withText = step.flag("text", true)
        return ["\(page.messages.count)"]
            + page.messages.map { "\(name(of: $0.id.rawValue)) \(told($0, withText: withText))" }
    }

    private func search(_ step: Step) async throws -> [String] {
        let page = try await client.search(
            step.text("query"), in: step.maybe("in").map { conversation($0) },
            limit: step.number("limit", 50))
        let more = page.next == nil ? "" : " and more"
        return ["\(page.hits.count)\(more)"]
            + page.hits.map { hit in
                let found = hit.snippet.marks.map { quoted(hit.snippet.text[$0]) }
                return "\(quoted(hit.snippet.text)) \(found.joined(separator: " "))"
            }
    }

    private func server(_ step: Step) async throws -> [String] {
        let id = conversation(try step.text("in"))
        let data = try await askAdmin("/admin/messages/\(id)", nil)
        let rows = try JSONDecoder().decode(JSON.self, from: data)["messages"]?.list ?? []
        let own = rows.filter { $0["role"]?.text == "user" && $0["deleted"]?.flag != true }
            .map { quoted($0["content"]?.text ?? "") }
        return ["\(own.count)"] + own
    }
}
