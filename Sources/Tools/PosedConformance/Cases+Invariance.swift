import CPosedBackend
import PosedBackend

extension ConformanceSuite {
    /// One row of a batch and its neighbours: what they hold must not matter.
    static var invarianceCases: [ConformanceCase] {
        DType.floats.flatMap { type in
            [
                rowCase("linear", type, [17, 64], linearRow),
                rowCase("linear of one token", type, [1, 96], linearRow),
                rowCase("conv2d", type, [6, 7, 16], convRow),
                rowCase("attention", type, [19, 2, 32], attentionRow),
                rowCase("group norm", type, [5, 4, 32], groupNormRow),
                rowCase("layer norm", type, [9, 65], layerNormRow),
                cacheCase(type),
            ]
        } + DType.floats.map(threadCase) + [
            rowCase("linear in i8", .bf16, [17, 64], eightBitRow, compute: .i8),
            rowCase("linear of one token in i8", .bf16, [1, 96], eightBitRow, compute: .i8),
        ]
    }

    /// Whether the neighbours have cached keys must not matter either.
    private static func cacheCase(_ type: DType) -> ConformanceCase {
        ConformanceCase("batch: a row's bits, neighbours' caches \(type)") { bench in
            guard bench.computes(type) else { throw Skip("does not compute in \(type)") }
            var noise = Noise("neighbours' caches")
            let shape = [3, 11, 2, 32]
            let values = try bench.tensor(noise.normal(3 * 11 * 64, type), shape, type).view
            let cached = try bench.tensor(noise.normal(9 * 64, type), [9, 2, 32], type).view
            let full = posed_kv(k: cached, v: cached)
            func run(_ caches: [posed_kv]) throws -> [UInt32] {
                let y = try bench.output(.dense(shape), type)
                var desc = posed_attention_desc()
                (desc.q, desc.k, desc.v, desc.y) = (values, values, values, y.view)
                desc.scale = 0.2
                try bench.run(.attention(desc, cached: caches))
                return try bench.read(y)[11 * 64..<2 * 11 * 64].map(\.bitPattern)
            }
            for own in [full, posed_kv()] {
                let (few, many) = (
                    try run([posed_kv(), own, posed_kv()]), try run([full, own, full])
                )
                try expect(few == many, "the neighbours' caches matter")
            }
            return 0
        }
    }

    /// One class of results means the same bits, with however many threads.
    private static func threadCase(_ type: DType) -> ConformanceCase {
        ConformanceCase("numerics: threads, \(type)") { bench in
            guard bench.computes(type) else { throw Skip("does not compute in \(type)") }
            var noise = Noise("threads")
            let values = noise.normal(130 * 96, type)
            var seen: [String: [UInt32]] = [:]
            for threads in 1...3 {
                let own = try Bench(bench.plugin, index: bench.index, threads: threads)
                var bits: [UInt32] = []
                let eightBit = type == .bf16 && bench.computes(.i8)
                for (make, shape) in [
                    (linearRow, [1, 130, 96]), (linearRow, [130, 1, 96]),
                    (convRow, [1, 13, 10, 96]), (attentionRow, [1, 130, 3, 32]),
                    (groupNormRow, [1, 13, 10, 96]), (layerNormRow, [2, 65, 96]),
                ] + (eightBit ? [(eightBitRow, [1, 130, 96])] : []) {
                    let x = try own.tensor(values, shape, type)
                    let y = try own.output(.dense(shape), type)
                    var weights = Noise("threads' weights")
                    try own.run(try make(own, x, y, &weights))
                    bits += try own.read(y).map(\.bitPattern)
                }
                let numerics = text(own.info.numerics)
                try expect(
                    seen[numerics, default: bits] == bits,
                    "\(threads) threads are \(numerics) too, and give other bits")
                seen[numerics] = bits
            }
            return 0
        }
    }

    /// Makes an operation on x and y, of shape `[B] + row`, both `type`.
    private typealias Maker =
        @Sendable (Bench, DeviceTensor, DeviceTensor, inout Noise) throws -> Operation

    private static func rowCase(
        _ what: String, _ type: DType, _ row: [Int], _ make: @escaping Maker,
        compute: DType? = nil
    ) -> ConformanceCase {
        let name = "batch: a row's bits, \(what) \(type)"
        let compute = compute ?? type
        return ConformanceCase(name, tolerance: type.tolerance) { bench in
            guard bench.computes(compute) else { throw Skip("does not compute in \(compute)") }
            let size = row.reduce(1, *)
            var noise = Noise(name)
            let own = noise.normal(size, type)
            let others = [noise.normal(size, type), [Float](repeating: .nan, count: size)]
            func run(_ rows: [[Float]], at place: Int) throws -> [Float] {
                let shape = [rows.count] + row
                let x = try bench.tensor(rows.flatMap { $0 }, shape, type)
                let y = try bench.output(.dense(shape), type)
                var weights = Noise(name + " weights")
                try bench.run(try make(bench, x, y, &weights))
                return Array(try bench.read(y)[place * size..<(place + 1) * size])
            }
            let expected = try run([others[0], own, others[0]], at: 1)
            let crowded = try run([others[1], own, others[1]], at: 1)
            try expect(
                zip(expected, crowded).allSatisfy { $0.bitPattern == $1.bitPattern },
                "the neighbours' values matter")
            // Alone is another shape: equal bits are a courtesy, and the error tells of it.
            return Deviation.of(try run([own], at: 0), expected.map(Double.init))
        }
    }

    private static let linearRow: Maker = { bench, x, y, noise in
        try linear(bench, x, y, &noise, compute: x.type)
    }

    private static let eightBitRow: Maker = { bench, x, y, noise in
        try linear(bench, x, y, &noise, compute: .i8)
    }

    private static func linear(
        _ bench: Bench, _ x: DeviceTensor, _ y: DeviceTensor, _ noise: inout Noise,
        compute: DType
    ) throws -> Operation {
        let (inputs, outputs) = (x.layout.shape[2], y.layout.shape[2])
        var desc = posed_linear_desc()
        desc.weight = try bench.linearWeight(
            noise.normal(inputs * outputs, deviation: 0.1), out: outputs, in: inputs,
            bias: noise.normal(outputs), type: .f32, compute: compute
        ).handle
        (desc.x, desc.y, desc.activation) = (x.view, y.view, POSED_ACT_GELU_TANH.rawValue)
        return .linear(desc)
    }

    private static let convRow: Maker = { bench, x, y, noise in
        let shape = x.layout.shape
        var filter = Reference.Conv2D(
            batch: shape[0], height: shape[1], width: shape[2], inputs: shape[3],
            outputs: shape[3], kernel: (3, 3), padding: (1, 1, 1, 1))
        filter.weight = noise.normal(shape[3] * shape[3] * 9, deviation: 0.1)
        var desc = posed_conv2d_desc()
        desc.weight = try bench.filter(filter, type: .f32, compute: x.type).handle
        (desc.x, desc.y) = (x.view, y.view)
        return .conv2d(desc)
    }

    private static let attentionRow: Maker = { bench, x, y, noise in
        var desc = posed_attention_desc()
        (desc.q, desc.k, desc.v, desc.y, desc.scale) = (x.view, x.view, x.view, y.view, 0.2)
        return .attention(desc, cached: [])
    }

    private static let groupNormRow: Maker = { bench, x, y, noise in
        let channels = x.layout.shape[3]
        var desc = posed_group_norm_desc()
        (desc.x, desc.y, desc.groups, desc.eps) = (x.view, y.view, 4, 1e-6)
        desc.gamma = try bench.tensor(noise.normal(channels), [channels]).view
        desc.beta = try bench.tensor(noise.normal(channels), [channels]).view
        return .groupNorm(desc)
    }

    private static let layerNormRow: Maker = { bench, x, y, noise in
        var desc = posed_layer_norm_desc()
        (desc.x, desc.y, desc.eps) = (x.view, y.view, 1e-5)
        return .layerNorm(desc)
    }
}
