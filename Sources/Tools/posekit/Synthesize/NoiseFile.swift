import PosedModels
import PosedPipeline

/// Noise given in a file instead of drawn from a seed.
enum NoiseFile {
    /// The values of `z0` (or of the file's only tensor), [C, h, w] or [1, C, h, w].
    ///
    /// - Throws: `WeightsError` or `PosekitError`.
    static func read(_ path: String, for pipeline: Pipeline) throws -> [Float] {
        let size = pipeline.latentSize
        var file = try TensorFile(
            path: path,
            extents: [
                "C": pipeline.model.transformer.form.channels, "h": size.height,
                "w": size.width,
            ])
        let names = file.names
        let name = names.count == 1 ? names[0] : "z0"
        let legend = file.rank(name) == 3 ? "C h w" : "1 C h w"
        return try file.tensor(name, legend).values
    }
}
