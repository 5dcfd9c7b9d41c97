import PosedBackend
package import PosedModels
package import PosedSolvers
package import PosedTensor

/// The solve loop: solves with solvers, steps and guidance of their own that begin and end at their own
/// times and evaluate the velocity together. One stream, one latent size, one thread.
///
/// The result of a solve does not depend on the other solves of a batch, as far as the device keeps a row's
/// bits whatever the batch (`docs/numerics.md`): everything else is computed for each solve by itself.
package final class BatchSolver {
    /// The start of a solve that does not begin at noise.
    package struct WarmStart {
        /// The time on the path, 0 to 1, both excluded.
        package var time: Double
        /// The latent at the end of an earlier path, [1, h, w, C] float32.
        package var latent: Tensor

        /// As given.
        package init(time: Double, latent: Tensor) {
            self.time = time
            self.latent = latent
        }
    }

    /// The number of time grids whose modulation vectors of the empty branch are kept.
    private static let gridLimit = 8

    private let model: any VelocityModel
    private let compute: Compute
    private let bank: VelocityBank
    /// The condition of guidance's empty branch.
    private let empty: RowCondition
    /// The solve whose condition each conditioned row holds.
    private var occupants: [BatchedSolve?]
    private var emptyByGrid: [(times: [Double], vectors: Tensor)] = []

    /// A solver whose batches have at most so many rows. Memory for rows comes with the batches that need
    /// them, or with `reserve`.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package init(
        _ model: any VelocityModel, _ latentSize: LatentSize, rows: Int,
        on compute: Compute
    ) throws {
        self.model = model
        self.compute = compute
        let rows = max(rows, 2)
        empty = try model.emptyCondition(latentSize, on: compute)
        bank = try VelocityBank(
            model, empty: empty, conditionedRows: rows, emptyRows: rows / 2, on: compute)
        occupants = Array(repeating: nil, count: rows)
    }

    /// Rows of a batch at most.
    package var batchRows: Int { bank.conditionedRows }

    /// Forms of batches that are captured.
    package var capturedForms: Int { bank.capturedForms }

    /// Takes the memory of the largest batches at once.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func reserve() throws {
        try bank.reserve(conditioned: bank.conditionedRows, empty: bank.emptyRows)
    }

    /// Begins a solve: computes all that does not change from step to step.
    ///
    /// - Parameters:
    ///   - noise: Values of deviation 1 as the specification orders them, [C, h, w]; nil draws them from the
    ///     settings' seed.
    ///   - warmStart: The start, if it is not noise.
    /// - Throws: `SolverError` or `PipelineError` for impossible settings, `BackendError` when the device
    ///   fails.
    package func begin(
        _ condition: RowCondition, _ settings: SamplingSettings, _ tableau: ButcherTableau,
        noise: [Float]? = nil, warmStart: WarmStart? = nil
    ) throws -> BatchedSolve {
        try settings.validate()
        let run = try SamplingRun(
            tableau, settings, origin: model.form.start, from: warmStart?.time ?? 0)
        let size = bank.latentSize
        let shape = [1, size.height, size.width, model.form.channels]
        let slots = try (0..<run.solve.slotCount).map { _ in try compute.scratch(shape, .f32) }
        let noise = Self.channelsLast(
            noise ?? GaussianNoise.make(count: shape.reduce(1, *), seed: settings.seed),
            channels: model.form.channels)
        if let warmStart, warmStart.time > model.form.start {
            try compute.upload(noise, to: slots[0])
            let time = Float(warmStart.time)
            try compute.combine([(1 - time, slots[0]), (time, warmStart.latent)], into: slots[0])
        } else {
            try compute.upload(model.initialState(of: noise, at: run.start), to: slots[0])
        }
        let isKnown = !run.times.isEmpty
        let solve = BatchedSolve(
            condition: condition, solver: tableau.name, guidance: settings.guidance,
            start: warmStart?.time ?? 0, run, slots: slots,
            modulations: isKnown
                ? try model.modulations(times: run.times, of: [condition.vector], on: compute)
                : nil,
            emptyModulations: isKnown && settings.guidance != 1
                ? try emptyModulations(run.times) : nil)
        try advance(solve)
        return solve
    }

    /// Makes one evaluation of each of these solves, together, and takes each to its next. The device has
    /// finished when this returns.
    ///
    /// - Returns: For each solve, the error that is its own, or nil.
    /// - Throws: `BackendError` when the evaluation failed as a whole; then no solve has moved.
    package func evaluate(_ solves: [BatchedSolve]) throws -> [(any Error)?] {
        try run(solves)
        try compute.synchronize()
        return solves.map { solve in
            do {
                try advance(solve)
                return nil
            } catch {
                return error
            }
        }
    }

    /// Takes solves to their ends, together, and forgets them. Their latents stay theirs. The device may
    /// still be computing when this returns.
    ///
    /// - Parameter isCancelled: Asked before every evaluation.
    /// - Throws: `PipelineError` for a cancelled or a diverged solve; `BackendError` when the device fails.
    package func finish(_ solves: [BatchedSolve], isCancelled: () -> Bool = { false }) throws {
        defer { solves.forEach(end) }
        while true {
            let unfinished = solves.filter { !$0.isFinished }
            if unfinished.isEmpty { return }
            if isCancelled() { throw PipelineError(.cancelled, "the solve was cancelled") }
            try run(unfinished)
            try unfinished.forEach(advance)
        }
    }

    /// Submits one evaluation of each of these solves.
    private func run(_ solves: [BatchedSolve]) throws {
        try bank.reserve(
            conditioned: solves.count, empty: solves.count { $0.guidance != 1 })
        try place(solves)
        var empty = 0
        var rows: [(solve: BatchedSolve, conditioned: VelocityBank.Row, empty: VelocityBank.Row?)] =
            []
        for (place, solve) in occupants.prefix(solves.count).enumerated() {
            guard let solve else { continue }
            let isGuided = solve.guidance != 1
            rows.append((solve, .conditioned(place), isGuided ? .empty(empty) : nil))
            empty += isGuided ? 1 : 0
        }
        for row in rows { try feed(row.solve, row.conditioned, row.empty) }
        try bank.evaluate(conditioned: solves.count, empty: empty)
        for row in rows { try collect(row.solve, row.conditioned, row.empty) }
    }

    /// Forgets a solve that ended, or was given up.
    package func end(_ solve: BatchedSolve) {
        for row in occupants.indices where occupants[row] === solve { occupants[row] = nil }
    }

    /// Loads these solves' conditions into the rows next to the middle. Those that lie there already stay.
    private func place(_ solves: [BatchedSolve]) throws {
        precondition(solves.count <= occupants.count)
        let wanted = Set(solves.map(ObjectIdentifier.init))
        var settled: Set<ObjectIdentifier> = []
        var free: [Int] = []
        for row in 0..<solves.count {
            if let occupant = occupants[row], wanted.contains(ObjectIdentifier(occupant)) {
                settled.insert(ObjectIdentifier(occupant))
            } else {
                free.append(row)
            }
        }
        for solve in solves where !settled.contains(ObjectIdentifier(solve)) {
            let row = free.removeFirst()
            end(solve)
            occupants[row] = nil
            try bank.load(solve.condition, row: row)
            occupants[row] = solve
        }
    }

    private func feed(
        _ solve: BatchedSolve, _ conditioned: VelocityBank.Row, _ empty: VelocityBank.Row?
    ) throws {
        guard let evaluation = solve.pending else { return }
        let z = solve.slots[evaluation.input]
        let link = model.link(at: evaluation.time)
        try link.feed(z, to: bank.z(conditioned)).run(on: compute)
        try compute.copy(
            try modulation(solve.modulations, evaluation, of: solve.condition.vector),
            to: bank.modulation(conditioned))
        guard let empty else { return }
        try link.feed(z, to: bank.z(empty)).run(on: compute)
        try compute.copy(
            try modulation(solve.emptyModulations, evaluation, of: self.empty.vector),
            to: bank.modulation(empty))
    }

    /// The modulation vectors of an evaluation: those computed beforehand, or computed now.
    private func modulation(
        _ known: Tensor?, _ evaluation: SolverAction.Evaluation, of vector: Tensor
    ) throws -> Tensor {
        if let known, let index = evaluation.timeIndex { return known[index] }
        return try model.modulations(times: [evaluation.time], of: [vector], on: compute)[0]
    }

    private func collect(
        _ solve: BatchedSolve, _ conditioned: VelocityBank.Row, _ empty: VelocityBank.Row?
    ) throws {
        guard let evaluation = solve.pending else { return }
        try model.link(at: evaluation.time).collect(
            bank.output(conditioned), plain: empty.map { bank.output($0) },
            guidance: solve.guidance, of: solve.slots[evaluation.input],
            into: solve.slots[evaluation.output]
        ).run(on: compute)
    }

    /// Carries out the actions of a solve up to its next evaluation.
    private func advance(_ solve: BatchedSolve) throws {
        solve.pending = nil
        while true {
            switch solve.solve.next() {
            case .evaluate(let evaluation):
                solve.pending = evaluation
                return
            case .combine(let step):
                try compute.combine(
                    step.terms.map { (Float($0.coefficient), solve.slots[$0.slot]) },
                    into: solve.slots[step.output])
            case .estimateError(let estimate):
                solve.solve.answer(error: try compute.error(estimate, in: solve.slots))
            case .finished(let slot):
                solve.result = slot
                if solve.outcome == .diverged {
                    throw PipelineError(
                        .diverged, "\(solve.solver): the velocity is not finite any more")
                }
                return
            }
        }
    }

    private func emptyModulations(_ times: [Double]) throws -> Tensor {
        if let index = emptyByGrid.firstIndex(where: { $0.times == times }) {
            let known = emptyByGrid.remove(at: index)
            emptyByGrid.append(known)
            return known.vectors
        }
        if emptyByGrid.count >= Self.gridLimit { emptyByGrid.removeFirst() }
        let made = try model.modulations(times: times, of: [empty.vector], on: compute)
        emptyByGrid.append((times, made))
        return made
    }

    /// [C, h, w] values as [h, w, C].
    private static func channelsLast(_ values: [Float], channels: Int) -> [Float] {
        let pixels = values.count / max(channels, 1)
        return [Float](unsafeUninitializedCapacity: values.count) { target, filled in
            for channel in 0..<channels {
                for pixel in 0..<pixels {
                    target[pixel * channels + channel] = values[channel * pixels + pixel]
                }
            }
            filled = values.count
        }
    }
}
