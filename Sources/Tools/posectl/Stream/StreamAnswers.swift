/// What came of a stream until it was over, or broke.
struct StreamAnswers: Sendable {
    var records: [StreamRecord] = []
    /// When each frame came, in seconds of the stream.
    var arrivals: [Double] = []
    /// Why it broke; nil if it did not.
    var failure: (any Error)?
}
