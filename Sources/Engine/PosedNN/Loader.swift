import PosedBackend
package import PosedTensor
package import PosedWeights

/// Turns named tensors of a file into layers on a device.
///
/// The reader records misfits. Once there is one, the model will be refused by
/// `WeightReader.finish`, and layers are packed as single elements: a wrong configuration costs no memory.
package struct Loader {
    package let reader: WeightReader
    /// The stream that uploads, and the types in which products will be computed.
    package let compute: Compute
    /// The type of linear layers' operands.
    private let type: DType

    /// A loader of everything under the reader's prefix.
    package init(_ reader: WeightReader, on compute: Compute) {
        self.init(reader, on: compute, type: compute.precision)
    }

    private init(_ reader: WeightReader, on compute: Compute, type: DType) {
        self.reader = reader
        self.compute = compute
        self.type = type
    }

    /// A loader of the tensors under `name` and a dot.
    package func scoped(_ name: String) -> Loader {
        Loader(reader.scoped(name), on: compute, type: type)
    }

    /// The same, for linear layers that every token passes: they multiply in the stream's `products`.
    package var tokenwise: Loader { Loader(reader, on: compute, type: compute.products) }

    /// The same, for linear layers that must multiply in float32 whatever the stream's precision.
    package var exact: Loader { Loader(reader, on: compute, type: .f32) }

    /// A float32 tensor on the device, as named.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func parameter(_ name: String, _ shape: [Int]) throws -> Tensor {
        let tensor = reader.tensor(name, shape: shape)
        if reader.hasProblems { return try compute.persistent([1], .f32) }
        defer { tensor.release() }
        return try compute.tensor(tensor.floats(), shape)
    }

    /// A float32 tensor's values on the host; empty when the model will be refused.
    package func values(_ name: String, _ shape: [Int]) -> [Float] {
        let tensor = reader.tensor(name, shape: shape)
        if reader.hasProblems { return [] }
        defer { tensor.release() }
        return tensor.floats()
    }

    /// `name.weight` [out, in] and, where there is one, `name.bias` [out].
    ///
    /// - Parameters:
    ///   - aliases: Older names of the layer.
    ///   - alternatives: Other shapes that a file may give the matrix.
    /// - Throws: `BackendError` when the device cannot hold it.
    package func linear(
        _ name: String, in inputs: Int, out outputs: Int, bias: Bool = true,
        aliases: [String] = [], alternatives: [[Int]] = []
    ) throws -> Linear {
        let weight = reader.tensor(
            name + ".weight", aliases: aliases.map { $0 + ".weight" }, shape: [outputs, inputs],
            alternatives: alternatives)
        let offsets =
            bias
            ? reader.tensor(
                name + ".bias", aliases: aliases.map { $0 + ".bias" }, shape: [outputs]) : nil
        return try pack([weight], biases: offsets.map { [$0] } ?? [], in: inputs, out: outputs)
    }

    /// Several matrices of one input side by side, as a single product: `names[i].weight`
    /// [outs[i], in], biases likewise.
    ///
    /// - Parameters:
    ///   - aliases: Older names of each layer; empty for none.
    ///   - alternatives: Other shapes that a file may give any of the matrices.
    /// - Throws: `BackendError` when the device cannot hold it.
    package func joined(
        _ names: [String], in inputs: Int, outs: [Int], bias: Bool = true,
        aliases: [[String]] = [], alternatives: [[Int]] = []
    ) throws -> Linear {
        var weights: [WeightTensor] = []
        var biases: [WeightTensor] = []
        for (index, (name, out)) in zip(names, outs).enumerated() {
            let older = index < aliases.count ? aliases[index] : []
            weights.append(
                reader.tensor(
                    name + ".weight", aliases: older.map { $0 + ".weight" }, shape: [out, inputs],
                    alternatives: alternatives))
            guard bias else { continue }
            biases.append(
                reader.tensor(name + ".bias", aliases: older.map { $0 + ".bias" }, shape: [out]))
        }
        return try pack(weights, biases: biases, in: inputs, out: outs.reduce(0, +))
    }

    private func pack(
        _ weights: [WeightTensor], biases: [WeightTensor], in inputs: Int, out outputs: Int
    ) throws -> Linear {
        if reader.hasProblems { return try Linear.placeholder(on: compute) }
        let matrix = HostMatrix(joining: weights)
        let bias = biases.isEmpty ? nil : biases.flatMap { $0.floats() }
        defer { (weights + biases).forEach { $0.release() } }
        return try Linear(matrix, bias: bias, in: inputs, out: outputs, on: compute, type: type)
    }

    /// `name.weight` [out, in, k, k] and, where there is one, `name.bias` [out].
    ///
    /// - Throws: `BackendError` when the device cannot hold it.
    package func conv2d(
        _ name: String, in inputs: Int, out outputs: Int, kernel: Int, stride: Int = 1,
        padding: Conv2d.Padding = .none, upsample: Int = 1, bias: Bool = true
    ) throws -> Conv2d {
        let shape = [outputs, inputs, kernel, kernel]
        let weight = reader.tensor(name + ".weight", shape: shape)
        let offsets = bias ? reader.tensor(name + ".bias", shape: [outputs]) : nil
        let geometry = Conv2d.Geometry(
            inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: padding,
            upsample: upsample)
        if reader.hasProblems { return try Conv2d.placeholder(on: compute) }
        defer {
            weight.release()
            offsets?.release()
        }
        return try Conv2d(
            HostMatrix(joining: [weight]), bias: offsets?.floats(), geometry, on: compute)
    }

    /// `name.weight` and `name.bias` [features].
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func layerNorm(_ name: String, features: Int, eps: Float) throws -> LayerNorm {
        LayerNorm(
            gamma: try parameter(name + ".weight", [features]),
            beta: try parameter(name + ".bias", [features]), eps: eps)
    }

    /// `name.weight` and `name.bias` [channels].
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func groupNorm(_ name: String, channels: Int, groups: Int, eps: Float) throws
        -> GroupNorm
    {
        GroupNorm(
            gamma: try parameter(name + ".weight", [channels]),
            beta: try parameter(name + ".bias", [channels]), groups: groups, eps: eps)
    }
}

/// Layers of weights that the host computes from a file's, read by `values`.
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

    /// A filter [out, in, k, k] and its bias [out], both computed by `making`.
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
