import PosedNN
import PosedTensor

/// Three convolutions beside a shortcut, then ReLU: [N, H, W, C] to the same.
struct TinyBlock: Sendable {
    private let convolutions: [Conv2d]
    private let activation: Activation

    init(_ loader: Loader, channels: Int, activation: Activation) throws {
        self.activation = activation
        // The layers between are activations.
        convolutions = try [0, 2, 4].map { index in
            try loader.conv2d(
                "conv.\(index)", in: channels, out: channels, kernel: 3, padding: .init(all: 1))
        }
    }

    var byteCount: Int { convolutions.reduce(0) { $0 + $1.byteCount } }

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        let y = try convolutions[0](x, on: compute, activation: activation)
        let z = try convolutions[1](y, on: compute, activation: activation)
        return try convolutions[2](z, on: compute, activation: .relu, residual: x)
    }
}
