import PosedBackend
import PosedNN
package import PosedTensor

extension RPFMTransformer {
    /// The modulation vectors of all blocks and of the final layer, for every time and condition, in one
    /// product.
    ///
    /// - Parameters:
    ///   - times: t ∈ [0, 1].
    ///   - conditions: Condition vectors, [D] float32 each.
    /// - Returns: [conditions · times, (6 · depth + 2) · D] float32, the times of a condition
    ///   together; scratch memory.
    /// - Throws: `BackendError` when the device fails.
    package func modulations(times: [Double], of conditions: [Tensor], on compute: Compute) throws
        -> Tensor
    {
        let width = configuration.hiddenSize
        let embedded = try timeEmbedder(times, on: compute)  // [1, T, D]
        let sums = try compute.scratch([1, conditions.count * times.count, width], .f32)
        for (index, condition) in conditions.enumerated() {
            let rows = sums.sliced(axis: 1, index * times.count..<(index + 1) * times.count)
            let repeated = try compute.scratch(rows.shape, .f32)
            try compute.copy(condition.broadcast(times.count).unsqueezed(axis: 0), to: repeated)
            try compute.combine([(1, embedded), (1, repeated)], into: rows)
        }
        let activated = try compute.activate(sums, .silu, type: compute.precision)
        let vectors = try allModulations(activated, on: compute, type: .f32)
        return vectors.reshaped([conditions.count * times.count, configuration.modulationSize])
    }

    /// One block's part of modulation vectors [B, …]: [B, 6·D].
    func blockModulation(_ index: Int, of vectors: Tensor) -> Tensor {
        let size = 6 * configuration.hiddenSize
        return vectors.sliced(axis: 1, index * size..<(index + 1) * size)
    }

    /// The final layer's shift and scale, [B, D] each.
    func finalModulation(of vectors: Tensor) -> (shift: Tensor, scale: Tensor) {
        let width = configuration.hiddenSize
        let start = 6 * configuration.depth * width
        return (
            vectors.sliced(axis: 1, start..<start + width),
            vectors.sliced(axis: 1, start + width..<start + 2 * width)
        )
    }
}
