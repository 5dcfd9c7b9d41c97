import PosedProtos
import PosedServing
import SwiftProtobuf
import Testing

import PosedService

@Suite struct RequestDomainTests {
    private let limits = ServingLimits()

    @Test func aSubjectIsASessionOrPictures() throws {
        var request = Posed_V1_SynthesizeRequest()
        request.session = "sessions/a"
        guard case .session("sessions/a") = try request.subject(limits: limits) else {
            Issue.record("no session")
            return
        }
        request.sources.images = [try Pictures.raw()]
        guard
            case .pictures(let images, model: nil, framing: _) = try request.subject(limits: limits)
        else {
            Issue.record("no pictures")
            return
        }
        #expect(images == [try Pictures.image()])
    }

    @Test func aSubjectMustBeThere() {
        expectRefusal("person: expected `session` or `sources`, got neither") {
            try Posed_V1_SynthesizeRequest().subject(limits: limits)
        }
        expectRefusal("sources.images: expected 1 to 8 pictures, got 0") {
            var request = Posed_V1_SynthesizeRequest()
            request.sources = Posed_V1_Sources()
            return try request.subject(limits: limits)
        }
        expectRefusal("sources.model: expected a name `models/…`, got `x`") {
            var request = Posed_V1_SynthesizeRequest()
            request.sources.images = [try Pictures.raw()]
            request.sources.model = "x"
            return try request.subject(limits: limits)
        }
    }

    private func options(
        _ change: (inout Posed_V1_StreamStart) -> Void
    ) throws -> StreamOptions {
        var start = Posed_V1_StreamStart()
        start.session = "sessions/a"
        change(&start)
        return try start.options(limits: limits)
    }

    @Test func aStartIsRead() throws {
        let options = try options {
            $0.settings.nfe = 8
            $0.maxLag = Google_Protobuf_Duration(nanos: 40_000_000)
            $0.frameDeadline = Google_Protobuf_Duration(nanos: 100_000_000)
            $0.warmStart = 0.5
        }
        #expect(options.session == "sessions/a")
        #expect(options.settings.evaluations == 8)
        #expect(options.maxLag == .milliseconds(40))
        #expect(options.frameDeadline == .milliseconds(100))
        #expect(options.warmStart == 0.5)
    }

    @Test func aStartMaySayLittle() throws {
        let options = try options { _ in }
        #expect(options.maxLag == nil)
        #expect(options.frameDeadline == nil)
        #expect(options.warmStart == 0)
        #expect(!options.everyPose)
        #expect(try self.options { $0.maxLag = Google_Protobuf_Duration() }.maxLag == .zero)
        #expect(try self.options { $0.everyPose = true }.everyPose)
    }

    @Test func whatIsWrongWithAStart() {
        expectRefusal("start.session: expected a name `sessions/…`, got nothing") {
            try options { $0.session = "" }
        }
        expectRefusal("start.settings.nfe: expected a number from 1 to 200, got 0") {
            try options { $0.settings.nfe = 0 }
        }
        expectRefusal("start.max_lag: expected a duration that is not negative, got -1.0 seconds") {
            try options { $0.maxLag = Google_Protobuf_Duration(seconds: -1) }
        }
        expectRefusal("start.frame_deadline: expected more than 0, got 0.0 seconds") {
            try options { $0.frameDeadline = Google_Protobuf_Duration() }
        }
        for warm in [-0.1, 1, Double.nan, .infinity] {
            expectRefusal(
                "start.warm_start: expected a time of the path, from 0 to below 1, got \(warm)"
            ) { try options { $0.warmStart = warm } }
        }
    }
}
