/// A point in time of a clock that tests move by hand.
struct TestInstant: InstantProtocol, CustomStringConvertible {
    var offset: Duration = .zero

    func advanced(by duration: Duration) -> TestInstant { TestInstant(offset: offset + duration) }
    func duration(to other: TestInstant) -> Duration { other.offset - offset }
    static func < (a: TestInstant, b: TestInstant) -> Bool { a.offset < b.offset }

    var description: String { "\(offset)" }

    /// So many milliseconds after the beginning.
    static func at(_ milliseconds: Int) -> TestInstant {
        TestInstant(offset: .milliseconds(milliseconds))
    }
}
