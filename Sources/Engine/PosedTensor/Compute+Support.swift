import CPosedBackend
package import PosedBackend

/// A product that a model intends to use, asked about when the model is loaded.
package enum Need: Sendable {
    /// Rows of `inputs` to rows of `outputs`.
    case linear(inputs: Int, outputs: Int)
    /// A convolution of square filters.
    case conv2d(inputs: Int, outputs: Int, kernel: Int, stride: Int)
    /// Attention with heads of `size`, with or without a bias.
    case attention(heads: Int, size: Int, bias: Bool = false)

    /// The operation, and the sizes that decide.
    fileprivate var terms: (op: posed_op, sizes: [Int]) {
        switch self {
        case .linear(let inputs, let outputs): (POSED_OP_LINEAR, [inputs, outputs])
        case .conv2d(let inputs, let outputs, let kernel, let stride):
            (POSED_OP_CONV2D, [inputs, outputs, kernel, stride])
        case .attention(let heads, let size, let bias):
            (POSED_OP_ATTENTION, [heads, size, bias ? 1 : 0])
        }
    }
}

extension Compute {
    /// Makes sure that the device will carry out a product.
    ///
    /// - Parameter type: Of its operands; nil takes this stream's precision.
    /// - Throws: `BackendError` `.unsupported` with the device's reason.
    package func require(_ need: Need, in type: DType? = nil) throws {
        let (op, sizes) = need.terms
        var query = posed_op_query()
        query.op = op.rawValue
        // Around a product in float32 tensors are float32, too.
        let carrier = type == .f32 ? DType.f32 : precision
        query.x_dtype = carrier.rawValue
        query.y_dtype = carrier.rawValue
        query.compute = (type ?? precision).rawValue
        withUnsafeMutableBytes(of: &query.sizes) { bytes in
            let slots = bytes.bindMemory(to: Int64.self)
            for (index, size) in sizes.enumerated() { slots[index] = Int64(size) }
        }
        if let refusal = device.refusal(of: query) { throw BackendError(.unsupported, refusal) }
    }
}
