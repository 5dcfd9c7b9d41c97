import PosedBackend
import PosedNN
import PosedTensor

/// Latents to pictures: [N, h, w, C] to [N, H, W, 3].
///
/// Latents are softly clamped to 3 · tanh(x / 3); the factor 3 and the way from [0, 1] to [−1, 1] at the
/// end are part of the first and last filters.
struct TinyDecoder: Sendable {
    private let first: Conv2d
    private let layers: [TinyLayer]
    private let last: Conv2d
    private let configuration: AutoencoderTiny.Configuration

    init(_ loader: Loader, _ configuration: AutoencoderTiny.Configuration) throws {
        self.configuration = configuration
        let width = configuration.decoderChannels
        first = try Self.conv2d(
            loader, 0, in: configuration.latentChannels, out: width, scale: 3
        ) { $0 }
        var layers: [TinyLayer] = []
        var index = 2  // the activation between has a number, too
        for (stage, blocks) in configuration.decoderBlocks.enumerated() {
            for _ in 0..<blocks {
                let block = try TinyBlock(
                    loader.scoped("\(index)"), channels: width,
                    activation: configuration.activation)
                layers.append(.block(block))
                index += 1
            }
            if stage + 1 == configuration.decoderBlocks.count { break }
            let convolution = try loader.conv2d(
                "\(index + 1)", in: width, out: width, kernel: 3, padding: .init(all: 1),
                upsample: 2, bias: false)
            layers.append(.convolution(convolution, .none))
            index += 2  // the enlargement, and its convolution
        }
        self.layers = layers
        last = try Self.conv2d(
            loader, index, in: width, out: configuration.outChannels, scale: 2
        ) { 2 * $0 - 1 }
    }

    var byteCount: Int {
        layers.reduce(first.byteCount + last.byteCount) { $0 + $1.byteCount }
    }

    func callAsFunction(_ latent: Tensor, on compute: Compute) throws -> Tensor {
        let x = try compute.scratch(latent.shape, .f32)
        let scale = 1 / (3 * configuration.scalingFactor)
        try compute.combine(
            [(Float(scale), latent)], bias: Float(configuration.shiftFactor / 3), into: x)
        var y = try compute.activate(x, .tanh, type: compute.precision)
        y = try first(y, on: compute, activation: configuration.activation)
        for layer in layers { y = try layer(y, on: compute) }
        return try last(y, on: compute, type: .f32)
    }

    /// The convolution at a place in the sequence, its filter scaled and its bias changed.
    private static func conv2d(
        _ loader: Loader, _ index: Int, in inputs: Int, out outputs: Int, scale: Float,
        bias change: (Float) -> Float
    ) throws -> Conv2d {
        let filter = loader.values("\(index).weight", [outputs, inputs, 3, 3])
        let bias = loader.values("\(index).bias", [outputs])
        return try loader.conv2d(in: inputs, out: outputs, kernel: 3, padding: .init(all: 1)) {
            (filter.map { $0 * scale }, bias.map(change))
        }
    }
}
