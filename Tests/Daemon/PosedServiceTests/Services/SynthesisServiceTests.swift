import PosedRPC
import Foundation
import PosedErrors
import PosedProtos
import PosedServing
import PosedVision
import SwiftProtobuf
import Testing

import PosedService

@Suite struct SynthesisServiceTests {
    private let serving = FakeServing()

    private var service: SynthesisService {
        SynthesisService(
            serving: serving, codec: PictureCodec(workers: Workers(threads: 1)),
            drain: Drain())
    }

    private func request() throws -> Posed_V1_SynthesizeRequest {
        var request = Posed_V1_SynthesizeRequest()
        request.sources.images = [try Pictures.png()]
        request.pose = Poses.pose()
        request.settings.seed = 3
        return request
    }

    @Test func picturesBecomeAPNG() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        let frame = try await service.synthesize(
            try request(), Caller(owner: "ada", deadline: deadline)
        ).frame
        #expect(
            try frame.image.image(at: "image", maxSide: 4).bytes == [UInt8](repeating: 3, count: 12)
        )
        #expect(!frame.image.png.isEmpty)
        #expect(frame.used.seed == 3)
        #expect(frame.cache.source && !frame.cache.pose)
        #expect(frame.timings.solve.nanos == 3_000_000)
        #expect(frame.timings.hasEncode)
        #expect(frame.timings.hasSource)
        let asked = try #require(serving.with { $0.frames.first })
        #expect(asked.deadline == deadline)
        guard case .pictures(let images, model: nil, framing: _) = asked.subject else {
            Issue.record("no pictures")
            return
        }
        #expect(images == [try Pictures.image()])
    }

    @Test func theTotalCountsFromTheArrival() async throws {
        let frame = try await service.synthesize(
            try request(), Caller(owner: "ada", arrival: .now - .seconds(100))
        ).frame
        #expect(frame.timings.total.seconds >= 100)
    }

    @Test(arguments: [PictureFormat?.none, .png, .raw])
    func aSessionSaysHowItsPicturesAreSent(format: PictureFormat?) async throws {
        var session = NewSession(sources: [])
        session.defaults.format = format
        _ = try await serving.createSession(session, owner: "ada")
        var request = try request()
        request.session = "sessions/1"
        let caller = Caller(owner: "ada")
        let image = try await service.synthesize(request, caller).frame.image
        #expect(image.png.isEmpty == (format == .raw))
        // The request has the last word.
        request.settings.imageFormat = .rawRgb8
        #expect(try await service.synthesize(request, caller).frame.image.raw.width == 2)
    }

    @Test func whatIsMissingIsNamed() async throws {
        let refused = { (sentence: String, change: (inout Posed_V1_SynthesizeRequest) -> Void) in
            var request = try request()
            change(&request)
            let asked = request
            let error = await #expect(throws: RequestError.self) {
                try await service.synthesize(asked, Caller(owner: "ada"))
            }
            #expect(error?.description == sentence)
        }
        try await refused("pose: expected a pose, got nothing") { $0.clearPose() }
        try await refused("person: expected `session` or `sources`, got neither") {
            $0.person = nil
        }
        try await refused(
            "sources.images[0].png: the picture: this is no picture: it begins as neither "
                + "a PNG, a JPEG nor a WebP does"
        ) { $0.sources.images[0].png = Data("GIF89a".utf8) }
        try await refused(
            "pose.keypoints.joints: expected 17, 18, 25, 26, 33, 133, 136 joints, got 0"
        ) {
            $0.pose.keypoints.joints = []
        }
        try await refused("settings.steps: expected a number from 1 to 200, got -2") {
            $0.settings.steps = -2
        }
        #expect(serving.with { $0.frames.isEmpty })
    }

    @Test(arguments: [
        (FieldPath("settings.solver"), "settings.solver"), ("model", "sources.model"),
        ("sources", "sources.images"), ("sources[1]", "sources.images[1]"), ("pose", "pose"),
    ])
    func whatTheEngineRefusesIsNamed(field: FieldPath, path: String) async throws {
        var request = try request()
        request.settings.steps = 3
        let asked = request
        serving.with { $0.failure = RequestError(.invalidArgument, "no good", at: field) }
        let error = await #expect(throws: RequestError.self) {
            try await service.synthesize(asked, Caller(owner: "ada"))
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description == "\(path): no good")
    }

    @Test func aSessionsModelIsNotItsRequestsToName() async throws {
        var request = try request()
        request.session = "sessions/1"
        let asked = request
        for (field, message) in [
            ("session", "session: gone"), (nil, "gone"),
        ] as [(FieldPath?, String)] {
            serving.with { $0.failure = RequestError(.notFound, "gone", at: field) }
            let error = await #expect(throws: RequestError.self) {
                try await service.synthesize(asked, Caller(owner: "ada"))
            }
            #expect(error?.code == .notFound)
            #expect(error?.description == message)
        }
    }

    @Test func unknownSessionsAreNotFound() async throws {
        var request = try request()
        request.session = "sessions/none"
        let asked = request
        let error = await #expect(throws: RequestError.self) {
            try await service.synthesize(asked, Caller(owner: "ada"))
        }
        #expect(error?.code == .notFound)
    }
}
