import PosedBackend
import PosedNN
import PosedTensor

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
        let latent = configuration.latentChannels
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
            "conv_out", in: last, out: configuration.outChannels, kernel: 3,
            padding: .init(all: 1))
    }

    var byteCount: Int {
        let ends = convIn.byteCount + normOut.byteCount + convOut.byteCount
        return blocks.reduce(ends + middle.byteCount + (product?.byteCount ?? 0)) {
            $0 + $1.byteCount
        }
    }

    func callAsFunction(_ latent: Tensor, on compute: Compute) throws -> Tensor {
        var x = try compute.scratch(latent.shape, .f32)
        try compute.combine(
            [(Float(1 / configuration.scalingFactor), latent)],
            bias: Float(configuration.shiftFactor), into: x)
        x = try product?.perPixel(x, on: compute) ?? compute.dense(x, compute.precision)
        x = try convIn(x, on: compute)
        x = try middle(x, on: compute)
        for block in blocks { x = try block(x, on: compute) }
        x = try normOut(x, on: compute, activation: .silu)
        return try convOut(x, on: compute, type: .f32)
    }
}
