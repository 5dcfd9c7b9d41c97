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

    /// Bytes of device memory that its weights take.
    package var byteCount: Int {
        layers.reduce(embeddings.byteCount + norm.byteCount) { $0 + $1.byteCount }
    }

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
