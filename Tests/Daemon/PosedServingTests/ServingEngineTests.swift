import PosedErrors
import PosedModels
import PosedPipeline
import PosedServing
import PosedSolvers
import PosedTesting
import PosedVision
import Testing

/// Sessions and frames through the whole engine room, with the small model.
@Suite struct ServingEngineTests {
    /// A frame through lane, caches and batches has the bits of a pipeline that is used by itself.
    @Test(arguments: UsableDevices.names)
    func aFrameIsThePipelinesPicture(_ backend: String) async throws {
        let tiny = try await TinyEngine.make(backend)
        let pipeline = try TinyEngine.pipeline(backend)
        let source = try pipeline.source([try TinyEngine.picture()])
        let condition = try pipeline.condition(source, try pipeline.pose(try TinyEngine.pose()))
        let session = try await tiny.session()
        for (solver, guidance) in [("heun", 1.4), ("euler", 1), ("dormand-prince", 1.1)] {
            let settings = SamplingSettings(
                solver: solver, budget: .steps(3), guidance: guidance, timeShift: 1, seed: 5)
            let expected = try pipeline.decode(pipeline.sample([condition], settings).latents)
            let frame = try await tiny.engine.synthesize(
                FrameRequest(
                    subject: .session(session.name), pose: try TinyEngine.pose(),
                    settings: TinyEngine.settings(
                        solver: solver, steps: 3, guidance: guidance, seed: 5)),
                owner: "owner")
            #expect([frame.image] == expected, "\(solver) on \(backend)")
            #expect(frame.used.solver == solver && frame.used.seed == 5)
        }
        await tiny.engine.shutDown()
    }

    /// A model with a detail decoder keeps what it needs of the source, and uses it for each frame.
    @Test func aFrameHasTheSourcesDetails() async throws {
        let blend = SourceBlend(sigma: 4, tolerance: 1, flatness: 4)
        let model = try TinyEngine.load("blas", detail: blend)
        let pipeline = try Pipeline(model)
        let source = try pipeline.source([try TinyEngine.picture()])
        let condition = try pipeline.condition(source, try pipeline.pose(try TinyEngine.pose()))
        let latents = try pipeline.sample(
            [condition],
            SamplingSettings(
                solver: "euler", budget: .steps(2), guidance: 1, timeShift: 1, seed: 9)
        ).latents
        let expected = try pipeline.decode(latents, of: [condition])
        #expect(try pipeline.decode(latents) != expected)

        let tiny = try await TinyEngine.make(detail: blend)
        let session = try await tiny.session()
        for _ in 0..<2 {
            let frame = try await tiny.engine.synthesize(
                FrameRequest(
                    subject: .session(session.name), pose: try TinyEngine.pose(),
                    settings: TinyEngine.settings()), owner: "owner")
            #expect([frame.image] == expected)
        }
        await tiny.engine.shutDown()

        func bytes(_ model: PoseModel) throws -> Int {
            try ServedModel("tiny", model, fingerprint: "tiny").conditioningBytes(
                width: pipeline.width, height: pipeline.height, sources: 1)
        }
        let more = try bytes(model) - bytes(TinyEngine.load("blas"))
        #expect(more == SourceDetail.byteCount(pixels: pipeline.width * pipeline.height))
        #expect(source.byteCount >= more)
    }

    @Test func theSecondFrameFindsEverythingReady() async throws {
        let tiny = try await TinyEngine.make()
        let cold = try await tiny.engine.synthesize(
            FrameRequest(
                subject: .pictures([try TinyEngine.picture()], model: nil),
                pose: try TinyEngine.pose(), settings: TinyEngine.settings()), owner: "b")
        #expect(cold.cache == CacheUse(source: false, pose: false))
        #expect(cold.timings.source > .zero && cold.timings.pose > .zero)
        // The same pictures again, as a session of the same owner.
        let session = try await tiny.session("b")
        #expect(session.conditioningBytes > 0)
        let request = FrameRequest(
            subject: .session(session.name), pose: try TinyEngine.pose())
        let warm = try await tiny.engine.synthesize(request, owner: "b")
        #expect(warm.cache == CacheUse(source: true, pose: true))
        #expect(warm.timings.source == .zero && warm.timings.pose == .zero)
        #expect(warm.timings.solve > .zero && warm.timings.decode > .zero)
        #expect(warm.image == cold.image)
        let another = try await tiny.engine.synthesize(
            FrameRequest(subject: .session(session.name), pose: try TinyEngine.pose(1)), owner: "b")
        #expect(another.cache == CacheUse(source: true, pose: false))
        #expect(another.image != warm.image)
        #expect(try await tiny.engine.session(session.name, owner: "b").frameCount == 2)
        let statistics = tiny.engine.statistics
        #expect(statistics.framesCompleted == 3)
        #expect(statistics.sourceCache.misses == 1 && statistics.sourceCache.hits == 3)
        #expect(statistics.poseCache.misses == 2 && statistics.poseCache.hits == 1)
        #expect(statistics.framesQueued == 0 && statistics.framesRunning == 0)
        #expect(statistics.batches == 6 && statistics.batchRows == 6)
        await tiny.engine.shutDown()
    }

    /// A picture with a box or a fit is the picture that they leave, in frames and sessions alike.
    @Test func picturesAreFramedBeforeTheyAreEncoded() async throws {
        let tiny = try await TinyEngine.make()
        let picture = try TinyEngine.picture()
        let (width, height) = (picture.width, picture.height)
        let box = PictureBox(x: width / 4, y: 0, width: width / 2, height: height / 2)
        let cut = try picture.cropped(to: box)
        func frame(_ subject: FrameRequest.Subject) async throws -> Frame {
            try await tiny.engine.synthesize(
                FrameRequest(
                    subject: subject, pose: try TinyEngine.pose(), settings: TinyEngine.settings()),
                owner: "a")
        }
        let expected = try await frame(.pictures([cut], model: nil))
        let framing = SourceFraming(fit: .stretch, boxes: [box])
        let framed = try await frame(.pictures([picture], model: nil, framing: framing))
        #expect(framed.image == expected.image && framed.cache.source)
        var new = NewSession(sources: [picture])
        new.framing = framing
        new.defaults = TinyEngine.settings()
        let session = try await tiny.engine.createSession(new, owner: "a")
        let ofSession = try await frame(.session(session.name))
        #expect(ofSession.image == expected.image && ofSession.cache.source)
        let outside = SourceFraming(
            fit: nil, boxes: [PictureBox(x: width, y: 0, width: 4, height: 4)])
        await #expect(throws: RequestError.self) {
            _ = try await frame(.pictures([picture], model: nil, framing: outside))
        }
        await tiny.engine.shutDown()
    }

    @Test func aSessionBelongsToItsOwner() async throws {
        let tiny = try await TinyEngine.make()
        let session = try await tiny.session("a")
        let request = FrameRequest(subject: .session(session.name), pose: try TinyEngine.pose())
        for owner in ["b", ""] {
            await #expect { try await tiny.engine.synthesize(request, owner: owner) } throws: {
                ($0 as? RequestError)?.code == .notFound
            }
            await #expect(throws: RequestError.self) {
                try await tiny.engine.session(session.name, owner: owner)
            }
            #expect(
                try await tiny.engine.sessions(owner: owner, pageSize: 0, pageToken: "")
                    .sessions.isEmpty)
        }
        var changes = SessionChanges()
        changes.displayName = "standing"
        changes.defaults = TinyEngine.settings(steps: 1)
        let changed = try await tiny.engine.updateSession(session.name, changes, owner: "a")
        #expect(changed.displayName == "standing")
        #expect(try await tiny.engine.synthesize(request, owner: "a").used.evaluations == 1)
        try await tiny.engine.deleteSession(session.name, etag: nil, owner: "a")
        await #expect { try await tiny.engine.synthesize(request, owner: "a") } throws: {
            ($0 as? RequestError)?.code == .notFound
        }
        await tiny.engine.shutDown()
    }

    /// Every bad request is refused with its own class of error, and the next one works.
    @Test func badRequestsAreRefused() async throws {
        let tiny = try await TinyEngine.make { $0.limits.maxEvaluations = 20 }
        let session = try await tiny.session()
        let subject = FrameRequest.Subject.session(session.name)
        func code(
            _ subject: FrameRequest.Subject, _ change: (inout FrameSettings) -> Void
        ) async throws -> RequestError.Code? {
            var settings = FrameSettings()
            change(&settings)
            let request = FrameRequest(
                subject: subject, pose: try TinyEngine.pose(), settings: settings)
            do {
                _ = try await tiny.engine.synthesize(request, owner: "owner")
                return nil
            } catch let error as RequestError {
                #expect(!error.message.isEmpty)
                return error.code
            }
        }
        let picture = try TinyEngine.picture()
        #expect(try await code(subject) { $0.solver = "magic" } == .invalidArgument)
        #expect(try await code(subject) { $0.evaluations = 0 } == .invalidArgument)
        #expect(try await code(subject) { $0.evaluations = 21 } == .invalidArgument)
        #expect(try await code(subject) { ($0.evaluations, $0.steps) = (4, 2) } == .invalidArgument)
        #expect(try await code(subject) { $0.guidance = .nan } == .invalidArgument)
        #expect(try await code(subject) { $0.guidance = -1 } == .invalidArgument)
        #expect(try await code(subject) { $0.timeShift = 0 } == .invalidArgument)
        #expect(try await code(subject) { $0.minimumEvaluations = -1 } == .invalidArgument)
        #expect(try await code(subject) { ($0.width, $0.height) = (63, 64) } == .invalidArgument)
        #expect(
            try await code(subject) { ($0.width, $0.height) = (64, 1 << 20) } == .invalidArgument)
        #expect(try await code(.session("sessions/nobody")) { _ in } == .notFound)
        #expect(try await code(.session("nonsense")) { _ in } == .invalidArgument)
        #expect(try await code(.pictures([], model: nil)) { _ in } == .invalidArgument)
        #expect(try await code(.pictures([picture], model: "models/none")) { _ in } == .notFound)
        let many = [Image](repeating: picture, count: 9)
        #expect(try await code(.pictures(many, model: nil)) { _ in } == .invalidArgument)
        #expect(try await code(subject) { _ in } == nil)
        await tiny.engine.shutDown()
    }

    /// Whoever knows the request's own names can say which field is wrong.
    @Test func refusalsSayWhatTheyAreAbout() async throws {
        let engine = try TestEngine().engine
        func field(
            within limits: ServingLimits = ServingLimits(),
            _ change: (inout FrameSettings) -> Void
        ) -> FieldPath? {
            var settings = FrameSettings()
            change(&settings)
            do {
                try engine.check(settings, within: limits)
                return nil
            } catch {
                #expect(error.code == .invalidArgument)
                return error.field
            }
        }
        #expect(field { _ in } == nil)
        #expect(field { $0.solver = "magic" } == "settings.solver")
        #expect(field { $0.evaluations = 0 } == "settings.nfe")
        #expect(field { $0.steps = 100_000 } == "settings.steps")
        #expect(field { ($0.evaluations, $0.steps) = (4, 2) } == "settings.nfe")
        #expect(field { ($0.solver, $0.evaluations) = ("dormand-prince", 2) } == "settings.nfe")
        #expect(field { $0.guidance = -1 } == "settings.guidance_scale")
        #expect(field { $0.timeShift = 0 } == "settings.time_shift")
        #expect(field { $0.minimumEvaluations = -1 } == "settings.min_nfe")
        #expect(field { ($0.width, $0.height) = (9, 8) } == "settings.width")
        #expect(field { ($0.width, $0.height) = (8, 9) } == "settings.height")
        var limits = ServingLimits()
        limits.maxEvaluations = 1
        #expect(field(within: limits) { _ in } == "settings.steps")
        limits.maxSide = 4
        #expect(field(within: limits) { _ in } == "settings.width")
        let name = await #expect(throws: RequestError.self) {
            try await engine.session("odd", owner: "o")
        }
        #expect(name?.field == "session")
        let gone = await #expect(throws: RequestError.self) {
            try await engine.session("sessions/" + String(repeating: "a", count: 26), owner: "o")
        }
        #expect(gone?.field == "session")
    }

    /// A pose that cannot be drawn is the caller's error, found on the lane, and the lane goes on.
    @Test func aPoseOutsideItsPictureIsRefused() async throws {
        let tiny = try await TinyEngine.make()
        let session = try await tiny.session()
        let outside = PoseInput.keypoints(
            try Keypoints((0..<18).map { _ in Keypoint(x: 5000, y: 5000) }))
        await #expect {
            try await tiny.engine.synthesize(
                FrameRequest(subject: .session(session.name), pose: outside), owner: "owner")
        } throws: {
            let error = $0 as? RequestError
            return error?.code == .invalidArgument && error?.field == "pose"
        }
        _ = try await tiny.engine.synthesize(
            FrameRequest(subject: .session(session.name), pose: try TinyEngine.pose()),
            owner: "owner")
        #expect(tiny.engine.statistics.framesFailed == 1)
        await tiny.engine.shutDown()
    }

    @Test func otherSizesWorkBeside() async throws {
        let tiny = try await TinyEngine.make { $0.extraSizes = 1 }
        let session = try await tiny.session()
        for (width, height) in [(64, 64), (96, 64), (64, 96), (128, 64), (96, 64)] {
            var settings = TinyEngine.settings()
            (settings.width, settings.height) = (width, height)
            let frame = try await tiny.engine.synthesize(
                FrameRequest(
                    subject: .session(session.name), pose: try TinyEngine.pose(),
                    settings: settings), owner: "owner")
            #expect(frame.image.width == width && frame.image.height == height)
            let pipeline = try TinyEngine.pipeline("blas", size: (width, height))
            let condition = try pipeline.condition(
                try pipeline.source([try TinyEngine.picture()]),
                try pipeline.pose(try TinyEngine.pose()))
            let sampling = SamplingSettings(
                solver: "euler", budget: .steps(2), guidance: 1, timeShift: 1, seed: 9)
            let alone = try pipeline.decode(pipeline.sample([condition], sampling).latents)
            #expect([frame.image] == alone)
        }
        await tiny.engine.shutDown()
    }

    @Test func aWarmedUpEngineKnowsItsCosts() async throws {
        let tiny = try await TinyEngine.make {
            $0.warmsUp = true
            $0.batchRows = .automatic(atMost: 8)
        }
        let before = tiny.engine.heartbeat
        let session = try await tiny.session()
        var settings = TinyEngine.settings(steps: 20)
        settings.minimumEvaluations = 3
        // Costs are known, so a stream's frame that is due at once gets the least.
        var options = StreamOptions(session: session.name)
        options.settings = settings
        options.frameDeadline = .nanoseconds(1)
        let stream = OpenStream(tiny.engine, options, owner: "owner")
        stream.submit(1, try TinyEngine.pose())
        stream.finish()
        _ = try await stream.ended.value
        let frames = stream.frames
        #expect(frames.map(\.used.evaluations) == [3])
        #expect(frames.map(\.used.isReduced) == [true])
        #expect(tiny.engine.statistics.framesReduced == 1)
        #expect(tiny.engine.statistics.framesLate == 1)
        #expect(tiny.engine.heartbeat > before)
        await tiny.engine.shutDown()
    }
}
