import PosedBackend
import PosedNN
package import PosedTensor

/// All that a source picture contributes to the transformer, whatever the pose and the time.
package struct SourceCondition: Sendable {
    /// The latent's height and width.
    package let latentSize: RPFMConfiguration.LatentSize
    /// The aggregation's source half, [2, D] float32; nil without aggregation.
    let aggregated: Tensor?
    /// Positions, the input's bias and the source's part of the input embedding, [N, D] float32.
    let base: Tensor
    /// Keys and values of the reference stream, [depth, 2, tokens, D]; nil without.
    let reference: Tensor?

    /// Bytes of device memory held.
    package var byteCount: Int {
        base.byteCount + (aggregated?.byteCount ?? 0) + (reference?.byteCount ?? 0)
    }
}

/// All that a pose contributes, whatever the source and the time.
package struct PoseCondition: Sendable {
    /// The aggregation's pose half, [2, D] float32; nil without aggregation.
    let aggregated: Tensor?
    /// The pose's part of the input embedding, [N, D] float32; nil without concatenation.
    let embedded: Tensor?

    /// Bytes of device memory held.
    package var byteCount: Int { (aggregated?.byteCount ?? 0) + (embedded?.byteCount ?? 0) }
}

/// A source in a pose: what one row of a batch is conditioned on.
package struct RowCondition: Sendable {
    package let latentSize: RPFMConfiguration.LatentSize
    /// The condition vector, [D] float32.
    package let vector: Tensor
    /// All of the input embedding but z_t's part, [N, D] float32.
    let base: Tensor
    /// [depth, 2, tokens, D]; nil without.
    let reference: Tensor?

    /// Tokens of the reference; 0 without.
    package var referenceTokens: Int { reference?.shape[2] ?? 0 }
}

extension RPFMTransformer {
    /// Computes what depends on the source alone.
    ///
    /// - Parameters:
    ///   - latents: One or several source latents, [S, h, w, C] float32; the first is concatenated
    ///     to the input.
    ///   - embeddings: The image encoder's tokens, [S, T, F] float32.
    /// - Throws: `BackendError` when the device fails.
    package func source(latents: Tensor, embeddings: Tensor, on compute: Compute) throws
        -> SourceCondition
    {
        let size = RPFMConfiguration.LatentSize(height: latents.shape[1], width: latents.shape[2])
        let positions = try positions(size, on: compute)
        let tokens = try patchify(latents, on: compute)  // [S, N, F]
        var base = positions.biased
        if let sourceEmbedder {
            base = try compute.persistent(positions.biased.shape, .f32)
            try sourceEmbedder(
                tokens.sliced(axis: 0, 0..<1), on: compute,
                residual: positions.biased.unsqueezed(axis: 0), into: base.unsqueezed(axis: 0))
        }
        let joined = tokens.reshaped([1, tokens.shape[0] * tokens.shape[1], tokens.shape[2]])
        let seen = embeddings.reshaped(
            [1, embeddings.shape[0] * embeddings.shape[1], embeddings.shape[2]])
        return SourceCondition(
            latentSize: size,
            aggregated: try aggregation?.source(local: joined, global: seen, on: compute),
            base: base,
            reference: try reference(tokens, positions.plain, on: compute))
    }

    /// Computes what depends on the pose alone.
    ///
    /// - Parameters:
    ///   - latent: The pose picture's latent, [1, h, w, C] float32.
    ///   - embedding: The image encoder's tokens, [1, T, F] float32.
    /// - Throws: `BackendError` when the device fails.
    package func pose(latent: Tensor, embedding: Tensor, on compute: Compute) throws
        -> PoseCondition
    {
        let tokens = try patchify(latent, on: compute)  // [1, N, F]
        var embedded: Tensor?
        if let poseEmbedder {
            let rows = try compute.persistent([1, tokens.shape[1], configuration.hiddenSize], .f32)
            try poseEmbedder(tokens, on: compute, into: rows)
            embedded = rows.reshaped([tokens.shape[1], configuration.hiddenSize])
        }
        return PoseCondition(
            aggregated: try aggregation?.pose(local: tokens, global: embedding, on: compute),
            embedded: embedded)
    }

    /// Brings a source and a pose together.
    ///
    /// - Parameter vector: A condition [D] that takes the aggregation's place.
    /// - Throws: `BackendError` when the device fails.
    package func condition(
        _ source: SourceCondition, _ pose: PoseCondition, vector: Tensor? = nil, on compute: Compute
    ) throws -> RowCondition {
        var base = source.base
        if let embedded = pose.embedded {
            base = try compute.persistent(source.base.shape, .f32)
            try compute.combine([(1, source.base), (1, embedded)], into: base)
        }
        return RowCondition(
            latentSize: source.latentSize,
            vector: try vector ?? aggregate(source, pose, on: compute) ?? nullCondition, base: base,
            reference: source.reference)
    }

    /// The aggregated condition vector, [D] float32; nil without aggregation.
    ///
    /// - Throws: `BackendError` when the device fails.
    package func aggregate(_ source: SourceCondition, _ pose: PoseCondition, on compute: Compute)
        throws
        -> Tensor?
    {
        guard let aggregation, let ours = source.aggregated, let theirs = pose.aggregated else {
            return nil
        }
        return try aggregation(source: ours, pose: theirs, on: compute)
    }

    /// The condition of guidance's empty branch: no source, no pose, no reference.
    ///
    /// - Throws: `BackendError` when the device fails.
    package func emptyCondition(_ size: RPFMConfiguration.LatentSize, on compute: Compute) throws
        -> RowCondition
    {
        RowCondition(
            latentSize: size, vector: nullCondition,
            base: try positions(size, on: compute).biased, reference: nil)
    }

    /// Runs the reference stream of each source by itself and keeps its keys and values:
    /// [depth, 2, S · N, D].
    private func reference(_ tokens: Tensor, _ positions: Tensor, on compute: Compute) throws
        -> Tensor?
    {
        guard let referenceEmbedder else { return nil }
        let width = configuration.hiddenSize
        let (sources, count) = (tokens.shape[0], tokens.shape[1])
        let kept = try compute.persistent(
            [configuration.depth, 2, sources * count, width], compute.precision)
        let modulation = try modulations(times: [1], of: [nullCondition], on: compute)
        let shared = Tensor(
            storage: modulation.storage, offset: modulation.offset, dtype: .f32,
            shape: [sources, configuration.modulationSize], strides: [0, 1])
        let x = try referenceEmbedder(
            tokens, on: compute,
            residual: positions.broadcast(sources), type: .f32)  // [S, N, D]
        for (index, block) in blocks.enumerated() {
            let qkv = try block(
                x, modulation: blockModulation(index, of: shared), on: compute)  // [S, N, 3·D]
            let ours = kept[index].splitting(axis: 1, inner: count)  // [2, S, N, D]
            for part in 0..<2 {
                let range = (part + 1) * width..<(part + 2) * width
                try compute.copy(qkv.sliced(axis: 2, range), to: ours[part])
            }
        }
        return kept
    }
}
