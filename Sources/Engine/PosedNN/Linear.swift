import CPosedBackend
package import PosedBackend
package import PosedTensor

/// A fully connected layer: [B, T, in] to [B, T, out].
package struct Linear: Sendable {
    package let inputs: Int
    package let outputs: Int
    private let weight: PackedWeight

    /// Packs a matrix [out, in] and its bias [out].
    ///
    /// - Parameter type: Of the product's operands; nil takes the precision of `compute`.
    /// - Throws: `BackendError` when the device cannot hold it.
    package init(
        _ matrix: HostMatrix, bias: [Float]?, in inputs: Int, out outputs: Int, on compute: Compute,
        type: DType? = nil
    ) throws {
        self.inputs = inputs
        self.outputs = outputs
        try compute.require(.linear(inputs: inputs, outputs: outputs), in: type)
        weight = try matrix.withBytes { bytes in
            var desc = posed_linear_weight_desc()
            desc.data = bytes.baseAddress
            desc.dtype = matrix.dtype.rawValue
            desc.out = Int64(outputs)
            desc.in = Int64(inputs)
            desc.compute = (type ?? compute.precision).rawValue
            return try withOptionalPointer(bias) { pointer in
                desc.bias = pointer
                return try PackedWeight(device: compute.device, linear: desc)
            }
        }
    }

    /// A layer of one element, for a model that is about to be refused.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package static func placeholder(on compute: Compute) throws -> Linear {
        try Linear(HostMatrix([0]), bias: nil, in: 1, out: 1, on: compute)
    }

    /// y = residual + gate · act(x Wᵀ + b).
    ///
    /// - Parameters:
    ///   - x: [B, T, in].
    ///   - gate: [B, out] float32.
    ///   - residual: [B, T, out].
    ///   - output: [B, T, out]; nil takes scratch memory of type `type` (nil: the precision).
    /// - Throws: `BackendError` when shapes or types do not fit.
    @discardableResult
    package func callAsFunction(
        _ x: Tensor, on compute: Compute, activation: Activation = .none, gate: Tensor? = nil,
        residual: Tensor? = nil, into output: Tensor? = nil, type: DType? = nil
    ) throws -> Tensor {
        try compute.linear(
            x, weight, out: outputs, activation: activation, gate: gate, residual: residual,
            into: output, type: type)
    }
}

/// Lends an optional array's address.
func withOptionalPointer<R>(
    _ values: [Float]?, _ body: (UnsafePointer<Float>?) throws -> R
) rethrows -> R {
    guard let values else { return try body(nil) }
    return try values.withUnsafeBufferPointer { try body($0.baseAddress) }
}
