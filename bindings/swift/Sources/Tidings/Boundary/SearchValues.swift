internal import TidingsFFI

extension SearchOrder {
    var boundary: TidingsFFI.SearchOrder {
        switch self {
        case .newest: .newest
        case .best: .best
        }
    }
}

extension SearchPage {
    init(boundary page: TidingsFFI.SearchPage) {
        self.init(
            hits: page.hits.map(SearchHit.init(boundary:)),
            next: page.next,
            isComplete: page.complete
        )
    }
}

extension SearchHit {
    init(boundary hit: TidingsFFI.SearchHit) {
        self.init(message: Message(boundary: hit.message), snippet: Snippet(boundary: hit.snippet))
    }
}

extension Snippet {
    init(boundary part: TidingsFFI.Snippet) {
        self.init(
            text: part.text,
            marks: part.marks.compactMap { part.text.range(of: $0) },
            isCutBefore: part.cutBefore,
            isCutAfter: part.cutAfter
        )
    }
}

extension String {
    /// The core counts bytes; a place that is none of this text is no mark.
    fileprivate func range(of mark: SnippetMark) -> Range<String.Index>? {
        let place = { (byte: Int32) in
            self.utf8.index(
                self.startIndex, offsetBy: Int(byte), limitedBy: self.endIndex)
        }
        guard mark.start >= 0, let start = place(mark.start), let end = place(mark.end) else {
            return nil
        }
        return start <= end ? start..<end : nil
    }
}
