import PosedBackend
package import PosedTensor

/// Rows for batches that change from one evaluation to the next.
///
/// A batch is a run of rows about the middle of one piece of memory: conditioned rows lie below it, rows
/// of guidance's empty branch above. So a batch may grow and shrink at both ends while every row
/// keeps its place and what is loaded there, and all batches share the same memory. The memory grows with
/// the largest batch so far. Each form of a batch is captured when it first occurs.
package final class VelocityBank {
    /// A row's place, counted from the middle.
    package enum Row: Hashable, Sendable {
        /// Takes a condition.
        case conditioned(Int)
        /// Of guidance's empty branch.
        case empty(Int)
    }

    /// The form of a batch, which decides the graph that is captured.
    private struct Form: Hashable {
        /// For each conditioned row, the tokens of its reference.
        let referenceTokens: [Int]
        let empty: Int
    }

    /// How many forms stay captured.
    private static let formLimit = 64

    package let latentSize: LatentSize
    /// Rows at most that take conditions.
    package let conditionedRows: Int
    /// Rows at most of the empty branch.
    package let emptyRows: Int
    private let model: any VelocityModel
    private let compute: Compute
    private let empty: RowCondition
    /// Rows that there is memory for.
    private var allocated = (conditioned: 0, empty: 0)
    private var slots: VelocitySlots
    /// The memory of the conditioned rows' references, as large as the largest so far; from the middle.
    private var storages: [Tensor?]
    /// The references that are loaded there.
    private var references: [Tensor?]
    private var graphs: [(form: Form, graph: CapturedGraph)] = []

    /// A bank without rows: `reserve` makes them, and memory for a reference comes with the first that is
    /// loaded into a row.
    ///
    /// - Parameter empty: The condition of guidance's empty branch.
    /// - Throws: `BackendError` when the device has no room.
    package init(
        _ model: any VelocityModel, empty: RowCondition, conditionedRows: Int, emptyRows: Int,
        on compute: Compute
    ) throws {
        self.model = model
        self.compute = compute
        self.empty = empty
        latentSize = empty.latentSize
        self.conditionedRows = conditionedRows
        self.emptyRows = emptyRows
        slots = try VelocitySlots(model.form, rows: 0, latentSize, on: compute)
        storages = Array(repeating: nil, count: conditionedRows)
        references = Array(repeating: nil, count: conditionedRows)
    }

    /// Takes the memory of so many rows, where there is not that much yet. Loaded conditions stay loaded.
    ///
    /// - Throws: `BackendError` when the device has no room; then nothing has changed.
    package func reserve(conditioned: Int, empty: Int) throws {
        precondition(conditioned <= conditionedRows && empty <= emptyRows)
        let before = allocated
        guard conditioned > before.conditioned || empty > before.empty else { return }
        func grown(_ now: Int, _ wanted: Int, _ most: Int) -> Int {
            wanted <= now ? now : max(wanted, min(most, 2 * now))
        }
        let after = (
            conditioned: grown(before.conditioned, conditioned, conditionedRows),
            empty: grown(before.empty, empty, emptyRows)
        )
        let larger = try VelocitySlots(
            model.form, rows: after.conditioned + after.empty, latentSize, on: compute)
        let first = after.conditioned - before.conditioned
        if before != (0, 0) {
            let kept = first..<first + before.conditioned + before.empty
            try compute.copy(slots.bases, to: larger.bases.sliced(axis: 0, kept))
        }
        for row in before.empty..<after.empty {
            try compute.copy(self.empty.base, to: larger.bases[after.conditioned + row])
        }
        try compute.synchronize()
        graphs = []
        slots = larger
        allocated = after
    }

    /// Forms that are captured at the moment.
    package var capturedForms: Int { graphs.count }

    /// The network's input for a row, [1, h, w, C] float32.
    package func z(_ row: Row) -> Tensor { slice(slots.z, row) }

    /// The network's output for a row, [1, h, w, C] float32.
    package func output(_ row: Row) -> Tensor { slice(slots.output, row) }

    /// A row's modulation vector, float32: to be set for each evaluation.
    package func modulation(_ row: Row) -> Tensor { slots.modulation[index(row)] }

    /// Puts a condition into a conditioned row that there is memory for, for all evaluations until the next.
    ///
    /// - Throws: `BackendError` when the condition does not have the bank's form, or there is no room for
    ///   its reference.
    package func load(_ condition: RowCondition, row: Int) throws {
        try compute.copy(condition.base, to: slots.bases[index(.conditioned(row))])
        references[row] = nil
        guard let kept = condition.reference else { return }
        let view = try storage(of: kept, row: row)
        try compute.copy(kept, to: view)
        references[row] = view
    }

    /// Runs the network on the rows next to the middle: so many conditioned ones, so many of the
    /// empty branch.
    ///
    /// - Throws: `BackendError` when the device fails.
    package func evaluate(conditioned: Int, empty: Int) throws {
        precondition(conditioned <= allocated.conditioned && empty <= allocated.empty)
        let form = Form(
            referenceTokens: references[..<conditioned].map { $0?.shape[2] ?? 0 }, empty: empty)
        try compute.launch(try graph(form))
    }

    /// The velocities of states, each at a time and under a condition of its own, without guidance. The
    /// conditions take the rows next to the middle.
    ///
    /// - Parameter states: [B, h, w, C] float32.
    /// - Returns: [B, h, w, C] float32, scratch memory.
    /// - Throws: `BackendError` when the device fails, or a condition does not have the bank's form.
    package func velocities(
        of states: Tensor, at times: [Double], _ conditions: [RowCondition]
    ) throws -> Tensor {
        precondition(states.shape[0] == times.count && times.count == conditions.count)
        func state(_ row: Int) -> Tensor { states.sliced(axis: 0, row..<row + 1) }
        try reserve(conditioned: times.count, empty: 0)
        for (row, (time, condition)) in zip(times, conditions).enumerated() {
            try load(condition, row: row)
            let vectors = try model.modulations(
                times: [time], of: [condition.vector], on: compute)
            try compute.copy(vectors[0], to: modulation(.conditioned(row)))
            try model.link(at: time).feed(state(row), to: z(.conditioned(row))).run(on: compute)
        }
        try evaluate(conditioned: times.count, empty: 0)
        let velocities = try compute.scratch(states.shape, .f32)
        for (row, time) in times.enumerated() {
            try model.link(at: time).collect(
                output(.conditioned(row)), plain: nil, guidance: 1, of: state(row),
                into: velocities.sliced(axis: 0, row..<row + 1)
            ).run(on: compute)
        }
        return velocities
    }

    private func graph(_ form: Form) throws -> CapturedGraph {
        if let index = graphs.firstIndex(where: { $0.form == form }) {
            let known = graphs.remove(at: index)
            graphs.append(known)
            return known.graph
        }
        if graphs.count >= Self.formLimit { graphs.removeFirst() }
        let conditioned = form.referenceTokens.count
        let middle = allocated.conditioned
        let range = middle - conditioned..<middle + form.empty
        let batch = VelocitySlots(
            z: slots.z.sliced(axis: 0, range), output: slots.output.sliced(axis: 0, range),
            bases: slots.bases.sliced(axis: 0, range),
            modulation: slots.modulation.sliced(axis: 0, range),
            references: references[..<conditioned].reversed()
                + Array(repeating: nil, count: form.empty))
        let graph = try compute.capture { try model.evaluate(batch, on: compute) }
        graphs.append((form, graph))
        return graph
    }

    /// A view of a row's memory of the shape of `kept`, [depth, 2, tokens, D]. Where it must grow, the
    /// graphs that know the old one are forgotten.
    private func storage(of kept: Tensor, row: Int) throws -> Tensor {
        if let storage = storages[row], storage.count >= kept.count {
            return Tensor(storage: storage.storage, dtype: kept.dtype, shape: kept.shape)
        }
        graphs.removeAll { $0.form.referenceTokens.count > row }
        storages[row] = nil
        let made = try compute.persistent(kept.shape, kept.dtype)
        storages[row] = made
        return made
    }

    private func index(_ row: Row) -> Int {
        switch row {
        case .conditioned(let place): allocated.conditioned - 1 - place
        case .empty(let place): allocated.conditioned + place
        }
    }

    private func slice(_ tensor: Tensor, _ row: Row) -> Tensor {
        tensor.sliced(axis: 0, index(row)..<index(row) + 1)
    }
}

/// The inputs and outputs of an evaluation of a velocity model, one slot for each row.
package struct VelocitySlots {
    /// The network's input, [B, h, w, C] float32.
    package let z: Tensor
    /// The network's output, [B, h, w, C] float32.
    package let output: Tensor
    /// All of the input embedding but z's part, [B, N, D] float32.
    package let bases: Tensor
    /// Modulation vectors, [B, …] float32.
    package let modulation: Tensor
    /// Keys and values of the rows' sources, [depth, 2, tokens, D] each; nil for none.
    package let references: [Tensor?]
}

extension VelocitySlots {
    /// Allocates the slots of a batch, in memory of their own; without references.
    ///
    /// - Throws: `BackendError` when the device has no room.
    init(_ form: VelocityForm, rows: Int, _ size: LatentSize, on compute: Compute) throws {
        let latent = [rows, size.height, size.width, form.channels]
        z = try compute.persistent(latent, .f32)
        output = try compute.persistent(latent, .f32)
        bases = try compute.persistent([rows, form.tokens(size), form.hiddenSize], .f32)
        modulation = try compute.persistent([rows, form.modulationSize], .f32)
        references = Array(repeating: nil, count: rows)
    }
}
