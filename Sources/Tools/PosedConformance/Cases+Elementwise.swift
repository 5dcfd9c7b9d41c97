import CPosedBackend
import PosedBackend

extension ConformanceSuite {
    static var elementwiseCases: [ConformanceCase] {
        combineCases + activateCases + gluCases + quantizeCases
    }

    static let activations = [
        (POSED_ACT_NONE, "none"), (POSED_ACT_RELU, "relu"), (POSED_ACT_SILU, "silu"),
        (POSED_ACT_GELU_TANH, "gelu tanh"), (POSED_ACT_GELU_ERF, "gelu erf"),
        (POSED_ACT_TANH, "tanh"),
    ]

    // MARK: combine

    private static var combineCases: [ConformanceCase] {
        let counts = [1, 2, 3, 7, Int(POSED_MAX_TERMS)]
        return counts.flatMap { count in
            [[1], [33], [2, 16, 16, 4], [1, 1000, 7]].map {
                combineCase(count, $0, target: nil, .f32)
            } + [
                combineCase(count, [3, 77], target: 0, .f32),
                combineCase(count, [3, 77], target: count - 1, .f32),
            ]
        } + [DType.bf16, .f16].map { combineCase(2, [5, 33], target: nil, $0) }
    }

    /// `target`: the term that is y itself.
    private static func combineCase(
        _ count: Int, _ shape: [Int], target: Int?, _ type: DType
    ) -> ConformanceCase {
        let place = target.map { ", y is term \($0)" } ?? ""
        let name = "combine \(type) \(count) of \(shape)\(place)"
        return ConformanceCase(
            name, tolerance: max(1e-6, type == .f32 ? 0 : type.tolerance),
            query: posed_op_query(
                POSED_OP_COMBINE, x: type, y: type, sizes: [shape.last ?? 1])
        ) { bench in
            var noise = Noise(name)
            let total = shape.reduce(1, *)
            var desc = posed_combine_desc()
            desc.count = UInt32(count)
            desc.bias = 0.25
            var sum = [Double](repeating: 0.25, count: total)
            let result = try bench.output(.dense(shape), type)
            for term in 0..<count {
                let (values, factor) = (noise.normal(total, type), noise.normal(1)[0])
                for index in 0..<total { sum[index] += Double(factor) * Double(values[index]) }
                set(&desc.coefficient, term, factor)
                if term == target {
                    try bench.write(values, to: result)
                    set(&desc.x, term, result.view)
                } else {
                    set(&desc.x, term, try bench.tensor(values, shape, type).view)
                }
            }
            desc.y = result.view
            try bench.run(.combine(desc))
            return Deviation.of(try bench.read(result), sum)
        }
    }

    // MARK: activate

    private static var activateCases: [ConformanceCase] {
        let types = DType.floats.flatMap { x in DType.floats.map { (x, $0) } }
        return activations.flatMap { kind in
            types.flatMap { x, y in
                [[1], [15], [3, 67, 5]].map { activateCase(kind, $0, x, y) }
            } + DType.floats.map { activateCase(kind, [2, 33], $0, $0, inPlace: true) }
        }
    }

    private static func activateCase(
        _ kind: (posed_activation, String), _ shape: [Int], _ x: DType, _ y: DType,
        inPlace: Bool = false
    ) -> ConformanceCase {
        let name = "activate \(x)→\(y) \(kind.1) \(shape)\(inPlace ? ", in place" : "")"
        return ConformanceCase(
            name, tolerance: max(x.tolerance, y.tolerance, DType.f32.tolerance),
            query: posed_op_query(POSED_OP_ACTIVATE, x: x, y: y, sizes: [shape.last ?? 1])
        ) { bench in
            var noise = Noise(name)
            var values = noise.normal(shape.reduce(1, *), x, deviation: 3)
            let far: [Float] = [0, -0.0, 1e4, -1e4, 88, -88, 1e-6, -1e-6, 20, -20]
            for (index, value) in far.enumerated() where values.count > 2 * far.count {
                values[index] = x.round(value)
            }
            let source = try bench.tensor(values, shape, x)
            let result = inPlace ? source : try bench.output(.dense(shape), y)
            var desc = posed_activate_desc()
            (desc.x, desc.y, desc.activation) = (source.view, result.view, kind.0.rawValue)
            try bench.run(.activate(desc))
            let found = try bench.read(result)
            let expected = values.map { Reference.activation(kind.0, Double($0)) }
            // The far values, one by one: beside 1e4 nothing else would count.
            for (y, r) in zip(found.prefix(far.count), expected) {
                let error = abs(Double(y) - r) / (abs(r) + 1)
                try expect(error <= 1e-2, "expected \(r), got \(y)")
            }
            let rest = values.count > 2 * far.count ? far.count : 0
            return Deviation.of(Array(found.dropFirst(rest)), Array(expected.dropFirst(rest)))
        }
    }

    // MARK: glu

    private static var gluCases: [ConformanceCase] {
        let types = DType.floats.flatMap { x in DType.floats.map { (x, $0) } }
        return types.flatMap { x, y in
            activations.map { gluCase($0, [2, 9, 33], x, y) }
                + [[1, 1, 1], [1, 257, 64]].map { gluCase(activations[2], $0, x, y) }
        }
    }

    /// `shape`: that of y, `[B, T, D]`.
    private static func gluCase(
        _ kind: (posed_activation, String), _ shape: [Int], _ x: DType, _ y: DType
    ) -> ConformanceCase {
        let name = "glu \(x)→\(y) \(kind.1) \(shape)"
        return ConformanceCase(
            name, tolerance: max(y.tolerance, DType.f32.tolerance),
            query: posed_op_query(POSED_OP_GLU, x: x, y: y, sizes: [shape[2]])
        ) { bench in
            var noise = Noise(name)
            let (rows, width) = (shape[0] * shape[1], shape[2])
            let values = noise.normal(rows * 2 * width, x)
            let result = try bench.output(.dense(shape), y)
            var desc = posed_glu_desc()
            desc.x = try bench.tensor(values, [shape[0], shape[1], 2 * width], x).view
            (desc.y, desc.activation) = (result.view, kind.0.rawValue)
            try bench.run(.glu(desc))
            let expected = (0..<rows * width).map { index in
                let first = index / width * 2 * width + index % width
                return Reference.activation(kind.0, Double(values[first]))
                    * Double(values[first + width])
            }
            return Deviation.of(try bench.read(result), expected)
        }
    }

    // MARK: quantize

    private static var quantizeCases: [ConformanceCase] {
        DType.floats.map { type in
            let name = "quantize \(type)"
            return ConformanceCase(
                name, query: posed_op_query(POSED_OP_QUANTIZE, x: type, y: .u8, sizes: [3])
            ) { bench in
                var noise = Noise(name)
                var values = noise.normal(2 * 9 * 7 * 3, type, deviation: 0.7)
                let special: [Float] = [
                    0, -0.0, 1, -1, 1.5, -1.5, 1e30, -1e30, .infinity, -.infinity, .nan,
                    2.0 / 255, -2.0 / 255, 1 - 1 / 255, -1 + 1 / 255, 1.0 / 255, 3.0 / 255,
                ]
                for (index, value) in special.enumerated() { values[index] = type.round(value) }
                let result = try bench.output(.dense([2, 9, 7, 3]), .u8)
                var desc = posed_quantize_desc()
                desc.x = try bench.tensor(values, [2, 9, 7, 3], type).view
                desc.y = result.view
                try bench.run(.quantize(desc))
                for (x, y) in zip(values, try bench.read(result)) {
                    let clamped = x.isNaN ? -1 : max(-1, min(1, x))
                    let expected = ((clamped + 1) * 127.5).rounded(.toNearestOrEven)
                    try expect(y == expected, "\(x): expected \(expected), got \(y)")
                }
                return 0
            }
        }
    }
}

extension ConformanceSuite {
    static var copyCases: [ConformanceCase] {
        DType.floats.flatMap { x in
            DType.floats.flatMap { y in copyCases(x, y) + [specialCase(x, y)] }
        } + [
            copyCase(
                "u8→u8 transposed", [3, 4, 5], .dense([3, 4, 5]),
                .stored([3, 4, 5], order: [2, 0, 1]), .u8, .u8)
        ]
    }

    private static func copyCases(_ x: DType, _ y: DType) -> [ConformanceCase] {
        let patches = [2, 4, 3, 2, 2, 5]
        return [
            ("one", [1], Layout.dense([1]), Layout.dense([1])),
            ("dense", [2, 33, 7], .dense([2, 33, 7]), .dense([2, 33, 7])),
            ("transposed", [33, 65], .dense([33, 65]), .stored([33, 65], order: [1, 0])),
            (
                "into a slice", [2, 9, 8], .dense([2, 9, 8]), .gapped([2, 9, 8], gap: 8, offset: 8)
            ),
            (
                "from a slice", [2, 9, 8], .gapped([2, 9, 8], gap: 3, offset: 1), .dense([2, 9, 8])
            ),
            (
                "channels first", [2, 5, 7, 3], .dense([2, 5, 7, 3]),
                .stored([2, 5, 7, 3], order: [0, 3, 1, 2])
            ),
            (
                "channels last", [2, 3, 16, 16], .dense([2, 3, 16, 16]),
                .stored([2, 3, 16, 16], order: [0, 2, 3, 1])
            ),
            (
                "patchify", patches, .stored(patches, order: [0, 1, 3, 2, 4, 5]),
                .stored(patches, order: [0, 1, 2, 3, 4, 5])
            ),
            (
                "unpatchify", patches, .stored(patches, order: [0, 1, 2, 5, 3, 4]),
                .stored(patches, order: [0, 5, 1, 3, 2, 4])
            ),
            (
                "reversed", patches, .stored(patches, order: [5, 4, 3, 2, 1, 0]), .dense(patches)
            ),
            ("every third", [6, 4], Layout(shape: [6, 4], strides: [12, 3]), .dense([6, 4])),
            (
                "one row to many", [5, 3, 8], Layout.dense([5, 3, 8]).broadcast(along: 0),
                .dense([5, 3, 8])
            ),
            (
                "one element to many", [4, 6], Layout(shape: [4, 6], strides: [0, 0], offset: 2),
                .dense([4, 6])
            ),
        ].map { copyCase("\(x)→\(y) \($0.0)", $0.1, $0.2, $0.3, x, y) }
    }

    private static func copyCase(
        _ note: String, _ shape: [Int], _ from: Layout, _ to: Layout, _ x: DType,
        _ y: DType
    ) -> ConformanceCase {
        let name = "copy \(note)"
        return ConformanceCase(
            name, query: posed_op_query(POSED_OP_COPY, x: x, y: y, sizes: [shape.last ?? 1])
        ) { bench in
            var noise = Noise(name)
            let values =
                x == .u8
                ? (0..<from.count).map { Float($0 % 256) } : noise.normal(from.count, x)
            let source = try bench.tensor(values, from, x)
            let result = try bench.output(to, y)
            var desc = posed_copy_desc()
            (desc.x, desc.y) = (source.view, result.view)
            try bench.run(.copy(desc))
            // What the buffer holds, not what was written: broadcast elements were written repeatedly.
            let held = try bench.read(source)
            for (index, (y, x)) in zip(try bench.read(result), held.map(y.round)).enumerated()
            where y.bitPattern != x.bitPattern {
                throw Failure("element \(index): expected \(x), got \(y)")
            }
            return 0
        }
    }

    /// Infinities, zeros of both signs, numbers at the edges of the types, and halves to round.
    private static func specialCase(_ x: DType, _ y: DType) -> ConformanceCase {
        ConformanceCase(
            "copy \(x)→\(y) special values",
            query: posed_op_query(POSED_OP_COPY, x: x, y: y, sizes: [36])
        ) { bench in
            let one: [Float] = [
                .infinity, 0, .greatestFiniteMagnitude, .leastNormalMagnitude, 65504, 65519, 65520,
                0x1p-14, 0x1p-24, 0x1p-25, 0x1.8p-25, 0x1.ffcp-15, 1 + 0x1p-8, 1 + 0x1.8p-7,
                1 + 0x1p-11, 1 + 0x1.8p-10, 3.14159, 1e-3,
            ]
            let values = (one + one.map { -$0 }).map(x.round)
            let source = try bench.tensor(values + [.nan], [37], x)
            let result = try bench.output(.dense([37]), y)
            var desc = posed_copy_desc()
            (desc.x, desc.y) = (source.view, result.view)
            try bench.run(.copy(desc))
            let found = try bench.read(result)
            for (value, y) in zip(values.map(y.round), found) where y.bitPattern != value.bitPattern
            {
                throw Failure("expected \(value), got \(y)")
            }
            try expect(found.last?.isNaN == true, "NaN became \(found.last ?? 0)")
            return 0
        }
    }
}
