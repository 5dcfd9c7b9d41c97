package import PosedErrors
package import SwiftProtobuf

extension Google_Protobuf_Duration {
    /// The most that a protobuf duration may say: ten thousand years.
    private static let maxSeconds: Int64 = 315_576_000_000

    /// The duration at `path`, which may not be negative. Throws `RequestError`.
    package func duration(at path: FieldPath) throws -> Duration {
        guard (-Self.maxSeconds...Self.maxSeconds).contains(seconds),
            (-999_999_999...999_999_999).contains(nanos),
            seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0)
        else {
            throw path.refusal(
                expected: "a well-formed duration", got: "\(seconds) s and \(nanos) ns")
        }
        let duration = Duration(self)
        guard duration >= .zero else {
            throw path.refusal(expected: "a duration that is not negative", got: duration)
        }
        return duration
    }

    /// A duration, rounded to nanoseconds.
    package init(_ duration: Duration) {
        self.init(rounding: duration)
    }
}
