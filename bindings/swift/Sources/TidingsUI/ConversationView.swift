#if canImport(SwiftUI)
    public import SwiftUI
    public import Tidings

    /// A conversation on a screen: its messages, a light, and a field to write in.
    ///
    /// A starting point to copy from as much as a view to use: everything it does is public.
    public struct ConversationView: View {
        private let conversation: Conversation
        @State private var model = TimelineModel()
        @State private var connection: ConnectionStatus?
        @State private var draft = ""
        @State private var failure: ChatError?

        /// Shows an open conversation.
        public init(_ conversation: Conversation) {
            self.conversation = conversation
        }

        public var body: some View {
            VStack(spacing: 0) {
                ConnectionBar(status: connection)
                TimelineList(model: model)
                MessageField(text: $draft, failure: failure, send: send)
            }
            .task(id: conversation.id) { await model.follow(conversation.timeline) }
            .task(id: conversation.id) { await followConnection() }
        }

        private func followConnection() async {
            do {
                for try await status in conversation.connection { connection = status }
            } catch {
                connection = nil
            }
        }

        /// The field is emptied once the message is on disk: what was typed is never lost.
        private func send() {
            let text = draft
            Task {
                do {
                    try await conversation.send(text)
                    failure = nil
                    if draft == text { draft = "" }
                } catch let error as ChatError {
                    failure = error
                }
            }
        }
    }

    /// The rows of a ``TimelineModel``; redrawn when a message comes, goes or moves.
    public struct TimelineList: View {
        private let model: TimelineModel

        /// Shows what the model follows.
        public init(model: TimelineModel) {
            self.model = model
        }

        public var body: some View {
            ScrollView {
                LazyVStack(alignment: .leading, spacing: 8) {
                    ForEach(model.rows) { MessageRow(row: $0) }
                }
                .padding()
            }
            .defaultScrollAnchor(.bottom)
        }
    }

    /// One message; redrawn when this message changes, and at no other time.
    public struct MessageRow: View {
        private let row: TimelineRow

        /// Shows one row.
        public init(row: TimelineRow) {
            self.row = row
        }

        public var body: some View {
            let message = row.message
            VStack(alignment: .leading, spacing: 2) {
                Text(message.text)
                    .textSelection(.enabled)
                if let word = word(for: message) {
                    Text(word).font(.caption).foregroundStyle(.secondary)
                }
            }
            .frame(maxWidth: .infinity, alignment: message.isOwn ? .trailing : .leading)
            .accessibilityElement(children: .combine)
        }

        private func word(for message: Message) -> LocalizedStringKey? {
            switch (message.state, message.completeness) {
            case (.queued, _), (.sending, _): "waiting"
            case (.uncertain, _): "checking"
            case (.failed, _): "not sent"
            case (.cancelled, _): "withdrawn"
            case (_, .streaming): "writing"
            case (_, .incomplete), (_, .failed): "broken off"
            case (_, .stopped): "stopped"
            case (.sent, _), (.delivered, _), (.read, _): nil
            }
        }
    }

    /// One line that says how the conversation is connected; nothing while all is well.
    public struct ConnectionBar: View {
        private let status: ConnectionStatus?

        /// Shows a status.
        public init(status: ConnectionStatus?) {
            self.status = status
        }

        public var body: some View {
            switch status?.light {
            case .yellow: bar("Slow connection", .yellow)
            case .red: bar("No connection: messages wait on this device", .red)
            case .green, nil: EmptyView()
            }
        }

        private func bar(_ text: LocalizedStringKey, _ color: Color) -> some View {
            Text(text)
                .font(.footnote)
                .frame(maxWidth: .infinity)
                .padding(4)
                .background(color.opacity(0.25))
        }
    }

    /// The field to write in, with its button.
    struct MessageField: View {
        @Binding var text: String
        let failure: ChatError?
        let send: () -> Void

        var body: some View {
            VStack(alignment: .leading) {
                if let failure {
                    Text(failure.sentence).font(.caption).foregroundStyle(.red)
                }
                HStack {
                    TextField("Message", text: $text, axis: .vertical)
                        .textFieldStyle(.roundedBorder)
                    Button("Send", systemImage: "paperplane.fill", action: send)
                        .labelStyle(.iconOnly)
                        .disabled(isBlank)
                }
            }
            .padding()
        }

        private var isBlank: Bool {
            text.allSatisfy(\.isWhitespace)
        }
    }
#endif
