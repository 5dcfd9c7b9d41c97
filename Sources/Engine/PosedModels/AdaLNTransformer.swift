import Foundation
import PosedBackend
import PosedNN
package import PosedTensor

/// A velocity model of DiT's kind: patches to tokens, blocks whose norms, gates and shifts come from
/// time and condition (adaLN-Zero), and a head that gives patches back.
protocol AdaLNTransformer: VelocityModel {
    var patchify: Patchify { get }
    /// z's patches to tokens; the rest of the input embedding is a row's `base`.
    var inputEmbedder: Linear { get }
    var timeEmbedder: TimeEmbedder { get }
    var blocks: [AdaLNBlock] { get }
    /// The modulation layers of all blocks and of the head, side by side.
    var allModulations: Linear { get }
    var finalLinear: Linear { get }

    /// The type of the head's operands; nil takes the precision.
    var headType: DType? { get }
    /// The argument of the time embedding for a time of the flow: 0 … 1 where a flow was trained.
    func networkTime(_ time: Double) -> Double
    /// Changes the tokens [B, N, D] float32 in place before a block.
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

/// A transformer block with DiT's adaLN-Zero. Its modulation vectors come from outside: those of all
/// blocks and steps are one product.
struct AdaLNBlock {
    let qkv: Linear
    let projection: Linear
    let up: Linear
    let down: Linear
    let heads: Int

    /// Added to the scores of attention, [heads, N, N] float32; nil for none.
    let attentionBias: Tensor?

    /// `attn.qkv`, `attn.proj`, `mlp.fc1` and `mlp.fc2` under the loader's prefix.
    ///
    /// - Parameter attentionBias: [heads, N, N] float32.
    init(
        _ loader: Loader, width: Int, heads: Int, mlpSize: Int, attentionBias: Tensor? = nil
    ) throws {
        let loader = loader.tokenwise
        self.heads = heads
        self.attentionBias = attentionBias
        try loader.compute.require(
            .attention(heads: heads, size: width / heads, bias: attentionBias != nil))
        qkv = try loader.linear("attn.qkv", in: width, out: 3 * width)
        projection = try loader.linear("attn.proj", in: width, out: width)
        up = try loader.linear("mlp.fc1", in: width, out: mlpSize)
        down = try loader.linear("mlp.fc2", in: mlpSize, out: width)
    }

    /// Updates the residual stream in place.
    ///
    /// - Parameters:
    ///   - x: [B, N, D] float32.
    ///   - modulation: This block's vectors, [B, 6·D] float32: shift, scale and gate of attention, then
    ///     of the MLP.
    ///   - cached: For each row, the reference's keys and values in this block; empty for none.
    /// - Returns: The block's queries, keys and values, [B, N, 3·D].
    @discardableResult
    func callAsFunction(
        _ x: Tensor, modulation: Tensor, cached: [CachedKeysAndValues?] = [], on compute: Compute
    ) throws -> Tensor {
        let width = x.shape[2]
        func vector(_ index: Int) -> Tensor {
            modulation.sliced(axis: 1, index * width..<(index + 1) * width)
        }
        let normalized = try compute.layerNorm(
            x, modulation: (scale: vector(1), shift: vector(0)), eps: AdaLNBlock.eps)
        let products = try qkv(normalized, on: compute)  // [B, N, 3·D]
        // [B, N, D]
        let attended = try Attention.selfAttention(
            qkv: products, heads: heads, cached: cached, bias: attentionBias, on: compute)
        try projection(attended, on: compute, gate: vector(2), residual: x, into: x)

        let second = try compute.layerNorm(
            x, modulation: (scale: vector(4), shift: vector(3)), eps: AdaLNBlock.eps)
        let hidden = try up(second, on: compute, activation: .geluTanh)  // [B, N, 4·D]
        try down(hidden, on: compute, gate: vector(5), residual: x, into: x)
        return products
    }

    /// The epsilon of every layer norm in the transformer.
    static let eps: Float = 1e-6
}

/// The embedding of times: sinusoidal features through a two-layer MLP.
struct TimeEmbedder {
    private let first: Linear
    private let second: Linear

    /// `mlp.0` and `mlp.2` under the loader's prefix.
    init(_ loader: Loader, features: Int) throws {
        first = try loader.linear("mlp.0", in: SinusoidalEmbeddings.timeFeatures, out: features)
        second = try loader.linear("mlp.2", in: features, out: features)
    }

    /// Embeds each time: [1, times, D] float32.
    func callAsFunction(_ times: [Double], on compute: Compute) throws -> Tensor {
        let features = try compute.tensor(
            times.flatMap(SinusoidalEmbeddings.time),
            [1, times.count, SinusoidalEmbeddings.timeFeatures], scratch: true)
        let hidden = try first(features, on: compute, activation: .silu)
        return try second(hidden, on: compute, type: .f32)
    }
}

/// Latents to tokens and back. Latents are channels-last; a token's features are ordered channel, row,
/// column, and tokens go row by row.
package struct Patchify: Sendable {
    /// Side of a patch, in latent pixels.
    package let size: Int
    package let channels: Int

    /// [B, h, w, C] to [B, N, C·p·p], float32.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func callAsFunction(_ z: Tensor, on compute: Compute) throws -> Tensor {
        let patches = grid(of: z)
        let features = channels * size * size
        let tokens = try compute.scratch(patches.shape, .f32)
        try compute.copy(patches, to: tokens)
        return tokens.reshaped([z.shape[0], z.shape[1] * z.shape[2] / (size * size), features])
    }

    /// [B, N, C·p·p] to [B, h, w, C], written to `z`.
    ///
    /// - Throws: `BackendError` when shapes do not fit.
    package func inverse(_ tokens: Tensor, into z: Tensor, on compute: Compute) throws {
        let patches = grid(of: z)
        try compute.copy(tokens.reshaped(patches.shape), to: patches)
    }

    /// A view of latents by patch: [B, h/p, w/p, C, p, p].
    private func grid(of z: Tensor) -> Tensor {
        z.splitting(axis: 1, inner: size).splitting(axis: 3, inner: size)
            .permuted([0, 1, 3, 5, 2, 4])
    }
}

/// The fixed embeddings of place and time.
package enum SinusoidalEmbeddings {
    /// The two-dimensional sine-cosine embedding of MAE and DiT.
    ///
    /// The first half of the features comes from the column, the second from the row; each half is
    /// sines, then cosines, at frequencies 10000^(−i / (D/4)).
    ///
    /// - Parameter trained: The rows and columns of the grid that a model was trained with: another grid is
    ///   laid over the same range of indices. Nil: indices are those of the grid itself.
    /// - Returns: [rows · columns, features], row-major.
    package static func positions(
        rows: Int, columns: Int, features: Int, trained: (rows: Int, columns: Int)? = nil
    ) -> [Float] {
        let trained = trained ?? (rows, columns)
        let count = features / 4
        let frequencies = (0..<count).map { pow(10_000, -Double($0) / Double(count)) }
        func half(_ place: Double) -> [Float] {
            frequencies.map { Float(sin(place * $0)) } + frequencies.map { Float(cos(place * $0)) }
        }
        let ofColumn = (0..<columns).map { half(Double($0 * trained.columns) / Double(columns)) }
        let ofRow = (0..<rows).map { half(Double($0 * trained.rows) / Double(rows)) }
        return (0..<rows).flatMap { row in
            ofColumn.flatMap { $0 + ofRow[row] }
        }
    }

    /// Features of a time embedding.
    package static let timeFeatures = 256

    /// Cosines, then sines, of 1000 · t at 128 frequencies from 1 to 1/10000.
    package static func time(_ t: Double) -> [Float] {
        let count = timeFeatures / 2
        let angles = (0..<count).map {
            1000 * t * exp(-log(10_000) * Double($0) / Double(count))
        }
        return angles.map { Float(cos($0)) } + angles.map { Float(sin($0)) }
    }
}
