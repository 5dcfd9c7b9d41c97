import PosedBackend
package import PosedNN
package import PosedTensor

/// The variational autoencoder of latent diffusion models, in the layout and with the keys of diffusers'
/// `AutoencoderKL`.
package struct AutoencoderKL: Autoencoder {
    package let configuration: Configuration
    private let encoder: KLEncoder
    private let decoder: KLDecoder

    /// Takes the weights from `loader`; the caller then asks its reader to `finish`.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package init(_ loader: Loader, _ configuration: Configuration) throws {
        self.configuration = configuration
        encoder = try KLEncoder(loader, configuration)
        decoder = try KLDecoder(loader, configuration)
    }

    package var shape: AutoencoderShape { configuration.shape }

    package var downsampling: Int { 1 << (configuration.blockOutChannels.count - 1) }

    package func encode(_ image: Tensor, on compute: Compute) throws -> Tensor {
        try check(image: image)
        return try encoder(image, on: compute)
    }

    package func decode(_ latent: Tensor, on compute: Compute) throws -> Tensor {
        try check(latent: latent)
        return try decoder(latent, on: compute)
    }
}

/// Pictures to latents: [N, H, W, 3] to [N, h, w, C].
///
/// The last convolution gives the means alone: the product that may follow it, the shift and the scale
/// are folded into its filter, and the rows of the log-variances are never computed.
struct KLEncoder: Sendable {
    private let convIn: Conv2d
    private let blocks: [ResolutionBlock]
    private let middle: MidBlock
    private let normOut: GroupNorm
    private let convOut: Conv2d

    /// - Parameter loader: The loader of the whole autoencoder.
    init(_ loader: Loader, _ configuration: AutoencoderKL.Configuration) throws {
        let encoder = loader.scoped("encoder")
        let widths = configuration.blockOutChannels
        let (first, last) = (widths.first ?? 0, widths.last ?? 0)
        convIn = try encoder.conv2d(
            "conv_in", in: configuration.shape.inChannels, out: first, kernel: 3,
            padding: .init(all: 1))
        blocks = try widths.indices.map { index in
            try ResolutionBlock(
                encoder.scoped("down_blocks.\(index)"), in: widths[max(index - 1, 0)],
                out: widths[index], layers: configuration.layersPerBlock,
                groups: configuration.normGroups, step: index + 1 < widths.count ? .down : .none)
        }
        middle = try MidBlock(encoder.scoped("mid_block"), configuration)
        normOut = try encoder.groupNorm(
            "conv_norm_out", channels: last, groups: configuration.normGroups,
            eps: ResnetBlock.eps)
        convOut = try Self.means(loader, configuration, channels: last)
    }

    func callAsFunction(_ image: Tensor, on compute: Compute) throws -> Tensor {
        var x = try convIn(compute.dense(image, compute.precision), on: compute)
        for block in blocks { x = try block(x, on: compute) }
        x = try middle(x, on: compute)
        x = try normOut(x, on: compute, activation: .silu)
        return try convOut(x, on: compute, type: .f32)
    }

    /// The convolution that gives (mean − shift) · scaling.
    private static func means(
        _ loader: Loader, _ configuration: AutoencoderKL.Configuration, channels: Int
    ) throws -> Conv2d {
        let means = configuration.shape.latentChannels
        let moments = 2 * means
        let filter = loader.values("encoder.conv_out.weight", [moments, channels, 3, 3])
        let bias = loader.values("encoder.conv_out.bias", [moments])
        let product =
            configuration.quantConv
            ? loader.values("quant_conv.weight", [moments, moments, 1, 1]) : nil
        let offset = configuration.quantConv ? loader.values("quant_conv.bias", [moments]) : nil
        return try loader.conv2d(in: channels, out: means, kernel: 3, padding: .init(all: 1)) {
            let mixed = ChannelMix(product, offset, inputs: moments, outputs: means)
                .applied(to: filter, bias)
            let scale = configuration.shape.scalingFactor
            return (
                mixed.filter.map { Float($0 * scale) },
                mixed.bias.map { Float(($0 - configuration.shape.shiftFactor) * scale) }
            )
        }
    }
}

/// Latents to pictures: [N, h, w, C] to [N, H, W, 3].
struct KLDecoder: Sendable {
    private let product: Linear?
    private let convIn: Conv2d
    private let middle: MidBlock
    private let blocks: [ResolutionBlock]
    private let normOut: GroupNorm
    private let convOut: Conv2d
    private let configuration: AutoencoderKL.Configuration

    /// - Parameter loader: The loader of the whole autoencoder.
    init(_ loader: Loader, _ configuration: AutoencoderKL.Configuration) throws {
        self.configuration = configuration
        let decoder = loader.scoped("decoder")
        let widths = Array(configuration.blockOutChannels.reversed())
        let (first, last) = (widths.first ?? 0, widths.last ?? 0)
        let latent = configuration.shape.latentChannels
        product =
            configuration.postQuantConv
            ? try loader.linear(
                "post_quant_conv", in: latent, out: latent,
                alternatives: [[latent, latent, 1, 1]]) : nil
        convIn = try decoder.conv2d(
            "conv_in", in: latent, out: first, kernel: 3, padding: .init(all: 1))
        middle = try MidBlock(decoder.scoped("mid_block"), configuration)
        blocks = try widths.indices.map { index in
            try ResolutionBlock(
                decoder.scoped("up_blocks.\(index)"), in: widths[max(index - 1, 0)],
                out: widths[index], layers: configuration.layersPerBlock + 1,
                groups: configuration.normGroups, step: index + 1 < widths.count ? .up : .none)
        }
        normOut = try decoder.groupNorm(
            "conv_norm_out", channels: last, groups: configuration.normGroups,
            eps: ResnetBlock.eps)
        convOut = try decoder.conv2d(
            "conv_out", in: last, out: configuration.shape.outChannels, kernel: 3,
            padding: .init(all: 1))
    }

    func callAsFunction(_ latent: Tensor, on compute: Compute) throws -> Tensor {
        var x = try compute.scratch(latent.shape, .f32)
        try compute.combine(
            [(Float(1 / configuration.shape.scalingFactor), latent)],
            bias: Float(configuration.shape.shiftFactor), into: x)
        x = try product?.perPixel(x, on: compute) ?? compute.dense(x, compute.precision)
        x = try convIn(x, on: compute)
        x = try middle(x, on: compute)
        for block in blocks { x = try block(x, on: compute) }
        x = try normOut(x, on: compute, activation: .silu)
        return try convOut(x, on: compute, type: .f32)
    }
}

/// The residual blocks of one resolution and the step to the next: `DownEncoderBlock2D` and
/// `UpDecoderBlock2D`.
struct ResolutionBlock: Sendable {
    /// The layer after the residual blocks.
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

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        var y = x
        for resnet in resnets { y = try resnet(y, on: compute) }
        if let step { y = try step(y, on: compute) }
        return y
    }
}

/// Two residual blocks at the coarsest resolution, with attention between them where there is any.
struct MidBlock: Sendable {
    private let first: ResnetBlock
    private let attention: PixelAttention?
    private let second: ResnetBlock

    init(_ loader: Loader, _ configuration: AutoencoderKL.Configuration) throws {
        let channels = configuration.blockOutChannels.last ?? 0
        let groups = configuration.normGroups
        first = try ResnetBlock(
            loader.scoped("resnets.0"), in: channels, out: channels, groups: groups)
        attention =
            configuration.midBlockAttention
            ? try PixelAttention(
                loader.scoped("attentions.0"), channels: channels, groups: groups) : nil
        second = try ResnetBlock(
            loader.scoped("resnets.1"), in: channels, out: channels, groups: groups)
    }

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        var y = try first(x, on: compute)
        if let attention { y = try attention(y, on: compute) }
        return try second(y, on: compute)
    }
}

/// Two times a norm, SiLU and a convolution, with a residual connection: [N, H, W, in] to [N, H, W, out].
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

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        let residual = try shortcut?.perPixel(x, on: compute) ?? x
        var y = try norm1(x, on: compute, activation: .silu)
        y = try conv1(y, on: compute)
        y = try norm2(y, on: compute, activation: .silu)
        return try conv2(y, on: compute, residual: residual)
    }
}

/// Attention of every pixel to every other, with one head: [N, H, W, C] to the same.
///
/// The names are those of today's files; the published autoencoders of Stable Diffusion still have the
/// older `query`, `key`, `value` and `proj_attn`, some of them as filters [C, C, 1, 1].
struct PixelAttention: Sendable {
    private let norm: GroupNorm
    private let qkv: Linear
    private let projection: Linear

    init(_ loader: Loader, channels: Int, groups: Int) throws {
        let filter = [channels, channels, 1, 1]
        try loader.compute.require(.attention(heads: 1, size: channels))
        norm = try loader.groupNorm(
            "group_norm", channels: channels, groups: groups, eps: ResnetBlock.eps)
        qkv = try loader.joined(
            ["to_q", "to_k", "to_v"], in: channels, outs: [channels, channels, channels],
            aliases: [["query"], ["key"], ["value"]], alternatives: [filter])
        projection = try loader.linear(
            "to_out.0", in: channels, out: channels, aliases: ["proj_attn"],
            alternatives: [filter])
    }

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        let tokens = [x.shape[0], x.shape[1] * x.shape[2], x.shape[3]]
        let y = try norm(x, on: compute).reshaped(tokens)  // [N, H·W, C]
        let attended = try Attention.selfAttention(qkv: qkv(y, on: compute), heads: 1, on: compute)
        return try projection(attended, on: compute, residual: x.reshaped(tokens))
            .reshaped(x.shape)  // [N, H, W, C]
    }
}

/// A product over channels, computed into the filter of the convolution before it, in double precision.
struct ChannelMix {
    private let product: [Float]?
    private let offset: [Float]?
    private let inputs: Int
    private let outputs: Int

    /// - Parameters:
    ///   - product: [inputs or fewer rows, inputs] row-major, of which the first `outputs` rows count;
    ///     nil keeps the first `outputs` channels as they are.
    ///   - offset: Added afterwards.
    init(_ product: [Float]?, _ offset: [Float]?, inputs: Int, outputs: Int) {
        self.product = product
        self.offset = offset
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The filter [outputs, …] and bias [outputs] of both layers in one.
    ///
    /// - Parameters:
    ///   - filter: [inputs, …], row-major.
    ///   - bias: [inputs].
    func applied(to filter: [Float], _ bias: [Float]) -> (filter: [Double], bias: [Double]) {
        let size = filter.count / inputs
        var mixedFilter = [Double](repeating: 0, count: outputs * size)
        var mixedBias = [Double](repeating: 0, count: outputs)
        for row in 0..<outputs {
            if let offset { mixedBias[row] = Double(offset[row]) }
            for column in 0..<inputs {
                let factor =
                    product.map { Double($0[row * inputs + column]) }
                    ?? (row == column ? 1 : 0)
                if factor == 0 { continue }
                mixedBias[row] += factor * Double(bias[column])
                for index in 0..<size {
                    mixedFilter[row * size + index] +=
                        factor * Double(filter[column * size + index])
                }
            }
        }
        return (mixedFilter, mixedBias)
    }
}

extension AutoencoderKL {
    /// The shape of an AutoencoderKL, as its `config.json` gives it.
    package struct Configuration: Sendable, Equatable {
        package var shape = AutoencoderShape(scalingFactor: 0.18215)
        /// Channels at each resolution, the finest first.
        package var blockOutChannels = [128, 256, 512, 512]
        /// Residual blocks at each resolution of the encoder; the decoder has one more.
        package var layersPerBlock = 2
        package var normGroups = 32
        package var midBlockAttention = true
        /// Whether a product follows the encoder, and whether one precedes the decoder.
        package var quantConv = true
        package var postQuantConv = true
        /// Whether it overflows in float16.
        package var forceUpcast = false

        /// Stable Diffusion's autoencoder.
        package init() {}

        /// Reads `config.json`; missing keys take the defaults of diffusers.
        ///
        /// - Throws: `ModelError` that names the file and the key.
        package init(_ file: ConfigurationFile) throws(ModelError) {
            shape = try AutoencoderShape(file, scalingFactor: 0.18215)
            blockOutChannels = try file.integers(
                "block_out_channels", default: [64], in: 1...8192)
            layersPerBlock = try file.integer("layers_per_block", default: 1, in: 1...64)
            normGroups = try file.integer("norm_num_groups", default: 32, in: 1...8192)
            midBlockAttention = try file.bool("mid_block_add_attention", default: true)
            quantConv = try file.bool("use_quant_conv", default: true)
            postQuantConv = try file.bool("use_post_quant_conv", default: true)
            forceUpcast = try file.bool("force_upcast", default: false)
            try Self.checkBlocks("down_block_types", "DownEncoderBlock2D", file, blockOutChannels)
            try Self.checkBlocks("up_block_types", "UpDecoderBlock2D", file, blockOutChannels)
            guard blockOutChannels.allSatisfy({ $0.isMultiple(of: normGroups) }) else {
                throw file.refusal(
                    .mismatch, "block_out_channels",
                    "must be multiples of \"norm_num_groups\" (\(normGroups))")
            }
            guard ["silu", "swish"].contains(try file.string("act_fn", default: "silu")) else {
                throw file.refusal(.unsupported, "act_fn", "must be silu")
            }
            try file.absent("latents_mean")
            try file.absent("latents_std")
        }

        private static func checkBlocks(
            _ key: String, _ kind: String, _ file: ConfigurationFile, _ channels: [Int]
        ) throws(ModelError) {
            let kinds = try file.strings(key, default: [kind])
            guard kinds.allSatisfy({ $0 == kind }) else {
                throw file.refusal(.unsupported, key, "must hold \(kind) alone")
            }
            guard kinds.count == channels.count else {
                throw file.refusal(
                    .mismatch, key,
                    "must be as long as \"block_out_channels\" (\(channels.count))")
            }
        }
    }
}
