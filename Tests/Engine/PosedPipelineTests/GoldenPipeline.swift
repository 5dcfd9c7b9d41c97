import Foundation
import PosedBackend
import PosedModels
import PosedPipeline
import PosedTensor
import PosedTesting
import PosedWeights

/// A small random model on one of the usable backends, and tensors of its goldens.
struct GoldenPipeline: CustomStringConvertible, Sendable {
    let model: String
    let backend: String

    var description: String { "\(model) on \(backend)" }

    /// A model on every usable backend, and in every way.
    static func cases(_ models: [String]) -> [GoldenPipeline] {
        UsableDevices.ways.flatMap { backend in
            models.map { GoldenPipeline(model: $0, backend: backend) }
        }
    }

    /// Loads the model and makes a pipeline.
    func pipeline() throws -> Pipeline {
        let streams = PartStreams(all: try UsableDevices.compute(backend))
        return try Pipeline(
            PoseModel.load(folder: Goldens.model(model).path, on: streams))
    }

    /// A tensor of a case in `expected`.
    func tensor(_ key: String, of name: String) throws -> WeightTensor {
        let path = Goldens.url("\(model)/expected/\(name).safetensors").path
        return try SafetensorsFile(path: path).tensor(key)
    }

    /// Latents [1, C, h, w] or [1, S, C, h, w] as [S, h, w, C].
    func latents(_ key: String, of name: String, on compute: Compute) throws -> Tensor {
        let tensor = try tensor(key, of: name)
        let s = Array(tensor.shape.suffix(3))
        let count = tensor.count / s.reduce(1, *)
        return try compute.tensor(
            Layout.channelsLast(tensor.floats(), [count] + s), [count, s[1], s[2], s[0]])
    }

    /// Embeddings [1, T, F] or [1, S, T, F] as [S, T, F].
    func embeddings(_ key: String, of name: String, on compute: Compute) throws -> Tensor {
        let tensor = try tensor(key, of: name)
        let s = Array(tensor.shape.suffix(2))
        return try compute.tensor(tensor.floats(), [tensor.count / (s[0] * s[1])] + s)
    }

    /// The condition of a solve's golden.
    func condition(of name: String, _ pipeline: Pipeline) throws -> RowCondition {
        let transformer = pipeline.model.transformer
        let compute = pipeline.model.streams.transformer
        let source = try transformer.source(
            latents: try latents("z_s", of: name, on: compute),
            embeddings: try embeddings("g_s", of: name, on: compute), on: compute)
        let pose = try transformer.pose(
            latent: try latents("z_p", of: name, on: compute),
            embedding: try embeddings("g_p", of: name, on: compute), on: compute)
        return try pipeline.condition(source, pose)
    }
}
