import CPosedBackend
import PosedBackend

extension Bench {
    /// A float32 matrix of ones.
    func matrix(_ out: Int, _ inputs: Int) throws -> OpaquePointer {
        try linearWeight(
            [Float](repeating: 1, count: out * inputs), out: out, in: inputs, bias: nil, type: .f32,
            compute: .f32
        ).handle
    }

    /// A float32 3×3 filter of ones with padding 1.
    func smallFilter(_ out: Int, _ inputs: Int) throws -> OpaquePointer {
        var conv = Reference.Conv2D(
            batch: 1, height: 1, width: 1, inputs: inputs, outputs: out, kernel: (3, 3),
            padding: (1, 1, 1, 1))
        conv.weight = [Float](repeating: 1, count: 9 * out * inputs)
        return try filter(conv, type: .f32, compute: .f32).handle
    }
}

extension ConformanceSuite {
    static var weightRefusals: [ConformanceCase] {
        linearWeightBreaches.map { breach in
            ConformanceCase("refuse linear weight: \(breach.name)") { bench in
                let data = [Float](repeating: 1, count: 256)
                var desc = posed_linear_weight_desc()
                (desc.dtype, desc.compute) = (POSED_F32.rawValue, POSED_F32.rawValue)
                (desc.out, desc.in) = (16, 16)
                return try data.withUnsafeBufferPointer { data in
                    desc.data = UnsafeRawPointer(data.baseAddress)
                    breach.apply(&desc)
                    var weight: OpaquePointer?
                    try expectRefusal("it", [.invalidArgument, .unsupported, .outOfMemory]) {
                        bench.plugin.table.pointee.weight_create_linear(
                            bench.device, &desc, &weight, $0)
                    }
                    try expect(weight == nil, "it was refused, and there is a weight")
                    return 0
                }
            }
        }
            + filterBreaches.map { breach in
                ConformanceCase("refuse filter: \(breach.name)") { bench in
                    let data = [Float](repeating: 1, count: 16 * 16 * 25)
                    var desc = validFilter
                    return try data.withUnsafeBufferPointer { data in
                        desc.data = UnsafeRawPointer(data.baseAddress)
                        breach.apply(&desc)
                        var weight: OpaquePointer?
                        try expectRefusal("it", [.invalidArgument, .unsupported, .outOfMemory]) {
                            bench.plugin.table.pointee.weight_create_conv2d(
                                bench.device, &desc, &weight, $0)
                        }
                        try expect(weight == nil, "it was refused, and there is a weight")
                        return 0
                    }
                }
            } + mixedWeights
    }

    private static var validFilter: posed_conv2d_weight_desc {
        var desc = posed_conv2d_weight_desc()
        (desc.dtype, desc.compute) = (POSED_F32.rawValue, POSED_F32.rawValue)
        (desc.out, desc.in, desc.kernel_h, desc.kernel_w) = (16, 16, 3, 3)
        (desc.stride_h, desc.stride_w, desc.upsample) = (1, 1, 1)
        (desc.pad_top, desc.pad_left, desc.pad_bottom, desc.pad_right) = (1, 1, 1, 1)
        return desc
    }

    private static var linearWeightBreaches: [Breach<posed_linear_weight_desc>] {
        [
            Breach("no data") { $0.data = nil },
            Breach("no outputs") { $0.out = 0 },
            Breach("a negative number of inputs") { $0.in = -16 },
            Breach("a size that overflows") { ($0.out, $0.in) = (1 << 40, 1 << 40) },
            Breach("an unknown type") { $0.dtype = 99 },
            Breach("data of bytes") { $0.dtype = POSED_U8.rawValue },
            Breach("an unknown compute type") { $0.compute = 99 },
            Breach("a product of bytes") { $0.compute = POSED_U8.rawValue },
        ]
    }

    private static var filterBreaches: [Breach<posed_conv2d_weight_desc>] {
        [
            Breach("no data") { $0.data = nil },
            Breach("no outputs") { $0.out = 0 },
            Breach("a negative number of inputs") { $0.in = -16 },
            Breach("a size that overflows") {
                ($0.out, $0.in, $0.kernel_h, $0.kernel_w) = (.max, .max, .max, .max)
            },
            Breach("an empty kernel") { $0.kernel_w = 0 },
            Breach("a stride of 0") { $0.stride_h = 0 },
            Breach("a negative stride") { $0.stride_w = -1 },
            Breach("a negative padding") { $0.pad_left = -1 },
            Breach("an enlargement by 0") { $0.upsample = 0 },
            Breach("an enlargement by 3") { $0.upsample = 3 },
            Breach("an enlargement with stride 2") { ($0.upsample, $0.stride_h) = (2, 2) },
            Breach("an enlargement with a 5×5 kernel") {
                ($0.upsample, $0.kernel_h, $0.kernel_w) = (2, 5, 5)
            },
            Breach("an enlargement without padding") { ($0.upsample, $0.pad_top) = (2, 0) },
            Breach("an unknown type") { $0.dtype = 0 },
            Breach("an unknown compute type") { $0.compute = 99 },
        ]
    }

    /// Weights of the wrong kind, and cached keys that do not fit.
    private static var mixedWeights: [ConformanceCase] {
        [
            ConformanceCase("refuse linear: a filter as its weight") { bench in
                var desc = posed_linear_desc()
                desc.x = try bench.roomy([1, 4, 16]).view
                desc.y = try bench.roomy([1, 4, 24]).view
                desc.weight = try bench.smallFilter(24, 16)
                return try refuse(.linear(desc), bench)
            },
            ConformanceCase("refuse conv2d: a matrix as its weight") { bench in
                var desc = posed_conv2d_desc()
                desc.x = try bench.roomy([1, 4, 4, 16]).view
                desc.y = try bench.roomy([1, 4, 4, 24]).view
                desc.weight = try bench.matrix(24, 16)
                return try refuse(.conv2d(desc), bench)
            },
            cachedCase("of other heads", [5, 1, 32], [5, 1, 32]),
            cachedCase("of another size", [5, 2, 16], [5, 2, 16]),
            cachedCase("and values of different lengths", [5, 2, 32], [4, 2, 32]),
            cachedCase("without values", [5, 2, 32], nil),
            cachedCase("outside of their buffer", [5, 2, 32], [5, 2, 32], offset: 1 << 30),
        ]
    }

    private static func refuse(_ operation: Operation, _ bench: Bench) throws -> Double {
        try expectRefusal("it") { operation.submit(bench.plugin.table, bench.stream, $0) }
        return 0
    }

    private static func cachedCase(
        _ note: String, _ k: [Int], _ v: [Int]?, offset: UInt64 = 0
    ) -> ConformanceCase {
        ConformanceCase("refuse attention: cached keys \(note)") { bench in
            var desc = posed_attention_desc()
            desc.q = try bench.roomy([2, 6, 2, 32]).view
            (desc.k, desc.v, desc.scale) = (desc.q, desc.q, 1)
            desc.y = try bench.roomy([2, 6, 2, 32]).view
            var entry = posed_kv()
            entry.k = try bench.roomy(k).view
            entry.k.offset_bytes = offset
            if let v { entry.v = try bench.roomy(v).view }
            return try refuse(.attention(desc, cached: [posed_kv(), entry]), bench)
        }
    }
}
