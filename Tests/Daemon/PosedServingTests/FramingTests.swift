import PosedErrors
import PosedServing
import PosedTesting
import PosedVision
import Testing

/// What of its pictures a subject's frames show, and where poses are put that are fitted to the person in them.
@Suite(.timeLimit(.minutes(10))) struct FramingTests {
    /// Twice as wide as the model's pictures are; each place looks different.
    private static func picture() throws -> Image {
        let (width, height) = (160, 80)
        let bytes = (0..<width * height * 3).map { UInt8(($0 * 7 + $0 / (width * 3) * 5) % 256) }
        return try Image(width: width, height: height, bytes: bytes)
    }

    /// A person in pixels of that picture, or as large and elsewhere.
    private static func person(
        scale: Double = 1, right: Double = 0, down: Double = 0
    ) throws -> Keypoints {
        let joints: [(Double, Double)] = [
            (60, 8), (60, 18), (52, 18), (48, 30), (46, 42), (68, 18), (72, 30), (74, 42), (55, 42),
            (54, 58), (53, 74), (65, 42), (66, 58), (67, 74), (58, 6), (62, 6), (56, 8), (64, 8),
        ]
        return try Keypoints(
            joints.map {
                Keypoint(x: $0.0 * scale + right, y: $0.1 * scale + down, confidence: 0.9)
            }, units: .pixels)
    }

    private static func crop() -> SourceFraming {
        SourceFraming(fit: .crop, boxes: [PictureBox(x: 40, y: 4, width: 40, height: 72)])
    }

    private static func settings(_ width: Int, _ height: Int) -> FrameSettings {
        var settings = TinyEngine.settings()
        (settings.width, settings.height) = (width, height)
        return settings
    }

    private static let sizes = [(64, 64), (128, 64), (64, 96)]

    private static func region(_ width: Int, _ height: Int) throws -> PictureBox {
        try PictureFraming(fit: .crop).region(
            of: picture(), width: width, height: height, box: crop().boxes[0])
    }

    /// A session shows at each size what pictures that come along show.
    @Test func aSessionsPicturesAreFramedForEachSize() async throws {
        let tiny = try await TinyEngine.make { $0.extraSizes = 3 }
        var new = NewSession(sources: [try Self.picture()])
        new.framing = Self.crop()
        new.defaults = TinyEngine.settings()
        let session = try await tiny.engine.createSession(new, owner: "owner")
        for (width, height) in Self.sizes {
            func frame(_ subject: FrameRequest.Subject) async throws -> Image {
                try await tiny.engine.synthesize(
                    FrameRequest(
                        subject: subject, pose: try TinyEngine.pose(),
                        settings: Self.settings(width, height)), owner: "owner"
                ).image
            }
            let expected = try await frame(
                .pictures([try Self.picture()], model: nil, framing: Self.crop()))
            let cut = try Self.picture().cropped(to: try Self.region(width, height))
            #expect(try await frame(.pictures([cut], model: nil)) == expected)
            #expect(try await frame(.session(session.name)) == expected, "\(width) × \(height)")
        }
        await tiny.engine.shutDown()
    }

    /// A pose of somebody smaller who stands elsewhere comes to where the source stands in what is shown of it.
    @Test func aFittedPoseStandsWhereTheSourceDoes() async throws {
        let tiny = try await TinyEngine.make { $0.extraSizes = 3 }
        let subject = FrameRequest.Subject.pictures(
            [try Self.picture()], model: nil, framing: Self.crop())
        for (width, height) in Self.sizes {
            func frame(_ pose: Keypoints, retargetTo: Keypoints?) async throws -> Image {
                try await tiny.engine.synthesize(
                    FrameRequest(
                        subject: subject, pose: .keypoints(pose), retargetTo: retargetTo,
                        settings: Self.settings(width, height)), owner: "owner"
                ).image
            }
            let other = try Self.person(scale: 0.5, right: 20, down: 10)
            let expected = try await frame(
                try Self.person().seen(in: try Self.region(width, height)), retargetTo: nil)
            #expect(try await frame(other, retargetTo: try Self.person()) == expected)
        }
        await tiny.engine.shutDown()
    }

    @Test func aStreamFitsItsPosesAtEverySize() async throws {
        let tiny = try await TinyEngine.make { $0.extraSizes = 3 }
        var new = NewSession(sources: [try Self.picture()])
        new.framing = Self.crop()
        let session = try await tiny.engine.createSession(new, owner: "owner")
        var options = StreamOptions(session: session.name)
        options.settings = TinyEngine.settings()
        options.retargetTo = try Self.person()
        options.smoother = PoseSmoother(minCutoff: 1)
        let stream = OpenStream(tiny.engine, options, owner: "owner")
        let other = try Self.person(scale: 0.5, right: 20, down: 10)
        for (index, size) in Self.sizes.enumerated() {
            stream.submit(
                UInt64(index + 1), .keypoints(other), Self.settings(size.0, size.1))
        }
        stream.submit(4, .picture(try Self.picture()))
        stream.finish()
        _ = try await stream.ended.value
        #expect(stream.words == ["1 frame", "2 frame", "3 frame", "4 invalidArgument"])
        for (frame, size) in zip(stream.frames, Self.sizes) {
            let expected = try await tiny.engine.synthesize(
                FrameRequest(
                    subject: .session(session.name),
                    pose: .keypoints(
                        try Self.person().seen(in: try Self.region(size.0, size.1))),
                    settings: Self.settings(size.0, size.1)), owner: "owner")
            #expect(frame.image == expected.image)
        }
        await tiny.engine.shutDown()
    }

    @Test func whatPosesCannotBeFittedToIsRefused() async throws {
        let tiny = try await TinyEngine.make()
        let session = try await tiny.session()
        var joints = try Self.person(scale: 0.5).points
        joints[1] = .absent
        let neckless = try Keypoints(joints, units: .pixels)
        for target in [neckless, try Self.person(scale: 9)] {
            let error = await #expect(throws: RequestError.self) {
                try await tiny.engine.synthesize(
                    FrameRequest(
                        subject: .session(session.name), pose: try TinyEngine.pose(),
                        retargetTo: target), owner: "owner")
            }
            #expect(error?.code == .invalidArgument && error?.field == "retarget_to")
            var options = StreamOptions(session: session.name)
            options.retargetTo = target
            let stream = OpenStream(tiny.engine, options, owner: "owner")
            stream.finish()
            await #expect(throws: RequestError.self) { try await stream.ended.value }
        }
        await tiny.engine.shutDown()
    }

    /// Poses that differ in hands or face are one to a model that does not draw them, and two to one that does.
    @Test(arguments: [false, true])
    func encodedPosesAreToldApartByWhatIsDrawn(_ draws: Bool) async throws {
        let tiny = try await TinyEngine.make(drawer: PoseDrawer(hands: draws, face: draws))
        let session = try await tiny.session()
        let body = try Self.person(scale: 0.7)
        let hand = (0..<21).map { Keypoint(x: 30 + Double($0), y: 40, confidence: 1) }
        let face = (0..<70).map { Keypoint(x: 20 + Double($0) / 4, y: 9, confidence: 1) }
        let poses = [
            body,
            try Keypoints(body.points, leftHand: hand, units: .pixels),
            try Keypoints(body.points, rightHand: hand, units: .pixels),
            try Keypoints(body.points, face: face, units: .pixels),
        ]
        for (index, pose) in (poses + poses).enumerated() {
            let frame = try await tiny.engine.synthesize(
                FrameRequest(subject: .session(session.name), pose: .keypoints(pose)),
                owner: "owner")
            #expect(frame.cache.pose == (draws ? index >= poses.count : index > 0))
        }
        await tiny.engine.shutDown()
    }
}
