import PosedBackend
import PosedNN
import PosedTensor

/// A velocity model of DiT's kind: patches to tokens, blocks whose norms, gates and shifts come from
/// time and condition (adaLN-Zero), and a head that gives patches back.
protocol AdaLNTransformer: VelocityModel {
    var patchify: Patchify { get }
    /// z's patches to tokens; what else the input embedding adds is a row's `base`.
    var inputEmbedder: Linear { get }
    var timeEmbedder: TimeEmbedder { get }
    var blocks: [AdaLNBlock] { get }
    /// The modulation layers of all blocks and of the head, side by side.
    var allModulations: Linear { get }
    var finalLinear: Linear { get }

    /// The type of the head's operands; nil takes the precision.
    var headType: DType? { get }
    /// What the time embedding is given for a time of the flow: 0 … 1 where a flow was trained.
    func networkTime(_ time: Double) -> Double
    /// What happens to the tokens [B, N, D] float32 before a block.
    func prepare(_ x: Tensor, before block: Int, on compute: Compute) throws
}

extension AdaLNTransformer {
    /// The modulation vectors of all blocks and of the head: shift, scale and gate of attention and of
    /// the MLP of each block, then shift and scale of the head.
    package func modulations(times: [Double], of conditions: [Tensor], on compute: Compute) throws
        -> Tensor
    {
        let width = form.hiddenSize
        let embedded = try timeEmbedder(times.map(networkTime), on: compute)  // [1, T, D]
        let sums = try compute.scratch([1, conditions.count * times.count, width], .f32)
        for (index, condition) in conditions.enumerated() {
            let rows = sums.sliced(axis: 1, index * times.count..<(index + 1) * times.count)
            let repeated = try compute.scratch(rows.shape, .f32)
            try compute.copy(condition.broadcast(times.count).unsqueezed(axis: 0), to: repeated)
            try compute.combine([(1, embedded), (1, repeated)], into: rows)
        }
        let activated = try compute.activate(sums, .silu, type: compute.precision)
        let vectors = try allModulations(activated, on: compute, type: .f32)
        return vectors.reshaped([conditions.count * times.count, form.modulationSize])
    }

    /// Numbers in a row's modulation vector.
    static func modulationSize(depth: Int, width: Int) -> Int { (6 * depth + 2) * width }

    /// The modulation layers of `depth` blocks and of the head, under the checkpoint's names.
    static func modulationLayers(_ loader: Loader, depth: Int, width: Int) throws -> Linear {
        let names = (0..<depth).map { "blocks.\($0).adaLN_modulation.1" }
        return try loader.joined(
            names + ["final_layer.adaLN_modulation.1"], in: width,
            outs: names.map { _ in 6 * width } + [2 * width])
    }

    /// One block's part of modulation vectors [B, …]: [B, 6·D].
    func blockModulation(_ index: Int, of vectors: Tensor) -> Tensor {
        let size = 6 * form.hiddenSize
        return vectors.sliced(axis: 1, index * size..<(index + 1) * size)
    }

    /// The head's shift and scale, [B, D] each.
    private func finalModulation(of vectors: Tensor) -> (shift: Tensor, scale: Tensor) {
        let width = form.hiddenSize
        let start = 6 * form.depth * width
        return (
            vectors.sliced(axis: 1, start..<start + width),
            vectors.sliced(axis: 1, start + width..<start + 2 * width)
        )
    }

    package func evaluate(_ slots: VelocitySlots, on compute: Compute) throws {
        let tokens = try patchify(slots.z, on: compute)  // [B, N, C·p·p]
        // [B, N, D]
        let x = try inputEmbedder(tokens, on: compute, residual: slots.bases, type: .f32)
        for (index, block) in blocks.enumerated() {
            let cached = slots.references.map { kept in
                kept.map { Self.cache($0[index], block.heads) }
            }
            try prepare(x, before: index, on: compute)
            try block(
                x, modulation: blockModulation(index, of: slots.modulation), cached: cached,
                on: compute)
        }
        let (shift, scale) = finalModulation(of: slots.modulation)
        let normalized = try compute.layerNorm(
            x, modulation: (scale: scale, shift: shift), eps: AdaLNBlock.eps, type: headType)
        let patches = try finalLinear(normalized, on: compute, type: .f32)
        try patchify.inverse(patches, into: slots.output, on: compute)
    }

    /// [2, tokens, D] as keys and values by head.
    private static func cache(_ kept: Tensor, _ heads: Int) -> CachedKeysAndValues {
        let split = kept.splitting(axis: 2, inner: kept.shape[2] / heads)  // [2, T, h, d]
        return CachedKeysAndValues(keys: split[0], values: split[1])
    }
}
