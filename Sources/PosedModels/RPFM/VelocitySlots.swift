import PosedBackend
import PosedNN
import PosedTensor

/// What a velocity evaluation reads and writes, one slot for each row.
struct VelocitySlots {
    let z: Tensor  // [B, h, w, C] float32
    let velocity: Tensor  // [B, h, w, C] float32
    let bases: Tensor  // [B, N, D] float32
    let modulation: Tensor  // [B, (6·depth + 2)·D] float32
    let references: [Tensor?]  // [depth, 2, tokens, D] each

    /// Computes `velocity` from the other slots.
    func evaluate(_ model: RPFMTransformer, on compute: Compute) throws {
        let tokens = try model.patchify(z, on: compute)  // [B, N, C·p·p]
        // [B, N, D]
        let x = try model.inputEmbedder(tokens, on: compute, residual: bases, type: .f32)
        let heads = model.configuration.heads
        for (index, block) in model.blocks.enumerated() {
            let cached = references.map { kept in kept.map { cache($0[index], heads) } }
            try block(
                x, modulation: model.blockModulation(index, of: modulation), cached: cached,
                on: compute)
        }
        let (shift, scale) = model.finalModulation(of: modulation)
        let normalized = try compute.layerNorm(
            x, modulation: (scale: scale, shift: shift), eps: RPFMBlock.eps)
        let patches = try model.finalLinear(normalized, on: compute, type: .f32)
        try model.patchify.inverse(patches, into: velocity, on: compute)
    }

    /// [2, tokens, D] as keys and values by head.
    private func cache(_ kept: Tensor, _ heads: Int) -> CachedKeysAndValues {
        let split = kept.splitting(axis: 2, inner: kept.shape[2] / heads)  // [2, T, h, d]
        return CachedKeysAndValues(keys: split[0], values: split[1])
    }
}

extension VelocitySlots {
    /// Allocates the slots of a batch, in memory of their own.
    init(
        _ configuration: RPFMConfiguration, _ shape: VelocityPlan.Shape, on compute: Compute
    ) throws {
        let (rows, size) = (shape.referenceTokens.count, shape.latentSize)
        let latent = [rows, size.height, size.width, configuration.channels]
        let tokens = size.height * size.width / (configuration.patchSize * configuration.patchSize)
        z = try compute.persistent(latent, .f32)
        velocity = try compute.persistent(latent, .f32)
        bases = try compute.persistent([rows, tokens, configuration.hiddenSize], .f32)
        modulation = try compute.persistent([rows, configuration.modulationSize], .f32)
        references = try shape.referenceTokens.map { count in
            guard count > 0 else { return nil }
            return try compute.persistent(
                [configuration.depth, 2, count, configuration.hiddenSize], compute.precision)
        }
    }
}
