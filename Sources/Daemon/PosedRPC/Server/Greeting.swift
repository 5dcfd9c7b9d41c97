/// Decides whether a new connection speaks HTTP/2, by the bytes with which every client begins.
///
/// Only then does the library see it: scanners, lost web browsers and silent clients end here.
package enum Greeting {
    /// What every HTTP/2 client sends first.
    package static let expected = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// What the first bytes show.
    package enum Verdict: Equatable {
        case welcome
        /// Right so far, but not complete.
        case undecided
        case wrong
    }

    /// Judges the bytes that have come so far.
    package static func judge(_ bytes: some Collection<UInt8>) -> Verdict {
        guard bytes.elementsEqual(expected.prefix(bytes.count)) else { return .wrong }
        return bytes.count == expected.count ? .welcome : .undecided
    }
}
