import CPosedBackend

extension ConformanceSuite {
    static var groupNormCases: [ConformanceCase] {
        // N, H, W, C, groups
        let shapes = [
            [1, 8, 8, 32, 32], [2, 4, 4, 64, 32], [1, 5, 7, 33, 1], [1, 1, 1, 128, 32],
            [2, 16, 16, 128, 32], [1, 3, 3, 5, 5], [1, 32, 32, 256, 32], [3, 1, 9, 12, 4],
            [1, 17, 13, 96, 32], [2, 33, 31, 96, 32],
        ]
        return ElementType.floats.flatMap { x in
            ElementType.floats.flatMap { y in
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
        _ shape: [Int], _ x: ElementType, _ y: ElementType, _ kind: posed_activation,
        _ note: String, mean: Float = 0.5, deviation: Float = 2, tolerance: Double? = nil
    ) -> ConformanceCase {
        let name = "group norm \(x)→\(y) \(Array(shape.dropLast())) in \(shape[4])\(note)"
        return ConformanceCase(
            name, tolerance: tolerance ?? max(ElementType.f32.tolerance, y.tolerance),
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
