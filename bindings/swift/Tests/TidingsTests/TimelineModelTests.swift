import Foundation
import Observation
import Testing
import Tidings
import TidingsTesting

/// What a screen is told, and what it is not told.
@MainActor @Suite struct TimelineModelTests {
    @Test("an answer that grows changes its own row and not the list")
    func growingAnswerChangesItsRowOnly() {
        let answer = Message.sample("Ea", id: "a", role: .assistant, completeness: .streaming)
        let model = TimelineModel.showing([.sample("Hello", id: "q"), answer])
        let list = Changes { model.rows.map(\.id) }
        let question = Changes { model.rows[0].message.text }
        let grown = Changes { model.rows[1].message.text }
        let row = model.rows[1]

        model.apply([.update(index: 1, answer.with(text: "Eat oats"))])

        #expect(list.count == 0)
        #expect(question.count == 0)
        #expect(grown.count == 1)
        #expect(model.rows[1] === row)
        #expect(row.message.text == "Eat oats")
    }

    @Test("a message that comes or goes changes the list")
    func comingMessageChangesTheList() {
        let model = TimelineModel.showing([.sample("one", id: "1")])
        let coming = Changes { model.rows.count }
        model.apply([.insert(index: 1, .sample("two", id: "2"))])
        let going = Changes { model.rows.count }
        model.apply([.remove(index: 0, "1")])
        #expect(coming.count == 1)
        #expect(going.count == 1)
        #expect(model.rows.map(\.id) == ["2"])
    }

    @Test("a reset is visible and keeps the rows that stay")
    func resetKeepsRows() {
        let model = TimelineModel.showing([.sample("one", id: "1"), .sample("two", id: "2")])
        let stays = model.rows[1]
        model.apply([.reset([.sample("two!", id: "2"), .sample("three", id: "3")])])
        #expect(model.resets == 2)
        #expect(model.rows.map(\.id) == ["2", "3"])
        #expect(model.rows[0] === stays)
        #expect(stays.message.text == "two!")
    }

    @Test("a change that does not fit is a failure, not a crash")
    func misfitIsAFailure() {
        let model = TimelineModel.showing([])
        model.apply([.update(index: 7, .sample()), .insert(index: -1, .sample())])
        #expect(model.rows.isEmpty)
        #expect(model.failure?.code == "timeline.misfit")
    }

    @Test("a model follows a conversation until it is closed")
    func modelFollowsAConversation() async throws {
        let client = try await ChatClient(.fake(FakeBackend { ["Hello, ", $0.text] }))
        let chat = try client.open(try await client.createConversation().id)
        let model = TimelineModel()
        let following = Task { await model.follow(chat.timeline) }
        try await chat.send("world")
        // The answer may be there before the receipt, and then the question takes its place above it.
        let told = ["world", "Hello, world"]
        try await within(.seconds(60)) { @MainActor in
            while model.rows.map(\.message.text) != told {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
        try await client.shutdown()
        await following.value
        #expect(model.isLoaded)
        #expect(model.failure == nil)
        #expect(model.rows.map(\.message.text) == told)
    }
}

/// Counts how often something that was read has changed; the first change counts, as for a view.
@MainActor private final class Changes {
    private final class Box: @unchecked Sendable { var count = 0 }
    private let box = Box()

    var count: Int { box.count }

    init<Value>(of read: () -> Value) {
        let box = box
        withObservationTracking { _ = read() } onChange: { box.count += 1 }
    }
}
