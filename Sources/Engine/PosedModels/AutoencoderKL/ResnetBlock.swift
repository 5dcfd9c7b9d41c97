import PosedNN
import PosedTensor

/// Twice a norm, SiLU and a convolution, beside a shortcut: [N, H, W, in] to [N, H, W, out].
struct ResnetBlock: Sendable {
    /// Added to the variance by every group norm of the autoencoder.
    static let eps: Float = 1e-6

    private let norm1: GroupNorm
    private let conv1: Conv2d
    private let norm2: GroupNorm
    private let conv2: Conv2d
    /// A product over the channels, where their number changes.
    private let shortcut: Linear?

    init(_ loader: Loader, in inputs: Int, out outputs: Int, groups: Int) throws {
        let eps = Self.eps
        norm1 = try loader.groupNorm("norm1", channels: inputs, groups: groups, eps: eps)
        conv1 = try loader.conv2d(
            "conv1", in: inputs, out: outputs, kernel: 3, padding: .init(all: 1))
        norm2 = try loader.groupNorm("norm2", channels: outputs, groups: groups, eps: eps)
        conv2 = try loader.conv2d(
            "conv2", in: outputs, out: outputs, kernel: 3, padding: .init(all: 1))
        shortcut =
            inputs == outputs
            ? nil
            : try loader.linear(
                "conv_shortcut", in: inputs, out: outputs,
                alternatives: [[outputs, inputs, 1, 1]])
    }

    var byteCount: Int {
        norm1.byteCount + conv1.byteCount + norm2.byteCount + conv2.byteCount
            + (shortcut?.byteCount ?? 0)
    }

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        let residual = try shortcut?.perPixel(x, on: compute) ?? x
        var y = try norm1(x, on: compute, activation: .silu)
        y = try conv1(y, on: compute)
        y = try norm2(y, on: compute, activation: .silu)
        return try conv2(y, on: compute, residual: residual)
    }
}
