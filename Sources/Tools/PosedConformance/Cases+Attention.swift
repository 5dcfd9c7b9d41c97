import CPosedBackend
import PosedBackend

/// What one case of `attention` tries.
private struct AttentionTrial {
    /// B, Tq, Tk, H, d.
    var sizes: [Int]
    var form = Form.dense
    /// The number of cached keys of each row; 0 for a row without. Empty: no cache at all.
    var cached: [Int] = []
    /// The standard deviation of q and k.
    var spread: Float = 1
    var bias = Bias.none

    enum Bias: String {
        case none
        case dense
        /// A part of a larger array, as one block's of many.
        case slice
        /// One for all heads.
        case shared
    }

    enum Form: String {
        case dense
        /// q, k and v are slices of one projection [B, T, 3, H, d].
        case slices
        /// Heads outside tokens in memory, [B, H, T, d].
        case headsFirst = "heads first"
        /// All rows share k and v.
        case sharedKeys = "shared keys"
        /// All rows share q.
        case sharedQueries = "shared queries"
    }
}

extension ConformanceSuite {
    static var attentionCases: [ConformanceCase] {
        let plain = [
            [1, 1, 1, 1, 32], [1, 257, 257, 2, 64], [2, 33, 33, 3, 72], [1, 64, 64, 1, 128],
            [1, 16, 16, 1, 512], [2, 5, 77, 4, 32], [3, 1, 100, 6, 64], [1, 65, 1, 2, 64],
            [1, 256, 256, 4, 64], [1, 7, 9, 2, 40], [2, 19, 70, 3, 16], [1, 66, 40, 2, 96],
            [1, 20, 70, 1, 112], [2, 35, 50, 1, 200], [1, 21, 40, 1, 250], [1, 70, 75, 1, 512],
        ].map { AttentionTrial(sizes: $0) }
        let forms = [AttentionTrial.Form.slices, .headsFirst, .sharedKeys, .sharedQueries].flatMap {
            [
                AttentionTrial(sizes: [2, 33, 33, 3, 64], form: $0),
                AttentionTrial(sizes: [3, 17, 17, 2, 32], form: $0, cached: [5, 0, 33]),
            ]
        }
        let caches = [
            AttentionTrial(sizes: [1, 16, 16, 2, 64], cached: [16]),
            AttentionTrial(sizes: [3, 31, 31, 2, 64], cached: [64, 64, 64]),
            AttentionTrial(sizes: [4, 20, 20, 2, 72], cached: [0, 7, 0, 300]),
            AttentionTrial(sizes: [2, 9, 9, 1, 32], cached: [0, 0]),
            AttentionTrial(sizes: [2, 17, 20, 1, 256], cached: [0, 50]),
            AttentionTrial(sizes: [2, 33, 20, 1, 512], cached: [40, 0]),
        ]
        let steep = [
            AttentionTrial(sizes: [1, 40, 40, 2, 64], spread: 3),
            AttentionTrial(sizes: [2, 12, 12, 1, 32], cached: [20, 0], spread: 3),
        ]
        let biased = [
            AttentionTrial(sizes: [1, 1, 1, 1, 32], bias: .dense),
            AttentionTrial(sizes: [2, 256, 256, 3, 64], bias: .dense),
            AttentionTrial(sizes: [3, 33, 77, 2, 72], bias: .slice),
            AttentionTrial(sizes: [1, 70, 600, 2, 40], bias: .shared),
            AttentionTrial(sizes: [2, 65, 50, 2, 200], bias: .slice),
            AttentionTrial(sizes: [1, 19, 40, 1, 512], bias: .dense),
            AttentionTrial(sizes: [3, 31, 31, 2, 64], cached: [0, 7, 300], bias: .dense),
            AttentionTrial(sizes: [2, 17, 20, 1, 256], cached: [0, 50], bias: .dense),
            AttentionTrial(sizes: [2, 33, 33, 3, 64], form: .slices, bias: .slice),
        ]
        return DType.floats.flatMap { type in
            (plain + forms + caches + steep + biased).map { attentionCase($0, type) }
        }
    }

    private static func attentionCase(
        _ trial: AttentionTrial, _ type: DType
    ) -> ConformanceCase {
        let shape = zip(["b", "q", "k", "h", "d"], trial.sizes).map { "\($0)\($1)" }
        var name = "attention \(type) \(shape.joined(separator: " ")), \(trial.form.rawValue)"
        if !trial.cached.isEmpty { name += ", cached \(trial.cached)" }
        if trial.spread != 1 { name += ", steep" }
        let isBiased = trial.bias != .none
        if isBiased { name += ", bias \(trial.bias.rawValue)" }
        let seed = name
        return ConformanceCase(
            name, tolerance: type.tolerance * (trial.spread > 1 ? 4 : 1),
            query: posed_op_query(
                POSED_OP_ATTENTION, x: type, y: type, compute: type,
                sizes: [trial.sizes[3], trial.sizes[4], isBiased ? 1 : 0]),
            compute: type, minor: isBiased ? 1 : 0
        ) { bench in
            try AttentionRun(trial: trial, type: type, name: seed).deviation(bench)
        }
    }
}

/// The data of one case of `attention`, and its run.
private struct AttentionRun {
    var trial: AttentionTrial
    var type: DType
    var name: String

    private var b: Int { trial.sizes[0] }
    private var heads: Int { trial.sizes[3] }
    private var size: Int { trial.sizes[4] }

    func deviation(_ bench: Bench) throws -> Double {
        var noise = Noise(name)
        let row = heads * size
        let (tq, tk) = (trial.sizes[1], trial.sizes[2])
        var q = noise.normal(b * tq * row, type, deviation: trial.spread)
        var k = noise.normal(b * tk * row, type, deviation: trial.spread)
        var v = noise.normal(b * tk * row, type)
        if trial.form == .sharedQueries { q = repeated(q, b) }
        if trial.form == .sharedKeys { (k, v) = (repeated(k, b), repeated(v, b)) }

        var desc = posed_attention_desc()
        desc.scale = 1 / Float(size).squareRoot()
        desc.q = try bench.tensor(q, layout(tq, slice: 0), type).view
        desc.k = try bench.tensor(k, layout(tk, slice: 1), type).view
        desc.v = try bench.tensor(v, layout(tk, slice: 2), type).view
        let form = trial.form == .headsFirst ? layout(tq, slice: 0) : .dense([b, tq, heads, size])
        let result = try bench.output(form, type)
        desc.y = result.view
        let bias = try bias(&noise, bench)
        if let view = bias.view { desc.bias = view }

        var (cached, parts): ([posed_kv], [Reference.KeysAndValues?]) = ([], [])
        for tokens in trial.cached {
            let part = try cache(tokens, &noise, bench)
            cached.append(part.0)
            parts.append(part.1)
        }
        try bench.run(.attention(desc, cached: cached))
        let y = try bench.read(result)
        let reference = (0..<b).flatMap { row -> [Double] in
            let (first, last) = (row * k.count / b, (row + 1) * k.count / b)
            let own = Reference.KeysAndValues(
                tokens: tk, k: Array(k[first..<last]), v: Array(v[first..<last]))
            let more = row < parts.count ? parts[row].map { [$0] } ?? [] : []
            return Reference.attention(
                q: Array(q[row * q.count / b..<(row + 1) * q.count / b]), heads: heads, size: size,
                scale: desc.scale, parts: [own] + more, bias: bias.values)
        }
        return Deviation.of(y, reference)
    }

    /// The bias's values `[H, Tq, Tk]` and its view; none of either without.
    private func bias(
        _ noise: inout Noise, _ bench: Bench
    ) throws -> (values: [Float], view: posed_tensor?) {
        guard trial.bias != .none else { return ([], nil) }
        let shape = [heads, trial.sizes[1], trial.sizes[2]]
        let count = shape.reduce(1, *)
        var values = noise.normal(count, .f32, deviation: 2)
        var layout = Layout.dense(shape)
        switch trial.bias {
        case .slice:
            layout = Layout(
                shape: shape, strides: [(shape[1] + 1) * (shape[2] + 5), shape[2] + 5, 1],
                offset: 3)
        case .shared:
            values = repeated(values, heads)
            layout = layout.broadcast(along: 0)
        case .none, .dense: break
        }
        return (values, try bench.tensor(values, layout, .f32).view)
    }

    private func layout(_ tokens: Int, slice: Int) -> Layout {
        let (shape, row) = ([b, tokens, heads, size], heads * size)
        switch trial.form {
        case .dense: return .dense(shape)
        case .slices:
            return Layout(
                shape: shape, strides: [tokens * 3 * row, 3 * row, size, 1], offset: slice * row)
        case .headsFirst: return .stored(shape, order: [0, 2, 1, 3])
        case .sharedKeys: return slice == 0 ? .dense(shape) : .dense(shape).broadcast(along: 0)
        case .sharedQueries: return slice == 0 ? .dense(shape).broadcast(along: 0) : .dense(shape)
        }
    }

    /// Cached keys and values as slices of one `[T, 2, H, d]` array each.
    private func cache(
        _ tokens: Int, _ noise: inout Noise, _ bench: Bench
    ) throws -> (posed_kv, Reference.KeysAndValues?) {
        guard tokens > 0 else { return (posed_kv(), nil) }
        let row = heads * size
        let k = noise.normal(tokens * row, type, deviation: trial.spread)
        let v = noise.normal(tokens * row, type)
        let layout = Layout(
            shape: [tokens, heads, size], strides: [2 * row, size, 1], offset: row)
        var entry = posed_kv()
        entry.k = try bench.tensor(k, layout, type).view
        entry.v = try bench.tensor(v, layout, type).view
        return (entry, Reference.KeysAndValues(tokens: tokens, k: k, v: v))
    }
}
