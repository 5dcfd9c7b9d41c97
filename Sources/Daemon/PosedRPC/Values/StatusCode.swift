/// The outcome of a call, one of the seventeen that gRPC knows.
package struct StatusCode: Hashable, Sendable, CustomStringConvertible {
    /// The number that goes over the wire, 0…16.
    package let rawValue: Int32
    /// Its name in the protocol, "INVALID_ARGUMENT".
    package let name: String

    private init(_ rawValue: Int32, _ name: String) {
        self.rawValue = rawValue
        self.name = name
    }

    package static let ok = StatusCode(0, "OK")
    package static let cancelled = StatusCode(1, "CANCELLED")
    package static let unknown = StatusCode(2, "UNKNOWN")
    package static let invalidArgument = StatusCode(3, "INVALID_ARGUMENT")
    package static let deadlineExceeded = StatusCode(4, "DEADLINE_EXCEEDED")
    package static let notFound = StatusCode(5, "NOT_FOUND")
    package static let alreadyExists = StatusCode(6, "ALREADY_EXISTS")
    package static let permissionDenied = StatusCode(7, "PERMISSION_DENIED")
    package static let resourceExhausted = StatusCode(8, "RESOURCE_EXHAUSTED")
    package static let failedPrecondition = StatusCode(9, "FAILED_PRECONDITION")
    package static let aborted = StatusCode(10, "ABORTED")
    package static let outOfRange = StatusCode(11, "OUT_OF_RANGE")
    package static let unimplemented = StatusCode(12, "UNIMPLEMENTED")
    package static let `internal` = StatusCode(13, "INTERNAL")
    package static let unavailable = StatusCode(14, "UNAVAILABLE")
    package static let dataLoss = StatusCode(15, "DATA_LOSS")
    package static let unauthenticated = StatusCode(16, "UNAUTHENTICATED")

    /// All of them, in the order of their numbers.
    package static let all: [StatusCode] = [
        ok, cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists,
        permissionDenied, resourceExhausted, failedPrecondition, aborted, outOfRange,
        unimplemented, `internal`, unavailable, dataLoss, unauthenticated,
    ]

    /// The code of a number from the wire; a number outside 0…16 reads as `unknown`.
    package init(rawValue: Int32) {
        let known = 0..<Int32(StatusCode.all.count)
        self = known.contains(rawValue) ? StatusCode.all[Int(rawValue)] : .unknown
    }

    package var description: String { name }

    package static func == (one: StatusCode, other: StatusCode) -> Bool {
        one.rawValue == other.rawValue
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(rawValue)
    }
}
