import PosedErrors
import PosedPipeline
import PosedSolvers

/// A frame's settings, complete and within bounds.
struct ResolvedFrame: Sendable {
    var form: LaneForm
    var settings: SamplingSettings
    var tableau: ButcherTableau
    /// Evaluations at most.
    var evaluations: Int
    /// How few will do; nil: never fewer.
    var least: Int?
    var used: UsedSettings

    /// Rows of an evaluation.
    var rows: Int { settings.guidance == 1 ? 1 : 2 }
}

/// Makes complete settings of what somebody said, and refuses what cannot be.
struct FrameResolver: Sendable {
    let models: [ServedModel]
    let solvers: SolverRegistry
    let limits: ServingLimits

    /// The place of a model, `models/{model}`; nil means the default one.
    func model(_ name: String?) throws(RequestError) -> Int {
        guard let name, !name.isEmpty else { return 0 }
        if let index = models.firstIndex(where: { $0.description.name == name }) { return index }
        let names = models.map(\.description.name).joined(separator: ", ")
        throw RequestError(
            .notFound, "there is no model \(name.prefix(80).debugDescription); there are \(names)",
            at: "model")
    }

    /// Completes settings with a model's.
    ///
    /// - Parameter warmStart: where on the path the solve may begin.
    func resolve(
        _ said: FrameSettings, model index: Int, warmStart: Double = 0
    ) throws(RequestError) -> ResolvedFrame {
        let model = models[index]
        guard said.evaluations == nil || said.steps == nil else {
            throw RequestError(
                .invalidArgument, "evaluations or steps expected, but both were given",
                at: "settings.nfe")
        }
        guard (0..<1).contains(warmStart) else {
            throw RequestError(
                .invalidArgument,
                "a warm start from 0 to below 1 expected, but it is \(warmStart)",
                at: "warm_start")
        }
        let defaults = model.sampler
        let settings = SamplingSettings(
            solver: said.solver ?? defaults.solver, budget: said.budget ?? .steps(defaults.steps),
            guidance: said.guidance ?? defaults.guidance,
            timeShift: said.timeShift ?? defaults.timeShift,
            timeGrid: said.budget == nil && said.timeShift == nil ? defaults.timeGrid : nil,
            seed: said.seed ?? defaults.seed ?? UInt64.random(in: 0...UInt64.max),
            lastStepFirstOrder: said.lastStepFirstOrder ?? defaults.lastStepFirstOrder)
        let form = try form(said, model, index)
        do {
            try at("settings.guidance_scale") { try settings.validate() }
            let tableau = try at("settings.solver") { try solvers.tableau(settings.solver) }
            let evaluations = try evaluations(settings, tableau, isWarm: warmStart > 0)
            guard evaluations <= limits.maxEvaluations else {
                throw RequestError(
                    .invalidArgument,
                    "at most \(limits.maxEvaluations) velocity evaluations are made for a "
                        + "picture here, but \(evaluations) were asked for",
                    at: settings.budget.field)
            }
            var used = UsedSettings()
            used.model = model.description.name
            used.solver = settings.solver
            used.evaluations = evaluations
            used.guidance = settings.guidance
            used.seed = settings.seed
            used.timeShift = settings.timeShift
            used.lastStepFirstOrder = settings.lastStepFirstOrder
            used.width = form.width
            used.height = form.height
            used.numerics = model.numerics
            used.warmStart = warmStart
            return ResolvedFrame(
                form: form, settings: settings, tableau: tableau, evaluations: evaluations,
                least: try least(said, evaluations), used: used)
        } catch {
            throw RequestError(error)
        }
    }

    /// Runs a check; what it refuses is the value of `field`.
    private func at<Value>(
        _ field: FieldPath, _ check: () throws -> Value
    ) throws(RequestError) -> Value {
        do {
            return try check()
        } catch {
            throw RequestError(error, at: field)
        }
    }

    private func least(
        _ said: FrameSettings, _ evaluations: Int
    ) throws(RequestError) -> Int? {
        guard let least = said.minimumEvaluations, least != 0 else { return nil }
        guard least >= 1 else {
            throw RequestError(
                .invalidArgument,
                "at least 0 evaluations expected as a frame's minimum, but it is \(least)",
                at: "settings.min_nfe")
        }
        return min(least, evaluations)
    }

    private func form(
        _ said: FrameSettings, _ model: ServedModel, _ index: Int
    ) throws(RequestError) -> LaneForm {
        let form = LaneForm(
            model: index, width: said.width ?? model.description.width,
            height: said.height ?? model.description.height)
        if model.description.isSizeFixed {
            let own = (model.description.width, model.description.height)
            guard (form.width, form.height) == own else {
                throw RequestError(
                    .invalidArgument,
                    "\(model.description.name) makes pictures of \(own.0) × \(own.1) pixels alone, "
                        + "but \(form.width) × \(form.height) were asked for",
                    at: form.width == own.0 ? "settings.height" : "settings.width")
            }
            return form
        }
        let step = max(1, model.description.sizeMultiple)
        let sides: [(String, Int, FieldPath)] = [
            ("width", form.width, "settings.width"), ("height", form.height, "settings.height"),
        ]
        for (side, extent, field) in sides {
            guard extent >= step, extent <= limits.maxSide, extent % step == 0 else {
                throw RequestError(
                    .invalidArgument,
                    "the \(side) must be a multiple of \(step) up to \(limits.maxSide) pixels, "
                        + "but it is \(extent)", at: field)
            }
        }
        if let problem = model.sizeProblem(form.width, form.height) {
            throw RequestError(
                .invalidArgument, problem.message,
                at: problem.side == .width ? "settings.width" : "settings.height")
        }
        return form
    }

    /// Evaluations that the settings amount to; checks them all on the way.
    private func evaluations(
        _ settings: SamplingSettings, _ tableau: ButcherTableau, isWarm: Bool
    ) throws -> Int {
        let steps = try at(settings.budget.field) {
            try settings.budget.steps(
                with: tableau, lastStepFirstOrder: settings.lastStepFirstOrder)
        }
        _ = try at("settings.time_shift") {
            try TimeGrid(steps: steps, timeShift: settings.timeShift)
        }
        if tableau.isAdaptive, !isWarm, case .evaluations(let most) = settings.budget {
            _ = try at(settings.budget.field) {
                let tolerance = try AdaptiveTolerance(
                    relative: AdaptiveTolerance.standard.relative,
                    absolute: AdaptiveTolerance.standard.absolute, maxEvaluations: most)
                return try Solve(adaptive: tableau, tolerance: tolerance)
            }
            return most
        }
        return tableau.cost(lastStepFirstOrder: settings.lastStepFirstOrder)
            .evaluations(steps: steps)
    }
}

extension StepBudget {
    /// The field of a request that says it.
    fileprivate var field: FieldPath {
        switch self {
        case .steps: "settings.steps"
        case .evaluations: "settings.nfe"
        }
    }
}
