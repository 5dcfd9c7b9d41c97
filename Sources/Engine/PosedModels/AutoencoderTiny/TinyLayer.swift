import PosedNN
import PosedTensor

/// One layer of the sequence that the encoder and the decoder are.
enum TinyLayer: Sendable {
    case convolution(Conv2d, Activation)
    case block(TinyBlock)

    var byteCount: Int {
        switch self {
        case .convolution(let convolution, _): convolution.byteCount
        case .block(let block): block.byteCount
        }
    }

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        switch self {
        case .convolution(let convolution, let activation):
            try convolution(x, on: compute, activation: activation)
        case .block(let block): try block(x, on: compute)
        }
    }
}
