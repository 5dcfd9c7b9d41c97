package import PosedTensor

/// What a model keeps of a source or of a pose; it alone reads it.
package protocol ConditionContent: Sendable {
    /// Its tensors, in an order of the model's choice; nil for one that this model does without.
    var tensors: [Tensor?] { get }
}

/// What a model's detail decoder keeps of a source: pictures of one size, [H, W, 3] 8-bit, on the host.
package struct SourceDetail: Sendable {
    /// The first source picture.
    package let source: [UInt8]
    /// What the autoencoder makes of it.
    package let reconstruction: [UInt8]

    /// Both as given.
    package init(source: [UInt8], reconstruction: [UInt8]) {
        self.source = source
        self.reconstruction = reconstruction
    }

    /// Bytes that the detail of a picture of `pixels` takes.
    package static func byteCount(pixels: Int) -> Int { 6 * pixels }
}

/// All that a source contributes, whatever the pose and the time.
package struct SourceCondition: Sendable {
    /// The latent's height and width.
    package let latentSize: LatentSize
    /// The model's own.
    let content: any ConditionContent
    /// What the detail decoder keeps of it; nil for models without one.
    package var detail: SourceDetail?

    /// Bytes of memory held, on the device and by the detail decoder.
    package var byteCount: Int {
        content.byteCount + (detail.map { $0.source.count + $0.reconstruction.count } ?? 0)
    }

    /// Everything but the detail that `VelocityModel.source(_:tensors:)` makes it of again.
    package var tensors: [Tensor?] { content.tensors }
}

/// All that a pose contributes, whatever the source and the time.
package struct PoseCondition: Sendable {
    /// The model's own.
    let content: any ConditionContent

    /// Bytes of device memory held.
    package var byteCount: Int { content.byteCount }
}

/// A source in a pose: what one row of a batch is conditioned on.
package struct RowCondition: Sendable {
    package let latentSize: LatentSize
    /// The condition vector, [D] float32.
    package let vector: Tensor
    /// All of the input embedding but z_t's part, [N, D] float32.
    let base: Tensor
    /// Keys and values of the source, [depth, 2, tokens, D]; nil without.
    let reference: Tensor?
    /// What the detail decoder knows of the source; nil for models without one.
    package var detail: SourceDetail?

    /// The same with another vector.
    package func with(vector: Tensor) -> RowCondition {
        RowCondition(
            latentSize: latentSize, vector: vector, base: base, reference: reference, detail: detail
        )
    }

    /// Tokens of the reference; 0 without.
    package var referenceTokens: Int { reference?.shape[2] ?? 0 }
}

extension ConditionContent {
    /// Bytes of device memory held.
    var byteCount: Int { tensors.reduce(0) { $0 + ($1?.byteCount ?? 0) } }

    /// The content of a condition as this model's own.
    ///
    /// - Throws: `ModelError` `.mismatch` for a condition that another model made.
    static func own(_ content: any ConditionContent) throws(ModelError) -> Self {
        guard let own = content as? Self else {
            throw ModelError(
                .mismatch, "a condition of this model expected, but one of another came")
        }
        return own
    }
}
