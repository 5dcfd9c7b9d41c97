import PosedBackend
package import PosedNN
package import PosedTensor
package import PosedWeights

/// The image encoder DINOv2, in the layout and with the keys of transformers' `Dinov2Model` and
/// `Dinov2WithRegistersModel`.
package struct DINOv2: Sendable {
    package let configuration: Configuration
    private let embeddings: DINOv2Embeddings
    private let layers: [DINOv2Layer]
    private let norm: LayerNorm

    /// Takes the weights from `loader`; the caller then asks its reader to `finish`.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package init(_ loader: Loader, _ configuration: Configuration) throws {
        self.configuration = configuration
        embeddings = try DINOv2Embeddings(loader.scoped("embeddings"), configuration)
        layers = try (0..<configuration.layers).map { index in
            try DINOv2Layer(loader.scoped("encoder.layer.\(index)"), configuration)
        }
        norm = try loader.layerNorm(
            "layernorm", features: configuration.hiddenSize, eps: configuration.eps)
    }

    /// Loads an encoder's folder.
    ///
    /// - Throws: `ModelError` for the configuration, `WeightsError` for the files, `BackendError` when
    ///   the device has no room.
    package static func load(
        folder: String, on compute: Compute
    ) throws -> (model: DINOv2, report: LoadReport) {
        let configuration = try Configuration(ConfigurationFile(folder: folder))
        let reader = WeightReader(try WeightStore(folder: folder, base: "model"))
        let model = try DINOv2(Loader(reader, on: compute), configuration)
        // The mask token is for training.
        let report = try reader.finish(allowUnused: ["embeddings.mask_token"])
        try compute.synchronize()
        return (model, report)
    }

    /// Features of a token.
    package var features: Int { configuration.hiddenSize }

    /// Tokens that a picture of that size becomes: the class and one for each patch.
    package func tokens(height: Int, width: Int) -> Int {
        1 + (height / configuration.patchSize) * (width / configuration.patchSize)
    }

    /// Makes the position embeddings for a size of picture. To be called before a forward of that size is
    /// captured, which finds them as long as the result is kept; the captured graph then keeps them itself.
    ///
    /// - Returns: [patches, D] float32.
    /// - Throws: `BackendError` when the device has no room.
    package func prepare(height: Int, width: Int, on compute: Compute) throws -> Tensor {
        try embeddings.prepare(height: height, width: width, on: compute)
    }

    /// The last hidden state: the class token, then the patches in row-major order; no registers.
    ///
    /// - Parameter pixels: [N, H, W, channels] float32, normalised as the encoder's preprocessor says;
    ///   pixels beyond the last whole patch do not count.
    /// - Returns: [N, 1 + patches, D] float32.
    /// - Throws: `ModelError` `.mismatch` for another shape, `BackendError` when the device fails.
    package func callAsFunction(_ pixels: Tensor, on compute: Compute) throws -> Tensor {
        try check(pixels)
        let tokens = try embeddings(pixels, on: compute)  // [N, 1 + registers + patches, D]
        for layer in layers { try layer(tokens, on: compute) }
        let registers = configuration.registers ?? 0
        guard registers > 0 else { return try norm(tokens, on: compute, type: .f32) }
        let shape = [tokens.shape[0], tokens.shape[1] - registers, tokens.shape[2]]
        let result = try compute.scratch(shape, .f32)
        for (from, to) in [(0..<1, 0..<1), (1 + registers..<tokens.shape[1], 1..<shape[1])] {
            try compute.layerNorm(
                tokens.sliced(axis: 1, from), affine: (norm.gamma, norm.beta), eps: norm.eps,
                into: result.sliced(axis: 1, to))
        }
        return result  // [N, 1 + patches, D]
    }

    private func check(_ pixels: Tensor) throws(ModelError) {
        let (shape, patch) = (pixels.shape, configuration.patchSize)
        guard shape.count == 4, shape[0] > 0, shape[1] >= patch, shape[2] >= patch,
            shape[3] == configuration.channels, pixels.dtype == .f32, pixels.isDense
        else {
            throw ModelError(
                .mismatch,
                "pictures [N, H, W, \(configuration.channels)] of f32 with sides of at least \(patch) "
                    + "expected, but \(shape) of \(pixels.dtype.name) came")
        }
    }
}

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

/// One transformer layer: attention and an MLP, each behind a norm and scaled by feature.
struct DINOv2Layer: Sendable {
    private let heads: Int
    private let norm1: LayerNorm
    private let qkv: Linear
    private let projection: Linear
    private let scale1: Tensor
    private let norm2: LayerNorm
    private let mlp: DINOv2MLP
    private let scale2: Tensor

    init(_ loader: Loader, _ configuration: DINOv2.Configuration) throws {
        let loader = loader.tokenwise
        let width = configuration.hiddenSize
        heads = configuration.heads
        try loader.compute.require(.attention(heads: heads, size: width / heads))
        norm1 = try loader.layerNorm("norm1", features: width, eps: configuration.eps)
        let attention = loader.scoped("attention")
        qkv = try attention.joined(
            ["attention.query", "attention.key", "attention.value"], in: width,
            outs: [width, width, width], bias: configuration.qkvBias)
        projection = try attention.linear("output.dense", in: width, out: width)
        scale1 = try loader.parameter("layer_scale1.lambda1", [width])
        norm2 = try loader.layerNorm("norm2", features: width, eps: configuration.eps)
        mlp = try DINOv2MLP(loader.scoped("mlp"), configuration)
        scale2 = try loader.parameter("layer_scale2.lambda1", [width])
    }

    /// Adds the layer to the tokens in place: [B, T, D] float32.
    func callAsFunction(_ tokens: Tensor, on compute: Compute) throws {
        let batch = tokens.shape[0]
        let normed = try norm1(tokens, on: compute)
        let attended = try Attention.selfAttention(
            qkv: qkv(normed, on: compute), heads: heads, on: compute)
        try projection(
            attended, on: compute, gate: scale1.broadcast(batch), residual: tokens, into: tokens)
        try mlp(
            norm2(tokens, on: compute), on: compute, gate: scale2.broadcast(batch), addingTo: tokens
        )
    }
}

/// The MLP of a layer: two products around an activation, or SwiGLU.
struct DINOv2MLP: Sendable {
    private let input: Linear
    private let output: Linear
    /// The activation between the products; nil for SwiGLU.
    private let activation: Activation?

    init(_ loader: Loader, _ configuration: DINOv2.Configuration) throws {
        let (width, inner) = (configuration.hiddenSize, configuration.mlpWidth)
        if configuration.usesSwiGLU {
            input = try loader.linear("weights_in", in: width, out: 2 * inner)
            output = try loader.linear("weights_out", in: inner, out: width)
            activation = nil
        } else {
            input = try loader.linear("fc1", in: width, out: inner)
            output = try loader.linear("fc2", in: inner, out: width)
            activation = configuration.activation
        }
    }

    /// tokens += gate · mlp(x), with x and tokens [B, T, D] and the gate [B, D].
    func callAsFunction(
        _ x: Tensor, on compute: Compute, gate: Tensor, addingTo tokens: Tensor
    ) throws {
        let inner =
            if let activation {
                try input(x, on: compute, activation: activation)
            } else {
                try compute.glu(input(x, on: compute), .silu)
            }  // [B, T, inner]
        try output(inner, on: compute, gate: gate, residual: tokens, into: tokens)
    }
}

extension DINOv2 {
    /// The shape of a DINOv2, as its `config.json` gives it.
    package struct Configuration: Sendable {
        package var hiddenSize = 768
        package var layers = 12
        package var heads = 12
        /// Width of the MLP over `hiddenSize`, before SwiGLU takes two thirds of it.
        package var mlpRatio = 4.0
        package var activation = Activation.gelu
        package var eps: Float = 1e-6
        /// Side in pixels of the pictures that the position embeddings are for.
        package var imageSize = 518
        package var patchSize = 14
        package var channels = 3
        package var qkvBias = true
        package var usesSwiGLU = false
        /// Tokens besides the class and the patches; nil: a model of the class without them.
        package var registers: Int?

        /// DINOv2-B as published.
        package init() {}

        /// DINOv2-g as published.
        package static var giant: Configuration {
            var configuration = Configuration()
            configuration.hiddenSize = 1536
            configuration.layers = 40
            configuration.heads = 24
            configuration.usesSwiGLU = true
            return configuration
        }

        /// Reads `config.json`; missing keys take the defaults of transformers.
        ///
        /// - Throws: `ModelError` that names the file and the key.
        package init(_ file: ConfigurationFile) throws(ModelError) {
            let hasRegisters = try Self.hasRegisters(file)
            hiddenSize = try file.integer("hidden_size", default: 768, in: 4...16384)
            layers = try file.integer("num_hidden_layers", default: 12, in: 1...256)
            heads = try file.integer("num_attention_heads", default: 12, in: 1...1024)
            mlpRatio = try file.number("mlp_ratio", default: 4, in: 0.01...64)
            activation = try file.activation("hidden_act", default: "gelu")
            eps = Float(try file.number("layer_norm_eps", default: 1e-6, in: 0...1))
            imageSize = try file.side("image_size", default: 224, in: 1...16384)
            patchSize = try file.side(
                "patch_size", default: hasRegisters ? 16 : 14, in: 1...1024)
            channels = try file.integer("num_channels", default: 3, in: 1...64)
            qkvBias = try file.bool("qkv_bias", default: true)
            usesSwiGLU = try file.bool("use_swiglu_ffn", default: false)
            registers =
                hasRegisters
                ? try file.integer("num_register_tokens", default: 4, in: 0...1024) : nil
            guard hiddenSize.isMultiple(of: heads) else {
                throw file.refusal(
                    .mismatch, "hidden_size",
                    "must be a multiple of \"num_attention_heads\" (\(heads))")
            }
            guard imageSize >= patchSize else {
                throw file.refusal(
                    .mismatch, "image_size", "must be at least \"patch_size\" (\(patchSize))")
            }
        }

        /// Patches along a side of the pictures that the position embeddings are for.
        package var grid: Int { imageSize / patchSize }

        /// The width between the two products of an MLP.
        package var mlpWidth: Int {
            let width = Int(Double(hiddenSize) * mlpRatio)
            return usesSwiGLU ? (Int(Double(width) * 2 / 3) + 7) / 8 * 8 : width
        }

        private static func hasRegisters(_ file: ConfigurationFile) throws(ModelError) -> Bool {
            let fallback = try file.strings("architectures", default: []).first
            let name = try file.string("model_type", default: fallback ?? "")
            switch name {
            case "dinov2", "Dinov2Model": return false
            case "dinov2_with_registers", "Dinov2WithRegistersModel": return true
            default:
                throw file.refusal(
                    .unsupported, "model_type", "must be dinov2 or dinov2_with_registers")
            }
        }
    }
}
