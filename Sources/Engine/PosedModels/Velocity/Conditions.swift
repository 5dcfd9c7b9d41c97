package import PosedTensor

/// What a model keeps of a source or of a pose; it alone reads it.
package protocol ConditionContent: Sendable {
    /// Bytes of device memory held.
    var byteCount: Int { get }
}

/// All that a source contributes, whatever the pose and the time.
package struct SourceCondition: Sendable {
    /// The latent's height and width.
    package let latentSize: LatentSize
    /// The model's own.
    let content: any ConditionContent

    /// Bytes of device memory held.
    package var byteCount: Int { content.byteCount }
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

    /// The same with another vector.
    package func with(vector: Tensor) -> RowCondition {
        RowCondition(latentSize: latentSize, vector: vector, base: base, reference: reference)
    }

    /// Tokens of the reference; 0 without.
    package var referenceTokens: Int { reference?.shape[2] ?? 0 }
}

extension ConditionContent {
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
