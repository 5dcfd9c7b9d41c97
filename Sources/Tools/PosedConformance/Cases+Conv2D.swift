import CPosedBackend
import PosedBackend

/// What one case of `conv2d` tries.
private struct ConvTrial {
    var shape: Reference.Conv2D
    var bias = true
    var activation = POSED_ACT_NONE
    var residual = false
    /// The residual is y itself.
    var inPlace = false
    var note = ""
}

extension ConformanceSuite {
    static var conv2dCases: [ConformanceCase] {
        let trials = plainConvolutions + stridedConvolutions + fusedConvolutions
        return DType.floats.flatMap { compute in
            typePairs(compute).flatMap { types in
                trials.map { convCase($0, types.x, types.y, compute) }
            }
        }
    }

    private static func conv(
        _ nhwc: [Int], _ outputs: Int, kernel: (Int, Int) = (3, 3), stride: (Int, Int) = (1, 1),
        pad: (Int, Int, Int, Int) = (1, 1, 1, 1), upsample: Int = 1
    ) -> Reference.Conv2D {
        Reference.Conv2D(
            batch: nhwc[0], height: nhwc[1], width: nhwc[2], inputs: nhwc[3], outputs: outputs,
            kernel: (kernel.0, kernel.1), stride: (stride.0, stride.1),
            padding: (pad.0, pad.1, pad.2, pad.3), upsample: upsample)
    }

    private static var plainConvolutions: [ConvTrial] {
        let none = (0, 0, 0, 0)
        return [
            conv([1, 8, 8, 3], 128), conv([1, 8, 8, 128], 3), conv([2, 7, 5, 4], 5),
            conv([1, 16, 16, 32], 33), conv([1, 9, 11, 33], 4), conv([1, 1, 1, 5], 5),
            conv([3, 1, 6, 16], 16), conv([1, 32, 32, 32], 32), conv([1, 4, 4, 128], 128),
            conv([2, 6, 5, 33], 7, kernel: (1, 1), pad: none),
            conv([1, 16, 16, 64], 128, kernel: (1, 1), pad: none),
            conv([1, 5, 5, 3], 1, kernel: (1, 1), pad: none),
            conv([1, 9, 6, 5], 8, kernel: (5, 5), pad: (2, 2, 2, 2)),
            conv([1, 6, 7, 4], 6, kernel: (1, 3), pad: (0, 1, 0, 1)),
            conv([1, 6, 7, 4], 6, kernel: (3, 1), pad: (1, 0, 1, 0)),
            conv([1, 6, 6, 4], 5, pad: none), conv([1, 16, 16, 128], 128),
            conv([1, 12, 12, 256], 64),
        ].map { ConvTrial(shape: $0) }
    }

    private static var stridedConvolutions: [ConvTrial] {
        let (none, corner) = ((0, 0, 0, 0), (0, 0, 1, 1))
        return [
            conv([1, 9, 7, 5], 33, stride: (2, 2), pad: corner),
            conv([2, 8, 8, 32], 32, stride: (2, 2), pad: corner),
            conv([1, 8, 10, 16], 24, stride: (2, 2)),
            conv([1, 9, 8, 4], 5, stride: (2, 1), pad: (2, 0, 1, 3)),
            conv([1, 28, 42, 3], 32, kernel: (14, 14), stride: (14, 14), pad: none),
            conv([2, 16, 8, 4], 48, kernel: (2, 2), stride: (2, 2), pad: none),
            conv([1, 7, 7, 6], 5, kernel: (1, 1), stride: (2, 2), pad: none),
            conv([1, 8, 8, 33], 5, upsample: 2), conv([2, 5, 3, 16], 32, upsample: 2),
            conv([1, 1, 1, 4], 3, upsample: 2), conv([1, 16, 16, 64], 64, upsample: 2),
            conv([1, 8, 8, 128], 128, upsample: 2),
        ].map { ConvTrial(shape: $0) }
    }

    private static var fusedConvolutions: [ConvTrial] {
        let sizes = [conv([1, 8, 8, 32], 32), conv([2, 5, 7, 5], 9), conv([1, 6, 6, 33], 16)]
        let kinds = [
            (POSED_ACT_RELU, "relu"), (POSED_ACT_SILU, "silu"), (POSED_ACT_GELU_TANH, "gelu tanh"),
            (POSED_ACT_GELU_ERF, "gelu erf"), (POSED_ACT_TANH, "tanh"),
        ]
        return sizes.flatMap { shape in
            kinds.map { ConvTrial(shape: shape, activation: $0.0, note: $0.1) } + [
                ConvTrial(shape: shape, bias: false, note: "no bias"),
                ConvTrial(shape: shape, residual: true, note: "residual"),
                ConvTrial(shape: shape, residual: true, inPlace: true, note: "residual is y"),
                ConvTrial(
                    shape: shape, activation: POSED_ACT_RELU, residual: true, inPlace: true,
                    note: "relu, residual is y"),
            ]
        } + [
            ConvTrial(
                shape: conv([1, 6, 5, 16], 16, upsample: 2), activation: POSED_ACT_SILU,
                residual: true, note: "silu, residual"),
            ConvTrial(
                shape: conv([1, 6, 5, 33], 32, kernel: (1, 1), pad: (0, 0, 0, 0)),
                activation: POSED_ACT_SILU, residual: true, inPlace: true,
                note: "silu, residual is y"),
        ]
    }

    private static func convCase(
        _ trial: ConvTrial, _ x: DType, _ y: DType, _ compute: DType
    ) -> ConformanceCase {
        let c = trial.shape
        let p = c.padding
        var name = "conv2d \(x)·\(compute)→\(y) [\(c.batch), \(c.height), \(c.width), \(c.inputs)]"
        name += "→\(c.outputs) \(c.kernel.height)×\(c.kernel.width)"
        name += " s\(c.stride.height)\(c.stride.width) p\(p.top)\(p.left)\(p.bottom)\(p.right)"
        if c.upsample != 1 { name += " up\(c.upsample)" }
        if !trial.note.isEmpty { name += ", \(trial.note)" }
        let seed = name
        return ConformanceCase(
            name, tolerance: max(x.tolerance, y.tolerance, compute.tolerance),
            query: posed_op_query(
                POSED_OP_CONV2D, x: x, y: y, compute: compute,
                sizes: [c.inputs, c.outputs, c.kernel.height, c.stride.height]),
            compute: compute
        ) { bench in
            try deviation(trial, x, y, compute, seed: seed, bench)
        }
    }

    private static func deviation(
        _ trial: ConvTrial, _ x: DType, _ y: DType, _ compute: DType,
        seed: String, _ bench: Bench
    ) throws -> Double {
        var (noise, c) = (Noise(seed), trial.shape)
        let taps = c.inputs * c.kernel.height * c.kernel.width
        let shape = [c.batch, c.outHeight, c.outWidth, c.outputs]
        c.activation = trial.activation
        c.x = noise.normal(c.batch * c.height * c.width * c.inputs, x)
        c.weight = noise.normal(c.outputs * taps, compute, deviation: 1 / Float(taps).squareRoot())
        if trial.bias { c.bias = noise.normal(c.outputs) }
        if trial.residual { c.residual = noise.normal(shape.reduce(1, *), y) }

        var desc = posed_conv2d_desc()
        desc.activation = trial.activation.rawValue
        desc.weight = try bench.filter(c, type: compute, compute: compute).handle
        desc.x = try bench.tensor(c.x, [c.batch, c.height, c.width, c.inputs], x).view
        let result = try bench.output(.dense(shape), y)
        if let residual = c.residual {
            if trial.inPlace {
                try bench.write(residual, to: result)
                desc.residual = result.view
            } else {
                desc.residual = try bench.tensor(residual, shape, y).view
            }
        }
        desc.y = result.view
        try bench.run(.conv2d(desc))
        c.x = c.x.map(compute.round)
        return Deviation.of(try bench.read(result), Reference.conv2d(c))
    }
}
