import PosedNN
import PosedTensor

/// The MLP of a layer: two products around an activation, or SwiGLU.
struct DINOv2MLP: Sendable {
    private let input: Linear
    private let output: Linear
    /// The activation between the products; nil for SwiGLU.
    private let activation: Activation?

    init(_ loader: Loader, _ configuration: DINOv2.Configuration) throws {
        let (width, inner) = (configuration.hiddenSize, configuration.mlpWidth)
        if configuration.usesSwiGLU {
            input = try loader.linear("weights_in", in: width, out: 2 * inner)
            output = try loader.linear("weights_out", in: inner, out: width)
            activation = nil
        } else {
            input = try loader.linear("fc1", in: width, out: inner)
            output = try loader.linear("fc2", in: inner, out: width)
            activation = configuration.activation
        }
    }

    var byteCount: Int { input.byteCount + output.byteCount }

    /// tokens += gate · mlp(x), with x and tokens [B, T, D] and the gate [B, D].
    func callAsFunction(
        _ x: Tensor, on compute: Compute, gate: Tensor, addingTo tokens: Tensor
    ) throws {
        let inner =
            if let activation {
                try input(x, on: compute, activation: activation)
            } else {
                try compute.glu(input(x, on: compute), .silu)
            }  // [B, T, inner]
        try output(inner, on: compute, gate: gate, residual: tokens, into: tokens)
    }
}
