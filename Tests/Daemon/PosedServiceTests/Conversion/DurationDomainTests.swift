import PosedErrors
import SwiftProtobuf
import Testing

import PosedService

@Suite struct DurationDomainTests {
    @Test(arguments: [Duration.zero, .nanoseconds(1), .milliseconds(1500), .seconds(86400 * 365)])
    func durationsReturn(duration: Duration) throws {
        #expect(try Google_Protobuf_Duration(duration).duration(at: "ttl") == duration)
    }

    @Test func attosecondsAreRounded() {
        #expect(
            Google_Protobuf_Duration(
                Duration(secondsComponent: 0, attosecondsComponent: 999_999_999))
                == Google_Protobuf_Duration(nanos: 1))
        #expect(
            Google_Protobuf_Duration(
                Duration(secondsComponent: 1, attosecondsComponent: 999_999_999_999_999_999))
                == Google_Protobuf_Duration(seconds: 2))
    }

    @Test(arguments: [
        (Int64.max, Int32(0)), (.min, 0), (1, -1), (-1, 1), (0, 1_000_000_000), (0, .min),
        (0, .max),
    ])
    func malformedOnesAreRefused(seconds: Int64, nanos: Int32) {
        expectRefusal(
            "start.max_lag: expected a well-formed duration, got \(seconds) s and \(nanos) ns"
        ) {
            try Google_Protobuf_Duration(seconds: seconds, nanos: nanos)
                .duration(at: "start.max_lag")
        }
    }

    @Test func negativeOnesAreRefused() {
        expectRefusal("ttl: expected a duration that is not negative, got -1.5 seconds") {
            try Google_Protobuf_Duration(seconds: -1, nanos: -500_000_000).duration(at: "ttl")
        }
    }
}
