import CPosedBackend

extension ConformanceSuite {
    static var copyCases: [ConformanceCase] {
        ElementType.floats.flatMap { x in
            ElementType.floats.flatMap { y in copyCases(x, y) + [specialCase(x, y)] }
        } + [
            copyCase(
                "u8→u8 transposed", [3, 4, 5], .dense([3, 4, 5]),
                .stored([3, 4, 5], order: [2, 0, 1]), .u8, .u8)
        ]
    }

    private static func copyCases(_ x: ElementType, _ y: ElementType) -> [ConformanceCase] {
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
        _ note: String, _ shape: [Int], _ from: Layout, _ to: Layout, _ x: ElementType,
        _ y: ElementType
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
    private static func specialCase(_ x: ElementType, _ y: ElementType) -> ConformanceCase {
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
