import PosedBackend
import PosedNN
import PosedTensor

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
            "conv_in", in: configuration.inChannels, out: first, kernel: 3,
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

    var byteCount: Int {
        blocks.reduce(convIn.byteCount + normOut.byteCount + convOut.byteCount) {
            $0 + $1.byteCount
        } + middle.byteCount
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
        let means = configuration.latentChannels
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
            let scale = configuration.scalingFactor
            return (
                mixed.filter.map { Float($0 * scale) },
                mixed.bias.map { Float(($0 - configuration.shiftFactor) * scale) }
            )
        }
    }
}
