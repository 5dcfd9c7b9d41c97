import PosedBackend
import PosedNN
import PosedTensor
import PosedWeights

/// Pictures to tokens: the class, the registers, then a token for each patch in row-major order.
struct DINOv2Embeddings: Sendable {
    private let patchSize: Int
    private let channels: Int
    private let projection: Linear
    /// The class token with its position, then the registers: [1 + registers, D].
    private let prefix: Tensor
    private let positions: PositionCache

    init(_ loader: Loader, _ configuration: DINOv2.Configuration) throws {
        patchSize = configuration.patchSize
        channels = configuration.channels
        projection = try Self.projection(loader.scoped("patch_embeddings"), configuration)
        let (width, grid) = (configuration.hiddenSize, configuration.grid)
        let classToken = loader.values("cls_token", [1, 1, width])
        let embeddings = loader.values("position_embeddings", [1, 1 + grid * grid, width])
        let registers = configuration.registers.map {
            loader.values("register_tokens", [1, $0, width])
        }
        let isComplete = !loader.reader.hasProblems
        let first = isComplete ? zip(classToken, embeddings).map { $0 + $1 } : []
        let rows = isComplete ? 1 + (configuration.registers ?? 0) : 0
        prefix = try loader.compute.tensor(
            isComplete ? first + (registers ?? []) : [], [rows, width])
        positions = PositionCache(
            PositionGrid(
                side: grid, width: width, values: Array(embeddings.dropFirst(width)),
                antialias: configuration.registers != nil))
    }

    var byteCount: Int { projection.byteCount + prefix.byteCount }

    /// The position embeddings for a size of picture.
    func prepare(height: Int, width: Int, on compute: Compute) throws -> Tensor {
        try positions.embeddings(
            rows: height / patchSize, columns: width / patchSize, on: compute)
    }

    /// [N, H, W, channels] to [N, T, D] float32. Pixels beyond the last whole patch do not count.
    func callAsFunction(_ pixels: Tensor, on compute: Compute) throws -> Tensor {
        let images = pixels.shape[0]
        let (rows, columns) = (pixels.shape[1] / patchSize, pixels.shape[2] / patchSize)
        let (leading, width) = (prefix.shape[0], prefix.shape[1])
        let tokens = try compute.scratch([images, leading + rows * columns, width], .f32)
        try compute.copy(
            prefix.broadcast(images), to: tokens.sliced(axis: 1, 0..<leading))
        let position = try positions.embeddings(rows: rows, columns: columns, on: compute)
        return try patches(pixels, rows, columns, on: compute, add: position, to: tokens, leading)
    }

    private func patches(
        _ pixels: Tensor, _ rows: Int, _ columns: Int, on compute: Compute,
        add position: Tensor, to tokens: Tensor, _ leading: Int
    ) throws -> Tensor {
        let images = pixels.shape[0]
        let run = patchSize * channels
        let features = try compute.scratch(
            [images, rows, columns, patchSize, run], compute.precision)
        let whole = pixels.sliced(axis: 1, 0..<rows * patchSize)
            .sliced(axis: 2, 0..<columns * patchSize)
        // A patch's row lies together in both: [N, rows, columns, patch, patch · channels].
        let view = Tensor(
            storage: whole.storage, offset: whole.offset, dtype: whole.dtype,
            shape: features.shape,
            strides: [
                whole.strides[0], whole.strides[1] * patchSize, run, whole.strides[1], 1,
            ])
        try compute.copy(view, to: features)
        try projection(
            features.reshaped([images, rows * columns, patchSize * run]), on: compute,
            residual: position.broadcast(images),
            into: tokens.sliced(axis: 1, leading..<tokens.shape[1]))
        return tokens
    }

    /// The filter [D, channels, patch, patch] as a matrix over a patch's pixels, channels innermost.
    private static func projection(
        _ loader: Loader, _ configuration: DINOv2.Configuration
    ) throws -> Linear {
        let (width, patch) = (configuration.hiddenSize, configuration.patchSize)
        let channels = configuration.channels
        let filter = loader.values("projection.weight", [width, channels, patch, patch])
        let bias = loader.values("projection.bias", [width])
        let inputs = channels * patch * patch
        return try loader.linear(in: inputs, out: width, bias: bias) {
            var matrix = [Float](repeating: 0, count: filter.count)
            for row in 0..<width {
                for channel in 0..<channels {
                    for pixel in 0..<patch * patch {
                        matrix[row * inputs + pixel * channels + channel] =
                            filter[row * inputs + channel * patch * patch + pixel]
                    }
                }
            }
            return matrix
        }
    }
}
