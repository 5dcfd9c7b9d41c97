import ArgumentParser
import Foundation
import PosedBackend
import PosedModels
import PosedOptions
import PosedPipeline
import PosedTensor
import PosedWeights

/// A part of a model that `run` computes alone.
enum Part: String, CaseIterable, ExpressibleByArgument {
    case vaeEncode = "vae.encode"
    case vaeDecode = "vae.decode"
    case sourceEncoder = "source_encoder"
    case poseEncoder = "pose_encoder"
    case condition
    case velocity
    case solve

    /// What is placed as one with it.
    var place: Placement.Part {
        switch self {
        case .vaeEncode, .vaeDecode: .vae
        case .sourceEncoder: .sourceEncoder
        case .poseEncoder: .poseEncoder
        case .condition, .velocity, .solve: .transformer
        }
    }

    /// The tensor that it writes.
    var output: String {
        switch self {
        case .vaeEncode, .solve: "latent"
        case .vaeDecode: "image"
        case .sourceEncoder, .poseEncoder: "last_hidden_state"
        case .condition: "cond"
        case .velocity: "velocity"
        }
    }
}

/// Computes one part of a model from a file of inputs; loads that part alone.
struct PartRunner {
    /// The model's folder.
    let folder: ModelFolder
    /// The stream to compute on.
    let compute: Compute
    /// The inputs' file.
    let input: String
    /// The sampler's options, which `solve` follows.
    let sampler: SamplerOptions

    /// The part's output, channels-first.
    ///
    /// - Throws: `PosekitError` for inputs that do not fit, and what loading and computing throw.
    func run(_ part: Part) throws -> HostTensor {
        switch part {
        case .vaeEncode, .vaeDecode: try autoencoder(part)
        case .sourceEncoder: try encoder(folder.part("source_encoder"))
        case .poseEncoder:
            try encoder(folder.part(folder.hasPoseEncoder ? "pose_encoder" : "source_encoder"))
        case .condition: try TransformerRunner(self).condition()
        case .velocity: try TransformerRunner(self).velocity()
        case .solve: try TransformerRunner(self).solve()
        }
    }

    private func autoencoder(_ part: Part) throws -> HostTensor {
        let model = try load { try Autoencoders.load(folder: folder.part("vae"), on: compute) }
        var file = try TensorFile(path: input, extents: ["C": model.latentChannels])
        if part == .vaeEncode {
            let images = try file.tensor("image", "N 3 H W")
            return try rows(images.channelsLast()) { try model.encode($0, on: compute) }
                .channelsFirst()
        }
        let latents = try file.tensor("latent", "N C h w")
        return try rows(latents.channelsLast()) { try model.decode($0, on: compute) }
            .channelsFirst()
    }

    private func encoder(_ path: String) throws -> HostTensor {
        let model = try load { try DINOv2.load(folder: path, on: compute) }
        var file = try TensorFile(
            path: input, extents: ["channels": model.configuration.channels])
        let pixels = try file.tensor("pixel_values", "N channels H W")
        return try rows(pixels.channelsLast()) { try model($0, on: compute) }
    }

    /// Loads, and says on a terminal what was loaded.
    func load<Model>(_ body: () throws -> (model: Model, report: LoadReport)) throws -> Model {
        Terminal.progress("loading")
        let loaded = try body()
        Terminal.say(loaded.report.description)
        Terminal.progress("computing")
        return loaded.model
    }

    /// Runs a part on every row of [N, …] by itself and stacks the results.
    private func rows(_ host: HostTensor, _ body: (Tensor) throws -> Tensor) throws -> HostTensor {
        HostTensor(
            stacking: try (0..<host.shape[0]).map { row in
                let one = host[row]
                let result = try compute.host(
                    try body(try compute.tensor(one.reshaped([1] + one.shape))))
                return result.reshaped(Array(result.shape.dropFirst()))
            })
    }
}
