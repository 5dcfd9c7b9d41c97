import ArgumentParser
import PosedBackend

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
