import PosedBackend
import PosedNN
package import PosedTensor

/// The source's or the pose's share of X-MDPT's condition: [D] float32.
private struct Share: ConditionContent {
    let vector: Tensor

    var byteCount: Int { vector.byteCount }
}

extension XMDPTTransformer {
    /// Computes the source's share; of several sources the first alone counts.
    package func source(latents: Tensor, embeddings: Tensor, on compute: Compute) throws
        -> SourceCondition
    {
        let size = LatentSize(height: latents.shape[1], width: latents.shape[2])
        try check(size)
        let tokens = try patchify(latents.sliced(axis: 0, 0..<1), on: compute)  // [1, N, F]
        let local = try inputEmbedder(
            tokens, on: compute, residual: base.unsqueezed(axis: 0), type: .f32)  // [1, N, D]
        let share = try mixer.source(
            local: local, global: embeddings.sliced(axis: 0, 0..<1), on: compute)
        return SourceCondition(latentSize: size, content: Share(vector: share))
    }

    /// Computes the pose's share, of the encoder's tokens alone.
    package func pose(latent: Tensor?, embedding: Tensor, on compute: Compute) throws
        -> PoseCondition
    {
        PoseCondition(content: Share(vector: try mixer.pose(embedding, on: compute)))
    }

    package func condition(
        _ source: SourceCondition, _ pose: PoseCondition, vector: Tensor?, on compute: Compute
    ) throws -> RowCondition {
        let (ours, theirs) = (try Share.own(source.content), try Share.own(pose.content))
        return RowCondition(
            latentSize: source.latentSize,
            vector: try vector ?? mixer(ours.vector, theirs.vector, on: compute), base: base,
            reference: nil)
    }

    /// The condition of guidance's empty branch is a vector of zeros.
    package func emptyCondition(_ size: LatentSize, on compute: Compute) throws -> RowCondition {
        try check(size)
        return RowCondition(latentSize: size, vector: nothing, base: base, reference: nil)
    }

    private func check(_ size: LatentSize) throws(ModelError) {
        guard size == form.latentSize else {
            throw ModelError(
                .mismatch,
                "latents of \(form.latentSize.height) × \(form.latentSize.width) expected, but "
                    + "\(size.height) × \(size.width) came")
        }
    }
}

/// Three sets of tokens to X-MDPT's condition. Each is a sum of its tokens with learned weights, so what the
/// source and the pose contribute are vectors that are added.
struct XMDPTConditionMixer: Sendable {
    /// A linear layer or a weighted sum, GELU, then a norm.
    private struct Stage {
        let linear: Linear
        let norm: LayerNorm
    }

    private let sourceTokens: Stage
    private let poseTokens: Stage
    private let sourceGlobal: Stage
    private let sourceLocal: Stage
    private let poseGlobal: Stage
    private let last: Stage
    private let width: Int

    /// The epsilon of these norms.
    private static let eps: Float = 1e-12

    /// `mlp_dino_img`, `mlp_dino_pose`, `conv1d_global`, `conv1d_local`, `conv1d_pose`, `mlp_final`; in each
    /// `.0` is the layer and `.2` the norm.
    init(_ loader: Loader, _ configuration: XMDPTConfiguration) throws {
        let width = configuration.hiddenSize
        self.width = width
        func stage(_ name: String, _ linear: (Loader) throws -> Linear) throws -> Stage {
            let own = loader.scoped(name)
            return Stage(
                linear: try linear(own),
                norm: try own.layerNorm("2", features: width, eps: Self.eps))
        }
        func layer(_ name: String, in inputs: Int) throws -> Stage {
            try stage(name) { try $0.linear("0", in: inputs, out: width) }
        }
        func sum(_ name: String, of tokens: Int) throws -> Stage {
            try stage(name) {
                try $0.exact.linear("0", in: tokens, out: 1, alternatives: [[1, tokens, 1]])
            }
        }
        sourceTokens = try layer("mlp_dino_img", in: configuration.sourceEncoderSize)
        poseTokens = try layer("mlp_dino_pose", in: configuration.poseEncoderSize)
        sourceGlobal = try sum("conv1d_global", of: configuration.sourceEncoderTokens)
        sourceLocal = try sum(
            "conv1d_local", of: configuration.gridSide * configuration.gridSide)
        poseGlobal = try sum("conv1d_pose", of: configuration.poseEncoderTokens)
        last = try layer("mlp_final", in: width)
    }

    /// The source's share, [D] float32.
    ///
    /// - Parameters:
    ///   - local: Its embedded patches, [1, N, D] float32.
    ///   - global: Its encoder's tokens, [1, T, F_s] float32.
    func source(local: Tensor, global: Tensor, on compute: Compute) throws -> Tensor {
        let seen = try each(global, sourceTokens, on: compute)
        let result = try compute.persistent([1, 1, width], .f32)
        let (one, other) = (
            try mix(seen, sourceGlobal, on: compute), try mix(local, sourceLocal, on: compute)
        )
        try compute.combine([(1, one), (1, other)], into: result)
        return result.reshaped([width])
    }

    /// The pose's share, [D] float32, of its encoder's tokens [1, T, F_p] float32.
    func pose(_ tokens: Tensor, on compute: Compute) throws -> Tensor {
        let seen = try each(tokens, poseTokens, on: compute)
        let result = try compute.persistent([1, 1, width], .f32)
        try compute.copy(try mix(seen, poseGlobal, on: compute), to: result)
        return result.reshaped([width])
    }

    /// The condition, [D] float32, of both shares.
    func callAsFunction(_ source: Tensor, _ pose: Tensor, on compute: Compute) throws -> Tensor {
        let sum = try compute.scratch([1, 1, width], .f32)
        try compute.combine(
            [(1, pose.reshaped([1, 1, width])), (1, source.reshaped([1, 1, width]))], into: sum)
        let result = try compute.persistent([1, 1, width], .f32)
        try compute.copy(try each(sum, last, on: compute), to: result)
        return result.reshaped([width])
    }

    /// [1, T, F] to [1, T, D] float32, token by token.
    private func each(_ x: Tensor, _ stage: Stage, on compute: Compute) throws -> Tensor {
        let hidden = try stage.linear(x, on: compute, activation: .gelu, type: .f32)
        return try stage.norm(hidden, on: compute, type: .f32)
    }

    /// [1, T, D] float32 to [1, 1, D] float32: one weighted sum of the tokens.
    private func mix(_ tokens: Tensor, _ stage: Stage, on compute: Compute) throws -> Tensor {
        let features = try compute.scratch([1, width, tokens.shape[1]], .f32)
        try compute.copy(tokens.permuted([0, 2, 1]), to: features)
        let sums = try stage.linear(features, on: compute, activation: .gelu, type: .f32)
        return try stage.norm(sums.reshaped([1, 1, width]), on: compute, type: .f32)
    }
}
