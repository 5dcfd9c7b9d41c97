import CPosedBackend
import PosedBackend

/// A chain of all ten operations in float32, with buffers of its own: what graphs and streams are
/// tried with.
struct SmallNetwork {
    static let batch = 2, tokens = 16, width = 32, heads = 2

    /// The operations in order, each reading what the one before it wrote.
    let operations: [Operation]
    /// `[B, T, D]`
    let input: DeviceTensor
    /// Everything that is written.
    let results: [DeviceTensor]

    /// Puts weights and buffers on `bench`; equal names give equal numbers.
    init(_ bench: Bench, name: String = "small network") throws {
        var noise = Noise(name)
        let (b, t, d) = (Self.batch, Self.tokens, Self.width)
        let tokens = [b, t, d], image = [b, 4, 4, d]
        input = try bench.tensor(noise.normal(b * t * d), tokens)

        var written: [DeviceTensor] = []
        func output(_ shape: [Int], _ type: ElementType = .f32) throws -> DeviceTensor {
            let result = try bench.output(.dense(shape), type)
            written.append(result)
            return result
        }
        func vector() throws -> posed_tensor { try bench.tensor(noise.normal(d), [d]).view }

        var norm = posed_layer_norm_desc()
        (norm.x, norm.y) = (input.view, try output(tokens).view)
        (norm.gamma, norm.beta, norm.eps) = (try vector(), try vector(), 1e-5)

        var linear = posed_linear_desc()
        linear.weight = try bench.linearWeight(
            noise.normal(3 * d * d, deviation: 0.2), out: 3 * d, in: d, bias: noise.normal(3 * d),
            type: .f32, compute: .f32
        ).handle
        let projection = try output([b, t, 3 * d])
        (linear.x, linear.y) = (norm.y, projection.view)

        var attention = posed_attention_desc()
        let size = d / Self.heads
        let slices = (0..<3).map {
            projection.view(
                Layout(
                    shape: [b, t, Self.heads, size], strides: [t * 3 * d, 3 * d, size, 1],
                    offset: $0 * d))
        }
        (attention.q, attention.k, attention.v) = (slices[0], slices[1], slices[2])
        let attended = try output(tokens)
        attention.y = attended.view(.dense([b, t, Self.heads, size]))
        attention.scale = 0.25
        var cached = posed_kv()
        cached.k = try bench.tensor(noise.normal(5 * d), [5, Self.heads, size]).view
        cached.v = try bench.tensor(noise.normal(5 * d), [5, Self.heads, size]).view

        let conv = try Self.convolution(
            attended.view(.dense(image)), try output(image).view, &noise, bench)

        var group = posed_group_norm_desc()
        (group.x, group.y) = (conv.y, try output(image).view)
        (group.gamma, group.beta) = (try vector(), try vector())
        (group.groups, group.eps, group.activation) = (8, 1e-6, POSED_ACT_SILU.rawValue)

        operations =
            [
                .layerNorm(norm), .linear(linear),
                .attention(attention, cached: [posed_kv(), cached]),
                .conv2d(conv), .groupNorm(group),
            ] + (try Self.elementwise(group.y, image, output))
        results = written
    }

    /// A 3×3 convolution that keeps the shape.
    private static func convolution(
        _ x: posed_tensor, _ y: posed_tensor, _ noise: inout Noise, _ bench: Bench
    ) throws -> posed_conv2d_desc {
        let d = width
        var filter = Reference.Conv2D(
            batch: batch, height: 4, width: 4, inputs: d, outputs: d, kernel: (3, 3),
            padding: (1, 1, 1, 1))
        filter.weight = noise.normal(d * d * 9, deviation: 0.06)
        var conv = posed_conv2d_desc()
        conv.weight = try bench.filter(filter, type: .f32, compute: .f32).handle
        (conv.x, conv.y) = (x, y)
        return conv
    }

    private static func elementwise(
        _ x: posed_tensor, _ image: [Int], _ output: ([Int], ElementType) throws -> DeviceTensor
    ) throws -> [Operation] {
        var copy = posed_copy_desc()
        let doubled = try output([image[0], 16, 2 * image[3]], .f32)
        var glu = posed_glu_desc()
        let halves = [image[0], 16, image[3] / 2]
        (glu.x, glu.activation) = (doubled.view, POSED_ACT_SILU.rawValue)
        glu.x = doubled.view(.dense([image[0], 16, image[3]]))
        glu.y = try output(halves, .f32).view
        let target = Layout(
            shape: image, strides: [16 * image[3], 4 * image[3], image[3], 1])
        (copy.x, copy.y) = (x, doubled.view(target))

        var activate = posed_activate_desc()
        (activate.x, activate.activation) = (glu.y, POSED_ACT_GELU_TANH.rawValue)
        activate.y = try output(halves, .f32).view

        var combine = posed_combine_desc()
        combine.count = 2
        set(&combine.x, 0, glu.y)
        set(&combine.x, 1, activate.y)
        set(&combine.coefficient, 0, Float(0.75))
        set(&combine.coefficient, 1, Float(-1.5))
        let sum = try output([image[0], 4, 4, image[3] / 2], .f32)
        combine.y = sum.view(.dense(halves))

        var quantize = posed_quantize_desc()
        (quantize.x, quantize.y) = (sum.view, try output(sum.layout.shape, .u8).view)
        return [
            .copy(copy), .glu(glu), .activate(activate), .combine(combine), .quantize(quantize),
        ]
    }

    /// Carries everything out at once and returns every byte written.
    func run(_ bench: Bench) throws -> [[UInt8]] {
        for operation in operations { try bench.run(operation) }
        return try bytes(bench)
    }

    /// Every byte that the network may have written.
    func bytes(_ bench: Bench) throws -> [[UInt8]] { try results.map(bench.bytes) }

    /// Fills all results with filler.
    func wipe(_ bench: Bench) throws {
        for result in results { try bench.write([], to: result) }
    }
}
