import CPosedBackend
import PosedBackend

/// What a layer norm does after normalizing.
private enum Finish: String, CaseIterable {
    case plain
    case affine
    case modulated
    /// Scale and shift are slices of one [B, 6 * D] array.
    case modulatedBySlices = "modulated by slices"
    /// One row of scale and shift for the whole batch.
    case modulatedByOne = "modulated by one row"
}

extension ConformanceSuite {
    static var layerNormCases: [ConformanceCase] {
        let shapes = [
            [1, 1, 1], [1, 1, 384], [2, 257, 33], [3, 16, 768], [1, 5, 8], [2, 1, 1024],
            [4, 3, 100], [1, 2, 1536],
        ]
        return DType.floats.flatMap { x in
            DType.floats.flatMap { y in
                shapes.flatMap { shape in
                    Finish.allCases.map { layerNormCase(shape, x, y, $0) }
                } + [
                    layerNormCase([2, 5, 48], x, y, .plain, gapped: true),
                    layerNormCase([2, 5, 47], x, y, .modulatedBySlices, gapped: true),
                    layerNormCase([3, 5, 40], x, y, .affine, headless: true),
                ]
            }
        } + [
            layerNormCase([2, 9, 384], .f32, .f32, .affine, mean: 30, tolerance: 1e-4),
            layerNormCase([1, 2, 64], .f32, .f32, .affine, deviation: 0, tolerance: 1e-4),
        ]
    }

    private static func layerNormCase(
        _ shape: [Int], _ x: DType, _ y: DType, _ finish: Finish, gapped: Bool = false,
        headless: Bool = false, mean: Float = 0.5, deviation: Float = 2, tolerance: Double? = nil
    ) -> ConformanceCase {
        var name = "layer norm \(x)→\(y) \(shape), \(finish.rawValue)"
        if gapped { name += ", views" }
        if headless { name += ", without the first token" }
        if mean == 30 { name += ", far from zero" }
        if deviation == 0 { name += ", constant" }
        let seed = name
        return ConformanceCase(
            name, tolerance: tolerance ?? max(DType.f32.tolerance, y.tolerance),
            query: posed_op_query(POSED_OP_LAYER_NORM, x: x, y: y, sizes: [shape[2]])
        ) { bench in
            var noise = Noise(seed)
            let (b, t, d) = (shape[0], shape[1], shape[2])
            let values = noise.normal(b * t * d, x, mean: mean, deviation: deviation)
            var (from, to) = (Layout.dense(shape), Layout.dense(shape))
            if headless { from = .headless(shape) }
            if gapped {
                from = .gapped(shape, gap: 9, offset: 4)
                to = .gapped(shape, gap: 2, offset: 1)
            }
            let result = try bench.output(to, y)
            var desc = posed_layer_norm_desc()
            desc.x = try bench.tensor(values, from, x).view
            desc.y = result.view
            desc.eps = 1e-5
            let (factor, shift) = try attach(finish, b, d, to: &desc, &noise, bench)
            try bench.run(.layerNorm(desc))
            return Deviation.of(
                try bench.read(result),
                Reference.layerNorm(
                    values, batch: b, tokens: t, width: d, factor: factor, shift: shift, eps: 1e-5))
        }
    }

    /// Makes the tensors that `finish` needs; returns the factor and the shift `[B, D]`.
    private static func attach(
        _ finish: Finish, _ b: Int, _ d: Int, to desc: inout posed_layer_norm_desc,
        _ noise: inout Noise, _ bench: Bench
    ) throws -> ([Double]?, [Double]?) {
        var (scale, shift) = (noise.normal(b * d, deviation: 0.5), noise.normal(b * d))
        switch finish {
        case .plain: return (nil, nil)
        case .affine:
            (scale, shift) = (repeated(scale, b), repeated(shift, b))
            desc.gamma = try bench.tensor(scale, [d]).view
            desc.beta = try bench.tensor(shift, [d]).view
            return (scale.map(Double.init), shift.map(Double.init))
        case .modulated:
            desc.scale = try bench.tensor(scale, [b, d]).view
            desc.shift = try bench.tensor(shift, [b, d]).view
        case .modulatedBySlices:
            let slice = Layout(shape: [b, d], strides: [6 * d, 1], offset: 2 * d)
            desc.scale = try bench.tensor(scale, slice).view
            desc.shift = try bench.tensor(shift, slice).view
        case .modulatedByOne:
            (scale, shift) = (repeated(scale, b), repeated(shift, b))
            let row = Layout.dense([b, d]).broadcast(along: 0)
            desc.scale = try bench.tensor(scale, row).view
            desc.shift = try bench.tensor(shift, row).view
        }
        return (scale.map { 1 + Double($0) }, shift.map(Double.init))
    }
}

extension ConformanceSuite {
    static var groupNormCases: [ConformanceCase] {
        // N, H, W, C, groups
        let shapes = [
            [1, 8, 8, 32, 32], [2, 4, 4, 64, 32], [1, 5, 7, 33, 1], [1, 1, 1, 128, 32],
            [2, 16, 16, 128, 32], [1, 3, 3, 5, 5], [1, 32, 32, 256, 32], [3, 1, 9, 12, 4],
            [1, 17, 13, 96, 32], [2, 33, 31, 96, 32],
        ]
        return DType.floats.flatMap { x in
            DType.floats.flatMap { y in
                shapes.flatMap { shape in
                    [(POSED_ACT_NONE, ""), (POSED_ACT_SILU, ", silu")].map {
                        groupNormCase(shape, x, y, $0.0, $0.1)
                    }
                }
            }
        } + [
            groupNormCase([1, 4, 4, 32, 8], .f32, .f32, POSED_ACT_RELU, ", relu"),
            groupNormCase([1, 4, 4, 32, 8], .f32, .f32, POSED_ACT_GELU_TANH, ", gelu tanh"),
            groupNormCase([1, 4, 4, 32, 8], .f32, .f32, POSED_ACT_GELU_ERF, ", gelu erf"),
            groupNormCase(
                [1, 16, 16, 64, 32], .f32, .f32, POSED_ACT_NONE, ", far from zero", mean: 30,
                tolerance: 1e-4),
            groupNormCase(
                [1, 6, 6, 64, 32], .f32, .f32, POSED_ACT_NONE, ", constant", deviation: 0,
                tolerance: 1e-4),
        ]
    }

    private static func groupNormCase(
        _ shape: [Int], _ x: DType, _ y: DType, _ kind: posed_activation,
        _ note: String, mean: Float = 0.5, deviation: Float = 2, tolerance: Double? = nil
    ) -> ConformanceCase {
        let name = "group norm \(x)→\(y) \(Array(shape.dropLast())) in \(shape[4])\(note)"
        return ConformanceCase(
            name, tolerance: tolerance ?? max(DType.f32.tolerance, y.tolerance),
            query: posed_op_query(POSED_OP_GROUP_NORM, x: x, y: y, sizes: [shape[3]])
        ) { bench in
            var noise = Noise(name)
            let (image, channels) = (Array(shape.prefix(4)), shape[3])
            let values = noise.normal(
                image.reduce(1, *), x, mean: mean, deviation: deviation)
            let gamma = noise.normal(channels, mean: 1, deviation: 0.3)
            let beta = noise.normal(channels)
            let result = try bench.output(.dense(image), y)
            var desc = posed_group_norm_desc()
            desc.x = try bench.tensor(values, image, x).view
            desc.y = result.view
            desc.gamma = try bench.tensor(gamma, [channels]).view
            desc.beta = try bench.tensor(beta, [channels]).view
            desc.groups = Int32(shape[4])
            desc.eps = 1e-6
            desc.activation = kind.rawValue
            try bench.run(.groupNorm(desc))
            return Deviation.of(
                try bench.read(result),
                Reference.groupNorm(
                    values, batch: shape[0], pixels: shape[1] * shape[2], channels: channels,
                    groups: shape[4], gamma: gamma, beta: beta, eps: 1e-6, activation: kind))
        }
    }
}
