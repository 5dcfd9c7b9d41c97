import PosedBackend
package import PosedNN
package import PosedTensor

/// A small autoencoder that was distilled from a large one, in the layout and with the keys of
/// diffusers' `AutoencoderTiny`.
package struct AutoencoderTiny: Autoencoder {
    package let configuration: Configuration
    private let encoder: TinyEncoder
    private let decoder: TinyDecoder

    /// Takes the weights from `loader`; the caller then asks its reader to `finish`.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package init(_ loader: Loader, _ configuration: Configuration) throws {
        self.configuration = configuration
        encoder = try TinyEncoder(loader.scoped("encoder.layers"), configuration)
        decoder = try TinyDecoder(loader.scoped("decoder.layers"), configuration)
    }

    package var shape: AutoencoderShape { configuration.shape }

    package var downsampling: Int { 1 << (configuration.encoderBlocks.count - 1) }

    package func encode(_ image: Tensor, on compute: Compute) throws -> Tensor {
        try check(image: image)
        return try encoder(image, on: compute)
    }

    package func decode(_ latent: Tensor, on compute: Compute) throws -> Tensor {
        try check(latent: latent)
        return try decoder(latent, on: compute)
    }
}

/// Pictures to latents: [N, H, W, 3] to [N, h, w, C]. Shift and scale are part of the last filter.
struct TinyEncoder: Sendable {
    private let layers: [TinyLayer]
    private let last: Conv2d

    init(_ loader: Loader, _ configuration: AutoencoderTiny.Configuration) throws {
        let width = configuration.encoderChannels
        var layers: [TinyLayer] = []
        for (stage, blocks) in configuration.encoderBlocks.enumerated() {
            let convolution = try loader.conv2d(
                "\(layers.count)", in: stage == 0 ? configuration.shape.inChannels : width,
                out: width,
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
        let latent = configuration.shape.latentChannels
        let filter = loader.values("\(layers.count).weight", [latent, width, 3, 3])
        let bias = loader.values("\(layers.count).bias", [latent])
        last = try loader.conv2d(in: width, out: latent, kernel: 3, padding: .init(all: 1)) {
            let (scale, shift) = (
                configuration.shape.scalingFactor, configuration.shape.shiftFactor
            )
            return (
                filter.map { Float(Double($0) * scale) },
                bias.map { Float((Double($0) - shift) * scale) }
            )
        }
    }

    func callAsFunction(_ image: Tensor, on compute: Compute) throws -> Tensor {
        // The convolutions see [0, 1].
        var x = try compute.scratch(image.shape, .f32)
        try compute.combine([(0.5, image)], bias: 0.5, into: x)
        x = try compute.dense(x, compute.precision)
        for layer in layers { x = try layer(x, on: compute) }
        return try last(x, on: compute, type: .f32)
    }
}

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
            loader, 0, in: configuration.shape.latentChannels, out: width, scale: 3
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
            loader, index, in: width, out: configuration.shape.outChannels, scale: 2
        ) { 2 * $0 - 1 }
    }

    func callAsFunction(_ latent: Tensor, on compute: Compute) throws -> Tensor {
        let x = try compute.scratch(latent.shape, .f32)
        let scale = 1 / (3 * configuration.shape.scalingFactor)
        try compute.combine(
            [(Float(scale), latent)], bias: Float(configuration.shape.shiftFactor / 3), into: x)
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

/// One layer of the sequence that the encoder and the decoder are.
enum TinyLayer: Sendable {
    case convolution(Conv2d, Activation)
    case block(TinyBlock)

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        switch self {
        case .convolution(let convolution, let activation):
            try convolution(x, on: compute, activation: activation)
        case .block(let block): try block(x, on: compute)
        }
    }
}

/// Three convolutions with a residual connection, then ReLU: [N, H, W, C] to the same.
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

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        let y = try convolutions[0](x, on: compute, activation: activation)
        let z = try convolutions[1](y, on: compute, activation: activation)
        return try convolutions[2](z, on: compute, activation: .relu, residual: x)
    }
}

extension AutoencoderTiny {
    /// The shape of an AutoencoderTiny, as its `config.json` gives it.
    package struct Configuration: Sendable {
        package var shape = AutoencoderShape(scalingFactor: 1)
        /// Channels of every layer of the encoder, and of the decoder.
        package var encoderChannels = 64
        package var decoderChannels = 64
        /// Residual blocks at each resolution, in the order of the layers.
        package var encoderBlocks = [1, 3, 3, 3]
        package var decoderBlocks = [3, 3, 3, 1]
        package var activation = Activation.relu

        /// TAESD, the autoencoder for Stable Diffusion's latents.
        package init() {}

        /// Reads `config.json`; missing keys take the defaults of diffusers.
        ///
        /// - Throws: `ModelError` that names the file and the key.
        package init(_ file: ConfigurationFile) throws(ModelError) {
            shape = try AutoencoderShape(file, scalingFactor: 1)
            encoderBlocks = try file.integers(
                "num_encoder_blocks", default: encoderBlocks, in: 0...64)
            decoderBlocks = try file.integers(
                "num_decoder_blocks", default: decoderBlocks, in: 0...64)
            encoderChannels = try Self.width(
                "encoder_block_out_channels", file, count: encoderBlocks.count)
            decoderChannels = try Self.width(
                "decoder_block_out_channels", file, count: decoderBlocks.count)
            guard encoderBlocks.count == decoderBlocks.count else {
                throw file.refusal(
                    .mismatch, "num_decoder_blocks",
                    "must be as long as \"num_encoder_blocks\" (\(encoderBlocks.count))")
            }
            activation = try file.activation("act_fn", default: "relu")
            guard try file.string("upsample_fn", default: "nearest") == "nearest" else {
                throw file.refusal(.unsupported, "upsample_fn", "must be nearest")
            }
            guard try file.integer("upsampling_scaling_factor", default: 2, in: 1...16) == 2 else {
                throw file.refusal(.unsupported, "upsampling_scaling_factor", "must be 2")
            }
        }

        /// The one width of all layers: no layer of this class changes it.
        private static func width(
            _ key: String, _ file: ConfigurationFile, count: Int
        ) throws(ModelError) -> Int {
            let widths = try file.integers(key, default: [64, 64, 64, 64], in: 1...8192)
            guard let width = widths.first, widths.count == count,
                widths.allSatisfy({ $0 == width })
            else { throw file.refusal(.unsupported, key, "must be one number \(count) times") }
            return width
        }
    }
}
