import PosedBackend
import PosedNN
import PosedTensor

/// Pictures to latents: [N, H, W, 3] to [N, h, w, C]. Shift and scale are part of the last filter.
struct TinyEncoder: Sendable {
    private let layers: [TinyLayer]
    private let last: Conv2d

    init(_ loader: Loader, _ configuration: AutoencoderTiny.Configuration) throws {
        let width = configuration.encoderChannels
        var layers: [TinyLayer] = []
        for (stage, blocks) in configuration.encoderBlocks.enumerated() {
            let convolution = try loader.conv2d(
                "\(layers.count)", in: stage == 0 ? configuration.inChannels : width, out: width,
                kernel: 3, stride: stage == 0 ? 1 : 2, padding: .init(all: 1), bias: stage == 0)
            layers.append(.convolution(convolution, .none))
            for _ in 0..<blocks {
                let block = try TinyBlock(
                    loader.scoped("\(layers.count)"), channels: width,
                    activation: configuration.activation)
                layers.append(.block(block))
            }
        }
        self.layers = layers
        let latent = configuration.latentChannels
        let filter = loader.values("\(layers.count).weight", [latent, width, 3, 3])
        let bias = loader.values("\(layers.count).bias", [latent])
        last = try loader.conv2d(in: width, out: latent, kernel: 3, padding: .init(all: 1)) {
            let (scale, shift) = (configuration.scalingFactor, configuration.shiftFactor)
            return (
                filter.map { Float(Double($0) * scale) },
                bias.map { Float((Double($0) - shift) * scale) }
            )
        }
    }

    var byteCount: Int { layers.reduce(last.byteCount) { $0 + $1.byteCount } }

    func callAsFunction(_ image: Tensor, on compute: Compute) throws -> Tensor {
        // The convolutions see [0, 1].
        var x = try compute.scratch(image.shape, .f32)
        try compute.combine([(0.5, image)], bias: 0.5, into: x)
        x = try compute.dense(x, compute.precision)
        for layer in layers { x = try layer(x, on: compute) }
        return try last(x, on: compute, type: .f32)
    }
}
