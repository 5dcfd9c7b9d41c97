import PosedNN
import PosedTensor

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

    var byteCount: Int { first.byteCount + (attention?.byteCount ?? 0) + second.byteCount }

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        var y = try first(x, on: compute)
        if let attention { y = try attention(y, on: compute) }
        return try second(y, on: compute)
    }
}
