import PosedNN
import PosedTensor

/// The residual blocks of one resolution and the step to the next: `DownEncoderBlock2D` and
/// `UpDecoderBlock2D`.
struct ResolutionBlock: Sendable {
    /// What follows the residual blocks.
    enum Step: Sendable {
        /// Half the height and width.
        case down
        /// Twice the height and width.
        case up
        case none
    }

    private let resnets: [ResnetBlock]
    private let step: Conv2d?

    init(
        _ loader: Loader, in inputs: Int, out outputs: Int, layers: Int, groups: Int, step: Step
    ) throws {
        resnets = try (0..<layers).map { layer in
            try ResnetBlock(
                loader.scoped("resnets.\(layer)"), in: layer == 0 ? inputs : outputs,
                out: outputs, groups: groups)
        }
        self.step =
            switch step {
            case .down:
                try loader.conv2d(
                    "downsamplers.0.conv", in: outputs, out: outputs, kernel: 3, stride: 2,
                    padding: .init(top: 0, left: 0, bottom: 1, right: 1))
            case .up:
                try loader.conv2d(
                    "upsamplers.0.conv", in: outputs, out: outputs, kernel: 3,
                    padding: .init(all: 1), upsample: 2)
            case .none: nil
            }
    }

    var byteCount: Int { resnets.reduce(step?.byteCount ?? 0) { $0 + $1.byteCount } }

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        var y = x
        for resnet in resnets { y = try resnet(y, on: compute) }
        if let step { y = try step(y, on: compute) }
        return y
    }
}
