import PosedBackend
import PosedNN
import PosedTensor

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
