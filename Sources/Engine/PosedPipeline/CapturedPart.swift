import PosedBackend
import PosedTensor

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
