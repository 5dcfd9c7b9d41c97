import CPosedBackend
import PosedBackend

/// A NaN in an operand must be seen in the result: a number in its place would hide a defect. What
/// a processor makes of a NaN depends on its lowest bits too.
extension ConformanceSuite {
    private static let patterns: [UInt32] = [
        0x7fc0_0000, 0xffc0_0000, 0x7fff_ffff, 0xffff_ffff, 0x7f80_0001, 0xffc0_0180,
    ]

    static var notANumberCases: [ConformanceCase] {
        activations.map { kind, name in
            ConformanceCase("nan: activate \(name)") { try activated(kind, $0) }
        } + [
            ConformanceCase(
                "nan: softmax",
                query: posed_op_query(
                    POSED_OP_ATTENTION, x: .f32, y: .f32, compute: .f32, sizes: [2, 32]),
                compute: .f32
            ) { try softmax($0) },
            ConformanceCase(
                "nan: linear in i8",
                query: posed_op_query(
                    POSED_OP_LINEAR, x: .f32, y: .f32, compute: .i8, sizes: [70, 33]),
                compute: .i8
            ) { try eightBitLinear($0) },
        ]
    }

    private static func activated(_ kind: posed_activation, _ bench: Bench) throws -> Double {
        let values: [Float] = patterns.flatMap { [Float(bitPattern: $0), 1, -1] }
        var desc = posed_activate_desc()
        let result = try bench.output(.dense([values.count]))
        desc.x = try bench.tensor(values, [values.count], .f32).view
        (desc.y, desc.activation) = (result.view, kind.rawValue)
        try bench.run(.activate(desc))
        for (x, y) in zip(values, try bench.read(result)) {
            try expect(x.isNaN == y.isNaN, "NaN \(hexadecimal(x)) among 1 and -1: \(x) became \(y)")
        }
        return 0
    }

    /// One key of one head has a NaN: that head's results are NaN, the other head's are not.
    private static func softmax(_ bench: Bench) throws -> Double {
        var noise = Noise("softmax of NaN")
        let shape = [1, 20, 2, 32]
        let (q, v) = (noise.normal(20 * 64), noise.normal(20 * 64))
        for pattern in patterns {
            var k = noise.normal(20 * 64)
            k[7 * 64 + 5] = Float(bitPattern: pattern)
            var desc = posed_attention_desc()
            let result = try bench.output(.dense(shape))
            desc.q = try bench.tensor(q, shape, .f32).view
            desc.k = try bench.tensor(k, shape, .f32).view
            desc.v = try bench.tensor(v, shape, .f32).view
            (desc.y, desc.scale) = (result.view, 0.2)
            try bench.run(.attention(desc, cached: []))
            for (index, y) in try bench.read(result).enumerated() {
                let first = index % 64 < 32
                try expect(
                    y.isNaN == first,
                    "NaN \(String(pattern, radix: 16)) in a key of head 0: \(index) is \(y)")
            }
        }
        return 0
    }

    /// A NaN or an infinity anywhere in a row is in all of the row's results, and in no other row's.
    private static func eightBitLinear(_ bench: Bench) throws -> Double {
        var noise = Noise("NaN in 8 bits")
        let weight = try bench.linearWeight(
            noise.normal(70 * 33), out: 33, in: 70, bias: nil, type: .f32, compute: .i8)
        for (pattern, place) in zip(
            patterns + [0x7f80_0000, 0xff80_0000], [0, 1, 15, 16, 63, 64, 69, 3])
        {
            var x = noise.normal(4 * 70)
            x[2 * 70 + place] = Float(bitPattern: pattern)
            var desc = posed_linear_desc()
            let result = try bench.output(.dense([1, 4, 33]))
            desc.x = try bench.tensor(x, [1, 4, 70], .f32).view
            (desc.y, desc.weight) = (result.view, weight.handle)
            try bench.run(.linear(desc))
            for (index, y) in try bench.read(result).enumerated() {
                let expected = index / 33 == 2
                try expect(
                    y.isFinite != expected,
                    "\(String(pattern, radix: 16)) at \(place) of row 2: \(index) is \(y)")
            }
        }
        return 0
    }

    private static func hexadecimal(_ value: Float) -> String {
        String(value.bitPattern, radix: 16)
    }
}
