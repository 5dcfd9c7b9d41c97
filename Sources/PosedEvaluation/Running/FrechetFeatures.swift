import PosedBackend
import PosedModels
package import PosedTensor
package import PosedVision

/// Features of pictures for the Fréchet distance: the class token of a DINOv2, and their statistics by
/// subject and for the targets.
package final class FrechetFeatures {
    private let model: DINOv2
    private let preprocessor: PreprocessorConfiguration
    private let compute: Compute
    private var subjects: [Subject: FeatureStatistics] = [:]
    private var targets: FeatureStatistics
    private var captured: Captured?

    private struct Captured {
        let size: [Int]
        let input: Tensor
        let output: Tensor
        let graph: CapturedGraph
    }

    /// Loads an encoder's folder.
    ///
    /// - Throws: `ModelError`, `WeightsError`, `VisionError` or `BackendError`.
    package init(folder: String, on compute: Compute) throws {
        model = try DINOv2.load(folder: folder, on: compute).model
        preprocessor = try PreprocessorConfiguration(file: folder + "/preprocessor_config.json")
        self.compute = compute
        targets = FeatureStatistics(dimension: model.features)
    }

    /// Adds the pictures of a pair.
    ///
    /// - Throws: `VisionError` or `BackendError` when a step fails.
    package func add(_ pictures: [Subject: Image], target: Image) throws {
        try targets.add(try features(target))
        for (subject, picture) in pictures {
            let features = try features(picture)
            var statistics =
                subjects.removeValue(forKey: subject)
                ?? FeatureStatistics(dimension: model.features)
            try statistics.add(features)
            subjects[subject] = statistics
        }
    }

    /// The distance of each subject's pictures to the targets; none for fewer than two pairs.
    ///
    /// - Throws: `EvaluationError` when an eigenvalue does not settle.
    package func distances() throws -> [Subject: Double] {
        guard targets.count >= 2 else { return [:] }
        return try subjects.mapValues { try FrechetDistance.value($0, targets) }
    }

    /// The class token of a picture, [D].
    package func features(_ picture: Image) throws -> [Float] {
        let (width, height) = preprocessor.outputSize(width: picture.width, height: picture.height)
        let size = [1, height, width, 3]
        let captured = try self.captured(size)
        try compute.upload(
            try preprocessor.pixelValues(of: picture, layout: .nhwc), to: captured.input)
        try compute.launch(captured.graph)
        return try compute.floats(captured.output)
    }

    private func captured(_ size: [Int]) throws -> Captured {
        if let captured, captured.size == size { return captured }
        let positions = try model.prepare(height: size[1], width: size[2], on: compute)
        let input = try compute.persistent(size, .f32)
        let output = try compute.persistent([1, 1, model.features], .f32)
        let graph = try withExtendedLifetime(positions) {
            try compute.capture {
                let tokens = try model(input, on: compute)
                try compute.copy(tokens.sliced(axis: 1, 0..<1), to: output)
            }
        }
        let made = Captured(size: size, input: input, output: output, graph: graph)
        captured = made
        return made
    }
}
