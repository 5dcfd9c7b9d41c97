import PosedBackend
import PosedTensor
import PosedWeights

/// Layers whose weights the host made of a file's, by `values`.
extension Loader {
    /// A matrix [out, in] and its bias [out].
    ///
    /// - Parameter matrix: Makes the elements; not called when the model will be refused.
    /// - Throws: `BackendError` when the device cannot hold it.
    package func linear(
        in inputs: Int, out outputs: Int, bias: [Float]?, making matrix: () -> [Float]
    ) throws -> Linear {
        if reader.hasProblems { return try Linear.placeholder(on: compute) }
        return try Linear(
            HostMatrix(matrix()), bias: bias, in: inputs, out: outputs, on: compute)
    }

    /// A filter [out, in, k, k] and its bias [out], both made by `making`.
    ///
    /// - Parameter making: Makes filter and bias; not called when the model will be refused.
    /// - Throws: `BackendError` when the device cannot hold it.
    package func conv2d(
        in inputs: Int, out outputs: Int, kernel: Int, padding: Conv2d.Padding = .none,
        making: () -> (filter: [Float], bias: [Float])
    ) throws -> Conv2d {
        let geometry = Conv2d.Geometry(
            inputs: inputs, outputs: outputs, kernel: kernel, padding: padding)
        if reader.hasProblems { return try Conv2d.placeholder(on: compute) }
        let (filter, bias) = making()
        return try Conv2d(HostMatrix(filter), bias: bias, geometry, on: compute)
    }
}
