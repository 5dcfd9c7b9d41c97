package import PosedTensor

/// Rows for batches that change from one evaluation to the next.
///
/// A batch is a run of rows about the middle of one piece of memory: conditioned rows lie below it, rows
/// of guidance's empty branch above. So a batch may grow and shrink at both ends while every row
/// keeps its place and what is loaded there, and all batches share the same memory. Each form
/// of a batch is captured when it first occurs.
package final class VelocityBank {
    /// A row's place, counted from the middle.
    package enum Row: Hashable, Sendable {
        /// Takes a condition.
        case conditioned(Int)
        /// Of guidance's empty branch.
        case empty(Int)
    }

    /// What decides the form of a batch.
    private struct Form: Hashable {
        /// For each conditioned row, the tokens of its reference.
        let referenceTokens: [Int]
        let empty: Int
    }

    /// How many forms stay captured.
    private static let formLimit = 64

    package let latentSize: LatentSize
    /// Rows that take conditions.
    package let conditionedRows: Int
    /// Rows of the empty branch.
    package let emptyRows: Int
    private let model: any VelocityModel
    private let compute: Compute
    private let slots: VelocitySlots
    /// What the conditioned rows' references lie in, as large as the largest so far; from the middle.
    private var storages: [Tensor?]
    /// What is loaded there.
    private var references: [Tensor?]
    private var graphs: [(form: Form, graph: CapturedGraph)] = []

    /// Allocates the rows. Memory for references comes with the first that is loaded into a row.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package init(
        _ model: any VelocityModel, _ latentSize: LatentSize,
        conditionedRows: Int, emptyRows: Int, on compute: Compute
    ) throws {
        self.model = model
        self.compute = compute
        self.latentSize = latentSize
        self.conditionedRows = conditionedRows
        self.emptyRows = emptyRows
        let rows = conditionedRows + emptyRows
        slots = try VelocitySlots(
            model.form,
            VelocityPlan.Shape(
                latentSize: latentSize, referenceTokens: Array(repeating: 0, count: rows)),
            on: compute)
        storages = Array(repeating: nil, count: conditionedRows)
        references = Array(repeating: nil, count: conditionedRows)
        let empty = try model.emptyCondition(latentSize, on: compute)
        for row in 0..<emptyRows {
            try compute.copy(empty.base, to: slots.bases[conditionedRows + row])
        }
    }

    /// Forms that are captured at the moment.
    package var capturedForms: Int { graphs.count }

    /// The network's input for a row, [1, h, w, C] float32.
    package func z(_ row: Row) -> Tensor { slice(slots.z, row) }

    /// The network's output for a row, [1, h, w, C] float32.
    package func output(_ row: Row) -> Tensor { slice(slots.output, row) }

    /// A row's modulation vector, float32: to be set for each evaluation.
    package func modulation(_ row: Row) -> Tensor { slots.modulation[index(row)] }

    /// Puts a condition into a conditioned row, for all evaluations until the next.
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
        precondition((0...conditionedRows).contains(conditioned) && empty <= emptyRows)
        let form = Form(
            referenceTokens: references[..<conditioned].map { $0?.shape[2] ?? 0 }, empty: empty)
        try compute.launch(try graph(form))
    }

    private func graph(_ form: Form) throws -> CapturedGraph {
        if let index = graphs.firstIndex(where: { $0.form == form }) {
            let known = graphs.remove(at: index)
            graphs.append(known)
            return known.graph
        }
        if graphs.count >= Self.formLimit { graphs.removeFirst() }
        let conditioned = form.referenceTokens.count
        let range = conditionedRows - conditioned..<conditionedRows + form.empty
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
        case .conditioned(let place): conditionedRows - 1 - place
        case .empty(let place): conditionedRows + place
        }
    }

    private func slice(_ tensor: Tensor, _ row: Row) -> Tensor {
        tensor.sliced(axis: 0, index(row)..<index(row) + 1)
    }
}
