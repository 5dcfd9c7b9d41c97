import PosedBackend
import PosedModels
package import PosedTensor
package import PosedVision

/// A network that makes one vector of a picture, for the Fréchet distance.
package protocol PictureFeatures: AnyObject {
    /// The distance that is measured with it.
    var metric: Metric { get }
    /// Features of a vector.
    var dimension: Int { get }

    /// The vector of a picture, [dimension].
    ///
    /// - Throws: `VisionError` or `BackendError` when a step fails.
    func features(_ picture: Image) throws -> [Float]
}

/// The class token of a DINOv2.
package final class DINOv2Features: PictureFeatures {
    package let metric = Metric.fdDINOv2
    private let model: DINOv2
    private let preprocessor: PreprocessorConfiguration
    private let compute: Compute
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
    }

    package var dimension: Int { model.features }

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
