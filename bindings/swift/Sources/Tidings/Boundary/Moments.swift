import Foundation

// Moments and spans cross as milliseconds.

extension Date {
    init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    init?(milliseconds: Int64?) {
        guard let milliseconds else { return nil }
        self.init(milliseconds: milliseconds)
    }

    /// Milliseconds since 1970; what lies beyond the range is cut to it.
    var milliseconds: Int64 {
        Int64(exactly: (timeIntervalSince1970 * 1000).rounded()) ?? (self > .now ? .max : .min)
    }
}

extension Duration {
    init?(milliseconds: Int64?) {
        guard let milliseconds else { return nil }
        self = .milliseconds(milliseconds)
    }

    /// Whole milliseconds; what lies beyond the range is cut to it.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? (seconds > 0 ? .max : .min) : whole + attoseconds / 1_000_000_000_000_000
    }
}
