import PosedDaemon
import PosedErrors
import PosedGuarded
import PosedServing
import PosedVision
import Testing

struct ConfiguredServingTests {
    private let engine = RecordingServing()

    private func serving(_ change: (inout RequestDefaults) -> Void = { _ in }) -> ConfiguredServing
    {
        var defaults = RequestDefaults()
        defaults.settings.solver = "euler"
        defaults.settings.evaluations = 6
        change(&defaults)
        return ConfiguredServing(engine, defaults: defaults)
    }

    private func pose() throws -> PoseInput {
        .picture(try Image(width: 8, height: 8, filledWith: .white))
    }

    @Test func aSessionTakesTheDefaultsOverWhereItSaysNothing() async throws {
        var session = NewSession(sources: [])
        session.defaults.solver = "heun"
        _ = try await serving().createSession(session, owner: "me")
        let asked = try #require(engine.asked.withLock { $0.session })
        #expect(asked.defaults.solver == "heun")
        #expect(asked.defaults.evaluations == 6)
    }

    @Test func aBudgetInStepsIsNotMixedWithOneInEvaluations() async throws {
        var changes = SessionChanges()
        changes.defaults = FrameSettings()
        changes.defaults?.steps = 3
        _ = try await serving().updateSession("sessions/a", changes, owner: "me")
        let asked = try #require(engine.asked.withLock { $0.changes?.defaults })
        #expect(asked.steps == 3)
        #expect(asked.evaluations == nil)
    }

    @Test func framesOfASessionKeepWhatTheSessionSays() async throws {
        let serving = serving { $0.deadline = .seconds(5) }
        let before = ContinuousClock.now
        await #expect(throws: RequestError.self) {
            try await serving.synthesize(
                FrameRequest(subject: .session("sessions/a"), pose: try pose()), owner: "me")
        }
        let asked = try #require(engine.asked.withLock { $0.frame })
        #expect(asked.settings == FrameSettings())
        #expect(try #require(asked.deadline) >= before + .seconds(5))
    }

    @Test func framesOfPicturesGetTheDefaults() async throws {
        let serving = serving()
        let deadline = ContinuousClock.now + .seconds(1)
        await #expect(throws: RequestError.self) {
            try await serving.synthesize(
                FrameRequest(
                    subject: .pictures([], model: nil), pose: try pose(), deadline: deadline),
                owner: "me")
        }
        let asked = try #require(engine.asked.withLock { $0.frame })
        #expect(asked.settings.solver == "euler")
        #expect(asked.deadline == deadline)
    }

    @Test func aStreamWithoutMaxLagGetsTheConfigured() async throws {
        let serving = serving { $0.maxLag = .milliseconds(80) }
        for (said, expected) in [(nil, 80), (20, 20)] as [(Int?, Int)] {
            var options = StreamOptions(session: "sessions/a")
            options.maxLag = said.map { .milliseconds($0) }
            await #expect(throws: RequestError.self) {
                try await serving.stream(
                    options, owner: "me", poses: AsyncStream<StreamPose> { $0.finish() },
                    opened: { _ in }, answer: { _ in })
            }
            #expect(engine.asked.withLock { $0.stream?.maxLag } == .milliseconds(expected))
        }
    }

    @Test func newDefaultsHoldFromThenOn() async throws {
        let serving = serving()
        serving.requestDefaults.settings.evaluations = 12
        _ = try await serving.createSession(NewSession(sources: []), owner: "me")
        #expect(engine.asked.withLock { $0.session?.defaults.evaluations } == 12)
    }

    /// What the catalogue says of a model of `heun`, 8 steps, guidance 1.1, where the configuration says more.
    private func catalogued(_ change: (inout FrameSettings) -> Void) throws -> ModelDescription {
        var model = ModelDescription()
        model.name = "models/a"
        model.defaultSolver = "heun"
        model.defaultSteps = 8
        model.defaultEvaluations = 15
        model.defaultGuidance = 1.1
        let solvers = [("heun", 2, false), ("rk4", 4, false), ("dormand-prince", 6, true)].map {
            SolverDescription(
                name: $0.0, order: 2, evaluationsPerStep: $0.1, evaluatesStepEnd: true,
                isAdaptive: $0.2,
                isBuiltIn: true)
        }
        var defaults = RequestDefaults()
        change(&defaults.settings)
        let room = RecordingServing(models: [model], solvers: solvers)
        return try #require(ConfiguredServing(room, defaults: defaults).models.first)
    }

    @Test func theCatalogueTellsTheModelsOwnDefaultsWhereNobodySaysOthers() throws {
        let model = try catalogued { _ in }
        #expect(model.name == "models/a")
        #expect(model.defaultSolver == "heun")
        #expect(model.defaultEvaluations == 15)
        #expect(model.defaultGuidance == 1.1)
    }

    @Test func theCatalogueTellsTheConfiguredDefaults() throws {
        let model = try catalogued {
            $0.solver = "rk4"
            $0.guidance = 1.5
        }
        #expect(model.defaultSolver == "rk4")
        // The model's 8 steps, of 4 evaluations each but the last, which is Euler's.
        #expect(model.defaultEvaluations == 29)
        #expect(model.defaultGuidance == 1.5)
    }

    @Test func theCatalogueTellsOfALastStepOfTheMethodsOwnOrder() throws {
        let model = try catalogued { $0.lastStepFirstOrder = false }
        #expect(model.defaultEvaluations == 16)
    }

    @Test(arguments: [("heun", 6, 5), ("rk4", 3, 1), ("dormand-prince", 7, 7)])
    func theCatalogueTellsWhatABudgetComesTo(solver: String, nfe: Int, made: Int) throws {
        let model = try catalogued {
            $0.solver = solver
            $0.evaluations = nfe
        }
        #expect(model.defaultEvaluations == made)
    }
}
