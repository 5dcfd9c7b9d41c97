import Foundation
import PosedBackend
import PosedModels
import PosedPipeline
import PosedServing
import PosedTensor
import PosedTesting
import PosedVision

/// An engine room with the small random model of the tests, on one backend.
struct TinyEngine: Sendable {
    let engine: ServingEngine
    let model: PoseModel

    /// Loads it.
    ///
    /// - Parameters:
    ///   - drawer: how the model wants poses drawn.
    ///   - configure: changes what is not the default.
    static func make(
        _ backend: String = "blas", drawer: PoseDrawer = PoseDrawer(),
        configure: (inout ServingConfiguration) -> Void = { _ in }
    ) async throws -> TinyEngine {
        let loaded = try load(backend)
        let model = try PoseModel(
            name: "tiny", autoencoder: loaded.autoencoder, sourceEncoder: loaded.sourceEncoder,
            poseEncoder: loaded.poseEncoder, transformer: loaded.transformer,
            sampler: loaded.sampler, framing: loaded.framing, poseDrawer: drawer,
            detailDecoder: loaded.detailDecoder, streams: loaded.streams, reports: loaded.reports)
        var configuration = ServingConfiguration(models: [
            .init(name: "tiny", model, fingerprint: "tiny")
        ])
        configuration.backends = BackendRegistry(entries: [])
        configuration.batchRows = .fixed(16)
        configuration.warmsUp = false
        configure(&configuration)
        return TinyEngine(engine: try await ServingEngine.load(configuration), model: model)
    }

    /// The model by itself, on a stream of its own.
    static func load(_ backend: String) throws -> PoseModel {
        try PoseModel.load(
            folder: Goldens.model("tiny").path,
            on: PartStreams(all: try UsableDevices.compute(backend)))
    }

    /// A pipeline of its own, on the same backend.
    static func pipeline(_ backend: String, size: (Int, Int)? = nil) throws -> Pipeline {
        try Pipeline(load(backend), size: size.map { (width: $0.0, height: $0.1) })
    }

    /// A picture of one shade and another corner.
    static func picture(_ shade: UInt8 = 90) throws -> Image {
        var bytes = [UInt8](repeating: shade, count: 48 * 56 * 3)
        for index in 0..<600 { bytes[index] = UInt8(index % 251) }
        return try Image(width: 48, height: 56, bytes: bytes)
    }

    /// A pose; each number makes another.
    static func pose(_ number: Int = 0) throws -> PoseInput {
        .keypoints(
            try Keypoints(
                (0..<18).map {
                    Keypoint(
                        x: 8 + Double(($0 * 5 + number * 3) % 48), y: 3 * Double($0) + 2)
                }))
    }

    /// Settings that are quick.
    static func settings(
        solver: String = "euler", steps: Int = 2, guidance: Double = 1, seed: UInt64 = 9
    ) -> FrameSettings {
        var settings = FrameSettings()
        settings.solver = solver
        settings.steps = steps
        settings.guidance = guidance
        settings.seed = seed
        return settings
    }

    /// A session of one picture.
    func session(
        _ owner: String = "owner", shade: UInt8 = 90, defaults: FrameSettings = settings()
    ) async throws -> SessionDescription {
        var new = NewSession(sources: [try Self.picture(shade)])
        new.defaults = defaults
        return try await engine.createSession(new, owner: owner)
    }
}
