import PosedBackend
package import PosedModels
package import PosedSolvers
package import PosedTensor
package import PosedVision

/// A source picture and a pose in; the person in that pose out. One thread uses a pipeline at a time.
///
/// The work comes in the pieces that a session caches: `source` once per source, `pose` once per pose,
/// `sample` and `decode` for each picture. Every piece is captured on first use and replayed after.
package final class Pipeline {
    package let model: PoseModel
    package let solvers: SolverRegistry
    /// Height and width of the pictures made, in pixels.
    package let width: Int
    package let height: Int
    let streams: PartStreams
    /// The solver of `sample`, with rows for the largest batch so far.
    private var solver: BatchSolver?
    private var parts: [String: CapturedPart] = [:]
    /// The last picture decoded, before it is rounded to 8 bits: [1, H, W, 3] float32.
    private var decoded: Tensor?

    /// A pipeline for pictures of the model's own size, or of another that it can compute.
    ///
    /// - Throws: `PipelineError` `.invalidRequest` for a size that cannot be.
    package init(
        _ model: PoseModel, solvers: SolverRegistry = SolverRegistry(),
        size: (width: Int, height: Int)? = nil
    ) throws {
        self.model = model
        self.solvers = solvers
        let size = size ?? model.pictureSize
        if let problem = model.problem(width: size.width, height: size.height) {
            throw PipelineError(.invalidRequest, problem.message)
        }
        (width, height) = size
        streams = model.streams
    }

    /// The latent's height and width.
    package var latentSize: LatentSize {
        LatentSize(
            height: height / model.autoencoder.downsampling,
            width: width / model.autoencoder.downsampling)
    }

    /// Encodes one or several pictures of a person, and all that the transformer makes of them. A model
    /// for which the first alone counts leaves the others out.
    ///
    /// They are resized as they are: `PictureFraming` brings them to the model's aspect before.
    ///
    /// - Throws: `PipelineError` for no picture, `VisionError` or `BackendError` when a step fails.
    package func source(_ pictures: [Image]) throws -> SourceCondition {
        guard !pictures.isEmpty else {
            throw PipelineError(
                .invalidRequest, "at least one source picture expected, but none came")
        }
        let counted = model.transformer.form.usesEverySource ? pictures : [pictures[0]]
        let sized = try counted.map { try $0.resized(width: width, height: height) }
        let latents = try self.latents(sized)
        let embeddings = try embed(sized, model.sourceEncoder, "source", streams.sourceEncoder)
        var source = try model.transformer.source(
            latents: latents, embeddings: embeddings, on: streams.transformer)
        if model.detailDecoder != nil {
            let first = latents.sliced(axis: 0, 0..<1)
            source.detail = SourceDetail(
                source: sized[0].bytes,
                reconstruction: try decodeOne(
                    streams.transformer.floats(first), first.shape
                ).bytes)
        }
        return source
    }

    /// Draws and encodes a pose, and all that the transformer makes of it.
    ///
    /// - Throws: `VisionError` or `BackendError` when a step fails.
    package func pose(_ pose: PoseInput) throws -> PoseCondition {
        let picture = try self.picture(of: pose)
        return try model.transformer.pose(
            latent: model.transformer.form.usesPoseLatent ? try latents([picture]) : nil,
            embedding: try embed([picture], model.poseEncoder, "pose", streams.poseEncoder),
            on: streams.transformer)
    }

    /// The picture of a pose as the model sees it.
    ///
    /// - Throws: `VisionError`.
    package func picture(of pose: PoseInput) throws -> Image {
        try pose.image(width: width, height: height, drawer: model.poseDrawer)
    }

    /// Brings source and pose together.
    ///
    /// - Throws: `BackendError` when the device fails.
    package func condition(_ source: SourceCondition, _ pose: PoseCondition) throws -> RowCondition
    {
        var row = try model.transformer.condition(source, pose, on: streams.transformer)
        row.detail = source.detail
        return row
    }

    /// Latents that were sampled.
    package struct Samples {
        /// [B, h, w, C] float32.
        package let latents: Tensor
        /// Velocity evaluations made; the most of any row where rows choose their steps.
        package let evaluations: Int
        /// How the solves ended.
        package let outcome: SolveOutcome
    }

    /// Samples latents for a batch of conditions that share all settings but the noise.
    ///
    /// - Parameters:
    ///   - noise: [B, C, h, w] values of deviation 1, as the specification orders them; nil draws row i from
    ///     seed + i.
    ///   - isCancelled: Asked before every evaluation.
    /// - Throws: `PipelineError` for impossible settings, a cancelled or a diverged solve, `SolverError`,
    ///   `BackendError` when the device fails.
    package func sample(
        _ conditions: [RowCondition], _ settings: SamplingSettings, noise: [Float]? = nil,
        isCancelled: () -> Bool = { false }
    ) throws -> Samples {
        let size = latentSize
        let channels = model.transformer.form.channels
        let count = channels * size.height * size.width
        if let noise, noise.count != count * conditions.count {
            throw PipelineError(
                .invalidRequest,
                "noise of \(count) values a picture expected "
                    + "([\(channels), \(size.height), \(size.width)]), but \(noise.count) came for "
                    + "\(conditions.count)")
        }
        let tableau = try solvers.tableau(settings.solver)
        let solver = try solver(for: conditions.count)
        let solves = try conditions.enumerated().map { row, condition in
            var own = settings
            own.seed &+= UInt64(row)
            return try solver.begin(
                condition, own, tableau,
                noise: noise.map { Array($0[row * count..<(row + 1) * count]) })
        }
        try solver.finish(solves, isCancelled: isCancelled)
        return Samples(
            latents: try join(solves.compactMap(\.latent), on: streams.transformer),
            evaluations: solves.map(\.evaluations).max() ?? 0,
            outcome: solves.map(\.outcome).first { $0 != .completed } ?? .completed)
    }

    /// A solver whose batches have room for so many conditions and their empty branches.
    private func solver(for conditions: Int) throws -> BatchSolver {
        if let solver, solver.batchRows >= 2 * conditions { return solver }
        let made = try BatchSolver(
            model.transformer, latentSize, rows: 2 * conditions, on: streams.transformer)
        solver = made
        return made
    }

    /// Tensors [1, …] of one shape in one, [B, …]; a single one as it is.
    private func join(_ rows: [Tensor], on compute: Compute) throws -> Tensor {
        if rows.count == 1 { return rows[0] }
        let joined = try compute.scratch([rows.count] + rows[0].shape.dropFirst(), rows[0].dtype)
        for (index, row) in rows.enumerated() {
            try compute.copy(row, to: joined.sliced(axis: 0, index..<index + 1))
        }
        return joined
    }

    /// Decodes latents [B, h, w, C] to pictures.
    ///
    /// - Parameter conditions: What each row was sampled with, for the source's details; none: the
    ///   pictures are as the autoencoder paints them.
    /// - Throws: `PipelineError` `.diverged` for latents that are not finite, `BackendError` when the
    ///   device fails.
    package func decode(_ latents: Tensor, of conditions: [RowCondition] = []) throws -> [Image] {
        try decodeEach(latents, of: conditions).map { try $0.get() }
    }

    /// Decodes latents [B, h, w, C], each by itself: one that is not finite leaves the others alone.
    ///
    /// - Throws: `BackendError` when the device fails.
    package func decodeEach(
        _ latents: Tensor, of conditions: [RowCondition] = []
    ) throws -> [Result<Image, PipelineError>] {
        let values = try streams.transformer.floats(latents)
        let stride = values.count / latents.shape[0]
        return try (0..<latents.shape[0]).map { row in
            let latent = Array(values[row * stride..<(row + 1) * stride])
            guard latent.allSatisfy(\.isFinite) else {
                return .failure(
                    PipelineError(
                        .diverged,
                        "the solve ended in values that are not finite; fewer or more steps, or "
                            + "less guidance, may help"))
            }
            let picture = try decodeOne(latent, latents.shape)
            guard row < conditions.count, let detail = conditions[row].detail,
                let decoder = model.detailDecoder
            else { return .success(picture) }
            return .success(try decoder.blend(picture, with: detail))
        }
    }

    /// Pictures of `width` × `height` to latents, [S, h, w, C] float32 on the transformer's stream.
    package func latents(_ pictures: [Image]) throws -> Tensor {
        let size = latentSize
        let channels = model.autoencoder.latentChannels
        let compute = streams.vae
        let part = try part(
            "encode", [1, height, width, 3], [1, size.height, size.width, channels], on: compute
        ) {
            try compute.copy(try self.model.autoencoder.encode($0, on: compute), to: $1)
        }
        return try gather(pictures.count, like: part.output, from: compute) { index in
            try part(pictures[index].planes(.signed, layout: .nhwc), on: compute)
        }
    }

    /// Drops the captured graph of the source's encoder, so that its weights can be released.
    package func dropSourceEncoder() { parts["source"] = nil }

    private func embed(
        _ pictures: [Image], _ encoder: PoseModel.ImageEncoder, _ name: String, _ compute: Compute
    ) throws -> Tensor {
        let (columns, rows) = encoder.preprocessor.outputSize(width: width, height: height)
        let model = try encoder.model()
        let tokens = [1, model.tokens(height: rows, width: columns), model.features]
        // A capture finds position embeddings, but cannot make them.
        let positions =
            parts[name] == nil
            ? try model.prepare(height: rows, width: columns, on: compute) : nil
        let part = try withExtendedLifetime(positions) {
            try self.part(name, [1, rows, columns, 3], tokens, on: compute) {
                try compute.copy(try model($0, on: compute), to: $1)
            }
        }
        return try gather(pictures.count, like: part.output, from: compute) { index in
            let values = try encoder.preprocessor.pixelValues(of: pictures[index], layout: .nhwc)
            return try part(values, on: compute)
        }
    }

    private func decodeOne(_ latent: [Float], _ shape: [Int]) throws -> Image {
        let compute = streams.vae
        let size = [1, height, width, 3]
        let decoded = try decoded ?? compute.persistent(size, .f32)
        self.decoded = decoded
        let part = try part("decode", [1] + shape.dropFirst(), size, type: .u8, on: compute) {
            latent, picture in
            try compute.copy(try self.model.autoencoder.decode(latent, on: compute), to: decoded)
            try compute.quantize(decoded, into: picture)
        }
        let bytes = try compute.bytes(try part(latent, on: compute))
        guard try compute.isFinite(decoded) else {
            throw PipelineError(
                .diverged,
                "the autoencoder decoded a finite latent to values that are not finite: it overflows in "
                    + "\(compute.precision.name), so another type for the vae may help")
        }
        return try Image(width: width, height: height, bytes: bytes)
    }

    private func part(
        _ name: String, _ shape: [Int], _ result: [Int], type: DType = .f32, on compute: Compute,
        _ forward: (Tensor, Tensor) throws -> Void
    ) throws -> CapturedPart {
        if let known = parts[name] { return known }
        let made = try CapturedPart(
            shape, result: result, type: type, on: compute, forward: forward)
        parts[name] = made
        return made
    }

    /// The results of several runs of a part in one tensor on the transformer's stream.
    private func gather(
        _ count: Int, like output: Tensor, from compute: Compute, _ run: (Int) throws -> Tensor
    ) throws -> Tensor {
        let shape = [count] + output.shape.dropFirst()
        let joined = try compute.persistent(shape, .f32)
        for index in 0..<count {
            try compute.copy(try run(index), to: joined.sliced(axis: 0, index..<index + 1))
        }
        return try PartStreams.move(joined, from: compute, to: streams.transformer)
    }
}

/// A part of the model on inputs of one shape, captured once: one tensor in, one out.
final class CapturedPart {
    let input: Tensor
    let output: Tensor
    private let graph: CapturedGraph

    /// Captures `forward` on inputs of `shape`. The first run, uncaptured, makes what a part makes once
    /// and tells the result's shape.
    ///
    /// - Throws: what `forward` throws.
    init(
        _ shape: [Int], result: [Int], type: DType = .f32, on compute: Compute,
        forward: (Tensor, Tensor) throws -> Void
    ) throws {
        let input = try compute.persistent(shape, .f32)
        let output = try compute.persistent(result, type)
        self.input = input
        self.output = output
        graph = try compute.capture { try forward(input, output) }
    }

    /// Runs on host values; the result is in `output`, until the next run.
    func callAsFunction(_ values: [Float], on compute: Compute) throws -> Tensor {
        try compute.upload(values, to: input)
        return try callAsFunction(on: compute)
    }

    /// Runs on what is in `input`.
    func callAsFunction(on compute: Compute) throws -> Tensor {
        try compute.launch(graph)
        return output
    }
}
