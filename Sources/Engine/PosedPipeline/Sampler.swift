import PosedBackend
package import PosedModels
package import PosedSolvers
package import PosedTensor

/// Takes batches of noise to latents: drives solves with velocity evaluations on one stream.
package final class Sampler {
    /// What a solve came to.
    package struct Outcome {
        /// The latents, [B, h, w, C] float32; scratch that the next solve overwrites.
        package let latents: Tensor
        /// Velocity evaluations made.
        package let evaluations: Int
        /// How it ended.
        package let outcome: SolveOutcome
    }

    private let model: any VelocityModel
    private let compute: Compute
    private let plans: VelocityPlans
    private var slots: [Tensor] = []

    /// A sampler on one stream.
    package init(_ model: any VelocityModel, on compute: Compute) {
        self.model = model
        self.compute = compute
        plans = VelocityPlans(model, on: compute)
    }

    /// Integrates from noise, where the model's path begins, to latents at t = 1.
    ///
    /// - Parameters:
    ///   - noise: [B, h, w, C] values of deviation 1, one row for each condition.
    ///   - conditions: What each row is conditioned on; all of one latent size.
    ///   - isCancelled: Asked before every evaluation.
    /// - Throws: `SolverError` or `PipelineError` for impossible settings, a cancelled or a diverged
    ///   solve; `BackendError` when the device fails.
    package func solve(
        noise: [Float], conditions: [RowCondition], tableau: ButcherTableau,
        settings: SamplingSettings, isCancelled: () -> Bool = { false }
    ) throws -> Outcome {
        try settings.validate()
        let run = try SamplingRun(
            tableau, settings, rows: conditions.count, origin: model.form.start)
        var solve = run.solve
        let size = conditions[0].latentSize
        let shape = [conditions.count, size.height, size.width, model.form.channels]
        try reserve(solve.slotCount, shape)
        try compute.upload(model.initialState(of: noise, at: run.start), to: slots[0])
        let velocity = try VelocityEvaluator(
            model, plans: plans, conditions: conditions, guidance: settings.guidance,
            times: run.times, on: compute)
        let steps = run.times.isEmpty ? [] : prepared(run.solve, velocity)
        var position = 0
        while true {
            let action = solve.next()
            if case .finished(let slot) = action {
                return try outcome(of: solve, slot, settings)
            }
            if case .evaluate = action, isCancelled() {
                throw PipelineError(.cancelled, "the solve was cancelled")
            }
            if position < steps.count {
                try perform(steps[position], velocity)
                position += 1
            } else {
                try perform(action, velocity, &solve)
            }
        }
    }

    private func outcome(
        of solve: Solve, _ slot: Int, _ settings: SamplingSettings
    ) throws -> Outcome {
        if solve.outcome == .diverged {
            throw PipelineError(
                .diverged, "\(settings.solver): the velocity is not finite any more")
        }
        return Outcome(
            latents: slots[slot], evaluations: solve.evaluations, outcome: solve.outcome)
    }

    /// An action of a plan, ready to be carried out without allocating.
    private enum Step {
        case evaluate(inputs: [Operation], timeIndex: Int, output: Operation)
        case combine(Operation)
    }

    /// All actions of a solve on a fixed grid, ready to run.
    private func prepared(_ solve: Solve, _ velocity: VelocityEvaluator) -> [Step] {
        var solve = solve
        var steps: [Step] = []
        while true {
            switch solve.next() {
            case .evaluate(let step):
                steps.append(
                    .evaluate(
                        inputs: velocity.inputs(from: slots[step.input], at: step.time),
                        timeIndex: step.timeIndex ?? 0,
                        output: velocity.output(
                            of: slots[step.input], at: step.time, to: slots[step.output])))
            case .combine(let step): steps.append(.combine(combination(step)))
            case .estimateError, .finished: return steps
            }
        }
    }

    private func perform(_ step: Step, _ velocity: VelocityEvaluator) throws {
        switch step {
        case .evaluate(let inputs, let timeIndex, let output):
            try velocity.evaluate(inputs: inputs, timeIndex: timeIndex, output: output)
        case .combine(let operation): try operation.run(on: compute)
        }
    }

    /// Carries out an action of a solve that chooses its steps.
    private func perform(
        _ action: SolverAction, _ velocity: VelocityEvaluator, _ solve: inout Solve
    ) throws {
        switch action {
        case .evaluate(let step):
            try velocity(slots[step.input], at: step.time, into: slots[step.output])
        case .combine(let step): try combination(step).run(on: compute)
        case .estimateError(let estimate):
            solve.answer(error: try compute.error(estimate, in: slots))
        case .finished: break
        }
    }

    private func combination(_ step: SolverAction.Combination) -> Operation {
        .combine(
            step.terms.map { (Float($0.coefficient), slots[$0.slot]) }, into: slots[step.output])
    }

    private func reserve(_ count: Int, _ shape: [Int]) throws {
        if slots.first.map({ $0.shape != shape }) ?? true { slots = [] }
        while slots.count < count { slots.append(try compute.persistent(shape, .f32)) }
    }
}
