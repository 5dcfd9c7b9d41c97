import CPosedBackend
import PosedBackend

/// What one case of `linear` tries.
private struct LinearTrial {
    /// B, T, K, N.
    var sizes: [Int]
    var activation = POSED_ACT_NONE
    var bias = true
    var gate = Extra.none
    var residual = Extra.none
    /// The residual is y itself.
    var inPlace = false
    /// x and y are views into wider arrays.
    var gapped = false
    /// x and y lack the first token of wider arrays.
    var headless = false
    /// All rows of the batch read one x.
    var sharedInput = false
    /// All tokens of all rows read one x.
    var oneToken = false
    var note = ""

    enum Extra { case none, own, broadcast, float32 }
}

extension ConformanceSuite {
    static var linearCases: [ConformanceCase] {
        let shapes = [
            [1, 1, 1, 1], [1, 1, 384, 1536], [2, 7, 33, 5], [1, 257, 384, 64], [3, 16, 48, 1],
            [1, 257, 72, 129], [2, 64, 128, 96], [5, 3, 100, 17], [8, 1, 384, 768], [1, 40, 1, 33],
            [2, 31, 65, 31], [1, 257, 384, 384],
        ].map { LinearTrial(sizes: $0) }
        let (small, odd) = ([2, 33, 64, 48], [3, 5, 37, 13])
        let options = [small, odd].flatMap { sizes in
            [
                LinearTrial(sizes: sizes, bias: false, note: "no bias"),
                LinearTrial(sizes: sizes, activation: POSED_ACT_RELU, note: "relu"),
                LinearTrial(sizes: sizes, activation: POSED_ACT_SILU, note: "silu"),
                LinearTrial(sizes: sizes, activation: POSED_ACT_GELU_TANH, note: "gelu tanh"),
                LinearTrial(sizes: sizes, activation: POSED_ACT_GELU_ERF, note: "gelu erf"),
                LinearTrial(sizes: sizes, activation: POSED_ACT_TANH, note: "tanh"),
                LinearTrial(sizes: sizes, gate: .own, note: "gate"),
                LinearTrial(sizes: sizes, gate: .broadcast, note: "one gate"),
                LinearTrial(sizes: sizes, residual: .own, note: "residual"),
                LinearTrial(sizes: sizes, residual: .broadcast, note: "one residual"),
                LinearTrial(sizes: sizes, residual: .own, inPlace: true, note: "residual is y"),
                LinearTrial(
                    sizes: sizes, gate: .own, residual: .own, inPlace: true,
                    note: "gate, residual is y"),
                LinearTrial(
                    sizes: sizes, gate: .own, residual: .float32, note: "gate, f32 residual"),
                LinearTrial(sizes: sizes, gapped: true, note: "views"),
                LinearTrial(sizes: sizes, headless: true, note: "without the first token"),
                LinearTrial(
                    sizes: sizes, activation: POSED_ACT_SILU, bias: false, gate: .broadcast,
                    residual: .own, inPlace: true, gapped: true, note: "everything, views"),
                LinearTrial(sizes: sizes, sharedInput: true, note: "one x"),
                LinearTrial(sizes: sizes, oneToken: true, note: "one token of x"),
            ]
        }
        let trials: [LinearTrial] = shapes + options + linearRows
        return (DType.floats + [.i8]).flatMap { compute in
            typePairs(compute).flatMap { types in
                trials.map { linearCase($0, types.x, types.y, compute) }
            }
                + [DType.f32, .f16, .bf16].filter { $0 != compute }.map {
                    linearCase(LinearTrial(sizes: small), .f32, .f32, compute, given: $0)
                }
        }
    }

    /// One token of each member of the batch, which a backend may take for the rows of one matrix.
    private static var linearRows: [LinearTrial] {
        let sizes = [4, 1, 64, 48]
        return [
            LinearTrial(sizes: sizes, residual: .own, note: "residual"),
            LinearTrial(sizes: sizes, residual: .broadcast, note: "one residual"),
            LinearTrial(sizes: sizes, sharedInput: true, note: "one x"),
            LinearTrial(
                sizes: sizes, residual: .broadcast, sharedInput: true,
                note: "one x, one residual"),
            LinearTrial(sizes: sizes, gapped: true, note: "views"),
            LinearTrial(sizes: sizes, headless: true, note: "without the first token"),
        ]
    }

    /// The types of x and y that go with a compute type.
    static func typePairs(_ compute: DType) -> [(x: DType, y: DType)] {
        guard compute != .f32 else { return [(.f32, .f32)] }
        let own = compute.carrier
        return [(own, own), (own, .f32), (.f32, own), (.f32, .f32)]
    }

    private static func linearCase(
        _ trial: LinearTrial, _ x: DType, _ y: DType, _ compute: DType,
        given: DType? = nil
    ) -> ConformanceCase {
        let shape = zip("btkn", trial.sizes).map { "\($0)\($1)" }.joined(separator: " ")
        let from = given.map { " from \($0)" } ?? ""
        let name = "linear \(x)·\(compute)\(from)→\(y) \(shape)"
        return ConformanceCase(
            trial.note.isEmpty ? name : "\(name), \(trial.note)",
            tolerance: max(x.tolerance, y.tolerance, compute.tolerance),
            query: posed_op_query(
                POSED_OP_LINEAR, x: x, y: y, compute: compute,
                sizes: [trial.sizes[2], trial.sizes[3]]),
            compute: compute
        ) { bench in
            try LinearRun(
                trial: trial, x: x, y: y, compute: compute, given: given ?? compute.carrier,
                name: name
            ).deviation(bench)
        }
    }
}

/// The data of one case of `linear`, and its run.
private struct LinearRun {
    var trial: LinearTrial
    var x: DType, y: DType, compute: DType, given: DType
    var name: String

    func deviation(_ bench: Bench) throws -> Double {
        var operands = operands()
        let (b, t) = (operands.batch, operands.tokens)
        let shape = [b, t, operands.outputs]
        var desc = posed_linear_desc()
        desc.activation = trial.activation.rawValue
        desc.weight = try bench.linearWeight(
            operands.weight, out: operands.outputs, in: operands.inputs, bias: operands.bias,
            type: given, compute: compute
        ).handle
        let inputs = [b, t, operands.inputs]
        var inLayout = layout(inputs, gap: 5, offset: 3)
        if trial.sharedInput || trial.oneToken { inLayout = inLayout.broadcast(along: 0) }
        if trial.oneToken { inLayout = inLayout.broadcast(along: 1) }
        let outLayout = layout(shape, gap: 3, offset: 7)
        desc.x = try bench.tensor(operands.x, inLayout, x).view
        if let gate = operands.gate {
            let layout = Layout.dense([b, operands.outputs])
            let shared = trial.gate == .broadcast
            desc.gate = try bench.tensor(gate, shared ? layout.broadcast(along: 0) : layout).view
        }
        let result = try bench.output(outLayout, y)
        if let residual = operands.residual {
            if trial.inPlace {
                try bench.write(residual, to: result)
                desc.residual = result.view
            } else {
                let shared = trial.residual == .broadcast
                let layout = Layout.dense(shape)
                desc.residual =
                    try bench.tensor(
                        residual, shared ? layout.broadcast(along: 0) : layout, residualType
                    ).view
            }
        }
        desc.y = result.view
        try bench.run(.linear(desc))
        operands.x = operands.x.map(compute.round)
        return Deviation.of(try bench.read(result), Reference.linear(operands))
    }

    private func layout(_ shape: [Int], gap: Int, offset: Int) -> Layout {
        if trial.headless { return .headless(shape) }
        return trial.gapped ? .gapped(shape, gap: gap, offset: offset) : .dense(shape)
    }

    private var residualType: DType { trial.residual == .float32 ? .f32 : y }

    private func operands() -> Reference.Linear {
        var noise = Noise(name)
        let (b, t, k, n) = (trial.sizes[0], trial.sizes[1], trial.sizes[2], trial.sizes[3])
        var operands = Reference.Linear(
            batch: b, tokens: t, inputs: k, outputs: n, x: noise.normal(b * t * k, x),
            weight: noise.normal(n * k, given, deviation: 1 / Float(k).squareRoot())
                .map(compute.round))
        operands.activation = trial.activation
        if trial.bias { operands.bias = noise.normal(n) }
        if trial.gate != .none { operands.gate = noise.normal(b * n) }
        if trial.residual != .none { operands.residual = noise.normal(b * t * n, residualType) }
        if trial.sharedInput { operands.x = repeated(operands.x, b) }
        if trial.oneToken { operands.x = repeated(operands.x, b * t) }
        if trial.gate == .broadcast { operands.gate = operands.gate.map { repeated($0, b) } }
        if trial.residual == .broadcast {
            operands.residual = operands.residual.map { repeated($0, b) }
        }
        return operands
    }
}

/// The first of `count` equal parts of `values`, `count` times.
func repeated(_ values: [Float], _ count: Int) -> [Float] {
    let part = values.prefix(values.count / count)
    return (0..<count).flatMap { _ in part }
}
